//! The forms of an address: IPv4 in IPv6 clothes, and every address on a system without IPv6.

use std::net::SocketAddr;
use std::process::Command;

use rustix::io::Errno;

use crate::lb::{Pronk, free_port, passthrough};
use crate::peers::{connect, echo_member, echoes};
use crate::seccomp::{Call, where_the_kernel_refuses};

#[test]
fn mapped_addresses_are_those_of_ipv4() {
    let (port, member) = (free_port(), echo_member());
    let text = format!(
        "nodes: {{ a: {{ address: '::ffff:127.0.0.1' }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '[::ffff:127.0.0.1]:{port}', pool: p, source: ['::ffff:127.0.0.0/104'] }} }}
",
        member.port()
    );
    let pronk = Pronk::start(|_| text);
    assert!(echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], port)))));
    assert_eq!(pronk.closed("client-fin")["destination_address"], format!("127.0.0.1:{port}"));
}

#[test]
fn every_address_is_every_ipv4_address_where_there_is_no_ipv6() {
    let (member, port) = (echo_member(), free_port());
    let pronk = where_the_kernel_refuses(Call::SocketV6, Errno::AFNOSUPPORT, move || {
        Pronk::start_by(Command::new(env!("CARGO_BIN_EXE_pronk")), |_| passthrough(member, &format!("*:{port}")))
    });
    let said = pronk.logged("what it listens on", |line| {
        line["message"].as_str().is_some_and(|message| message.starts_with("this system has no IPv6"))
    });
    assert!(said["message"].as_str().unwrap().ends_with(&format!("0.0.0.0:{port}")), "{said}");
    assert!(echoes(&mut connect(SocketAddr::from(([127, 0, 0, 1], port)))));
}
