//! What a virtual server lets in, where it sends it, and what it says of its members.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Instant;

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::peers::{connect, echo_member, is_refused, member};

/// One virtual server on one member, with further keys for each.
fn front(member: SocketAddr, virtual_server: &str, pool: &str, sections: &str) -> (Pronk, SocketAddr) {
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: {} }} }}
pools: {{ p: {{ members: ['a:{}']{pool} }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p{virtual_server} }} }}
{sections}",
            member.ip(),
            member.port(),
        )
    });
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn echoes(address: SocketAddr) -> bool {
    let mut client = connect(address);
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).is_ok()
}

#[test]
fn clients_outside_the_source_list_are_reset() {
    let (pronk, address) = front(echo_member(), ", source: [10.0.0.0/8]", "", "");
    assert!(is_refused(address));
    assert_eq!(pronk.closed("source-refused")["close.who"], "policy");
    let (_pronk, address) = front(echo_member(), ", source: [10.0.0.0/8, 127.0.0.0/8]", "", "");
    assert!(echoes(address));
}

#[test]
fn connection_limit_is_exact_and_frees_places() {
    let (pronk, address) = front(echo_member(), ", connection-limit: 2", "", "");
    let mut held: Vec<_> = (0..2).map(|_| connect(address)).collect();
    for client in &mut held {
        client.write_all(b"hello").unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
    }
    assert!(is_refused(address));
    pronk.closed("connection-limit");
    held.pop();
    pronk.closed("client-fin");
    assert!(echoes(address));
}

#[test]
fn dial_at_accept_serves_members_that_speak_first() {
    let greeting = member(|mut stream| stream.write_all(b"welcome").unwrap());
    let (_pronk, address) = front(greeting, ", dial: accept", "", "");
    let mut answer = [0; 7];
    connect(address).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"welcome");
}

#[test]
fn dual_stack_destination_takes_both_families() {
    let member = echo_member();
    let port = free_port();
    let _pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: localhost }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '*:{port}', pool: p, source: [127.0.0.0/8, '::1'] }} }}
",
            member.port()
        )
    });
    assert!(echoes(SocketAddr::from(([127, 0, 0, 1], port))));
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(echoes(format!("[::1]:{port}").parse().unwrap()));
    }
}

#[test]
fn monitor_marks_a_member_down_and_up_again() {
    let port_of_member = free_port();
    let member = SocketAddr::from(([127, 0, 0, 1], port_of_member));
    let quick = "monitors: { quick: { type: tcp, interval: 200ms, timeout: 2s } }\n";
    let (pronk, address) = front(member, "", ", monitors: [quick]", quick);
    pronk.logged("member is down", |line| line["message"] == "member is down" && line["member"].is_string());
    assert!(is_refused(address));
    pronk.closed("no-member-up");
    let map = pronk.command(&["show", "map"]);
    let map = String::from_utf8(map.stdout).unwrap();
    assert!(map.contains(&format!("◆ a:{port_of_member}  offline: monitor quick: cannot connect")), "{map}");

    let listener = std::net::TcpListener::bind(member).unwrap();
    let (heard, hears) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 5]).is_ok_and(|count| count > 0) {
                heard.send(()).unwrap();
            }
        }
    });
    pronk.logged("member is up", |line| line["message"] == "member is up");
    connect(address).write_all(b"hello").unwrap();
    hears.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn reload_takes_a_virtual_server_that_is_forced_offline_off_the_network() {
    let member = echo_member();
    let (pronk, address) = front(member, "", "", "");
    let mut kept = connect(address);
    kept.write_all(b"hello").unwrap();
    kept.read_exact(&mut [0; 5]).unwrap();
    let file = pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("pool: p }", "pool: p, state: forced-offline }");
    std::fs::write(&file, text).unwrap();
    let planned = pronk.command(&["reload", "--dry-run"]);
    assert!(String::from_utf8_lossy(&planned.stdout).contains("virtual server vs"), "{planned:?}");
    assert!(echoes(address), "a dry run changes nothing");
    assert!(pronk.command(&["reload"]).status.success());
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "still listening");
    }
    kept.write_all(b"hello").unwrap();
    kept.read_exact(&mut [0; 5]).unwrap();
}
