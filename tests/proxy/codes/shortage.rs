//! What pronk itself lacks, or the system refuses it.

use std::io::{Read, Write};
use std::net::Ipv4Addr;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::front::{Front, Provoked};
use crate::lb::Pronk;
use crate::peers::{connect, echo_member, is_refused, is_reset};
use crate::seccomp::{Call, where_the_kernel_refuses};

/// One descriptor is left: for the client, and none for its member.
pub fn proxy_out_of_descriptors() -> Provoked {
    let running = Front::before(echo_member()).start();
    drop(running.served());
    running.pronk.closed("client-fin");
    let limit = Some(limit_with_one_left(&running.pronk));
    let pid = Pid::from_raw(running.pronk.pid().try_into().unwrap());
    prlimit(pid, Resource::Nofile, Rlimit { current: limit, maximum: limit }).unwrap();
    let mut client = running.asking();
    running.seen_by(&mut client)
}

/// The limit below which pronk has all descriptors but one.
fn limit_with_one_left(pronk: &Pronk) -> u64 {
    let open = std::fs::read_dir(format!("/proc/{}/fd", pronk.pid())).unwrap();
    let open: Vec<u64> = open.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    let left = |limit: u64| limit - open.iter().filter(|number| **number < limit).count() as u64;
    (1..).find(|limit| left(*limit) == 1).unwrap()
}

pub fn proxy_out_of_ports() -> Provoked {
    let running = Front::before(echo_member()).start();
    // What listens has its port from another range.
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "20000 20003").unwrap();
    let mut held = Vec::new();
    // Each client connects to another address, toward which no port is in use.
    for number in 2.. {
        let mut client = connect((Ipv4Addr::new(127, 0, 0, number), running.address.port()).into());
        client.write_all(b"hello").unwrap();
        match client.read_exact(&mut [0; 5]) {
            Ok(()) => held.push(client),
            Err(error) if is_reset(&error) => return running.refused(),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("no port is ever short");
}

pub fn proxy_out_of_memory() -> Provoked {
    let member = echo_member();
    let running = where_the_kernel_refuses(Call::Connect, Errno::NOBUFS, move || Front::before(member).start());
    assert!(is_refused(running.address));
    running.refused()
}

/// A sandbox that refuses an option, which a reload asks for.
pub fn proxy_socket_option() -> Provoked {
    let member = echo_member();
    let running = where_the_kernel_refuses(Call::SetMaximumSegmentSize, Errno::PERM, move || {
        Front::before(member).protocol("max-segment-size: 0").start()
    });
    let file = running.pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("max-segment-size: 0", "max-segment-size: 500");
    std::fs::write(&file, text).unwrap();
    assert!(running.pronk.command(&["reload"]).status.success());
    let mut client = running.client();
    client.write_all(b"hello").unwrap();
    running.seen_by(&mut client)
}
