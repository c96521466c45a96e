//! The options of a protocol profile, as both sides of a connection see them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::lb::{Pronk, free_port};
use crate::namespace::in_namespace;
use crate::peers::{connect, echo_member, echoes, member};

fn front(member: SocketAddr, options: &str) -> (Pronk, SocketAddr) {
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles: {{ it: {{ type: tcp{options} }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: it }} }}
",
            member.port()
        )
    });
    (pronk, ([127, 0, 0, 1], port).into())
}

fn segment_size(stream: &TcpStream) -> u32 {
    SockRef::from(stream).tcp_mss().unwrap()
}

#[test]
fn neither_side_sends_segments_above_the_maximum() {
    for (options, limit) in [("", 65536), (", max-segment-size: 500", 500)] {
        let (sender, sizes) = channel();
        let member = member(move |mut stream| {
            stream.read_exact(&mut [0; 5]).unwrap();
            sender.send(segment_size(&stream)).unwrap();
            stream.write_all(b"hello").unwrap();
        });
        let (_pronk, address) = front(member, options);
        let mut client = connect(address);
        assert!(echoes(&mut client));
        let (of_client, of_member) = (segment_size(&client), sizes.recv().unwrap());
        // Options of each segment, such as timestamps, take some of it.
        let expected = limit / 8 * 7..=limit;
        assert!(
            limit > 500 || expected.contains(&of_client) && expected.contains(&of_member),
            "{of_client} {of_member}"
        );
        assert!(limit == 500 || of_client > 500 && of_member > 500, "{of_client} {of_member}");
    }
}

/// Returns whether keep-alive is on for a connection that pronk has to this port: its timer runs (`tr` in /proc/net/tcp).
fn is_probed(member: SocketAddr) -> bool {
    const ESTABLISHED: &str = "01";
    const KEEP_ALIVE: &str = "02:";
    let remote = format!("0100007F:{:04X}", member.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(2) == Some(&remote.as_str()) && fields[3] == ESTABLISHED && fields[5].starts_with(KEEP_ALIVE)
    })
}

#[test]
fn member_of_a_connection_that_lasts_is_probed_unless_that_is_disabled() {
    let members = [echo_member(), echo_member()];
    let fronts = [front(members[0], ", keep-alive-interval: disabled"), front(members[1], "")];
    let mut clients = fronts.each_ref().map(|(_, address)| connect(*address));
    assert!(clients.iter_mut().all(echoes));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_probed(members[1]) {
        assert!(Instant::now() < deadline, "keep-alive is not on");
        std::thread::sleep(Duration::from_millis(20));
    }
    // This one was made before.
    assert!(!is_probed(members[0]));
}

/// Everybody vanishes at once, as when a cable is pulled, while bytes are on their way.
#[test]
fn peer_that_vanished_is_noticed_after_the_user_timeout() {
    if !in_namespace("socket_options::peer_that_vanished_is_noticed_after_the_user_timeout") {
        return;
    }
    let timeout = Duration::from_secs(2);
    let (pronk, address) = front(echo_member(), ", keep-alive-interval: disabled, tcp-user-timeout: 2s");
    // So many that some have bytes on their way.
    for _ in 0..20 {
        let mut client = connect(address);
        assert!(echoes(&mut client));
        // One message at a time: a peer that is slow to read is given up after the same time, and would be counted here.
        // Ends when the kernel gives the connection up.
        std::thread::spawn(move || {
            let mut answer = [0; 1024];
            while client.write_all(&[0; 1024]).is_ok() && client.read_exact(&mut answer).is_ok() {}
        });
    }
    // From before, as on a busy machine it may be long until the command has ended.
    let vanished = Instant::now();
    assert!(Command::new("ip").args(["link", "set", "lo", "down"]).status().unwrap().success());
    let code = |line: &serde_json::Value| line["close.code"].as_str().map(str::to_owned);
    pronk.logged("an end", |line| code(line).is_some_and(|code| code.ends_with("-keepalive-timeout")));
    let noticed = vanished.elapsed();
    // The system's own limit is about 15 minutes.
    assert!(noticed >= timeout / 2 && noticed < Duration::from_secs(60), "{noticed:?}");
}
