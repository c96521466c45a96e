//! What becomes of connections when their member goes down or is removed, and of clients whom nobody can serve.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::peers::{connect, echo_member, echoes, is_refused, is_reset, try_connect};

/// A member that echoes until it is told to fall silent: its connections stay, and nothing listens any more.
pub fn mortal_member() -> (SocketAddr, Sender<()>) {
    // Nobody else may have the port afterwards.
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listener = TcpListener::bind(address).unwrap();
    let (die, dies) = channel();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        while dies.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true).unwrap();
                held.push(stream);
            }
            held.iter_mut().for_each(|stream| {
                let mut buffer = [0; 64];
                if let Ok(count) = stream.read(&mut buffer) {
                    let _ = stream.write_all(&buffer[..count]);
                }
            });
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(listener);
        // The connections live on until they are told to end, or for as long as the test does.
        if dies.recv().is_err() {
            std::mem::forget(held);
        }
    });
    (address, die)
}

const QUICK: &str = "monitors: { quick: { type: tcp, interval: 500ms, timeout: 3s } }\n";

/// A mortal member `m0` and one that lives, `m1`, preferred in this order; further keys of the pool and the virtual
/// server.
fn front(pool: &str, virtual_server: &str) -> (Pronk, SocketAddr, Sender<()>) {
    let (mortal, die) = mortal_member();
    let other = echo_member();
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ m0: {{ address: 127.0.0.1 }}, m1: {{ address: 127.0.0.1 }} }}
pools:
  p:
    monitors: [quick]
    min-active-members: 1
    members: [{{ member: 'm0:{}', priority-group: 9 }}, 'm1:{}']
{pool}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p{virtual_server} }} }}
{QUICK}",
            mortal.port(),
            other.port()
        )
    });
    for name in ["m0:", "m1:"] {
        told(&pronk, "member is up", name);
    }
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)), die)
}

fn served(address: SocketAddr) -> TcpStream {
    let mut client = connect(address);
    assert!(echoes(&mut client));
    client
}

fn down(pronk: &Pronk) {
    told(pronk, "member is down", "m0:");
}

fn told(pronk: &Pronk, message: &str, member: &str) {
    pronk.logged(message, |line| {
        line["message"] == message && line["member"].as_str().is_some_and(|told| told.starts_with(member))
    });
}

fn breaks(client: &mut TcpStream) -> bool {
    client.read(&mut [0]).is_err_and(|error| is_reset(&error))
}

fn is_silent(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let silent = client.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    silent
}

#[test]
fn connections_of_a_member_that_goes_down_go_on_by_default() {
    let (pronk, address, die) = front("", "");
    let client = served(address);
    die.send(()).unwrap();
    down(&pronk);
    assert!(echoes(&mut served(address)), "others go to the other member");
    assert!(is_silent(&client));
}

#[test]
fn reset_breaks_them_all() {
    let (pronk, address, die) = front("    service-down-action: reset", "");
    let mut clients: Vec<_> = (0..50).map(|_| served(address)).collect();
    die.send(()).unwrap();
    down(&pronk);
    assert!(clients.iter_mut().all(breaks));
    let record = pronk.closed("service-down-reset");
    assert!(record["close.remedy"].as_str().unwrap().contains("service-down-action"), "{record}");
    assert!(echoes(&mut served(address)));
}

#[test]
fn drop_tells_the_client_nothing_and_lets_the_member_go() {
    let (pronk, address, die) = front("    service-down-action: drop", "");
    let client = served(address);
    die.send(()).unwrap();
    down(&pronk);
    let deadline = Instant::now() + PATIENCE;
    while pronk.stats()["pools"][0]["members"][0]["connections"]["current"] != 0 {
        assert!(Instant::now() < deadline);
    }
    assert!(is_silent(&client));
    drop(client);
    pronk.closed("service-down-drop");
}

#[test]
fn reselect_moves_connections_that_have_carried_nothing() {
    let (pronk, address, die) = front("    service-down-action: reselect", ", dial: accept");
    let mut talked = served(address);
    let mut silent = connect(address);
    let deadline = Instant::now() + PATIENCE;
    while pronk.stats()["pools"][0]["members"][0]["connections"]["current"] != 2 {
        assert!(Instant::now() < deadline);
    }
    die.send(()).unwrap();
    down(&pronk);
    assert!(breaks(&mut talked), "what has carried data cannot move");
    assert!(echoes(&mut silent), "what has not goes on at the other member");
    drop(silent);
    let record = pronk.closed("client-fin");
    assert!(record["tries"].as_u64().unwrap() >= 2, "{record}");
    assert!(record["member"].as_str().unwrap().starts_with("m1:"), "{record}");
}

#[test]
fn member_that_draining_takes_out_keeps_its_connections() {
    let (pronk, address, _die) = front("    service-down-action: reset", "");
    let mut client = served(address);
    edit(&pronk, "priority-group: 9", "priority-group: 9, state: forced-offline");
    assert!(echoes(&mut client), "active connections go on");
    assert!(echoes(&mut served(address)));
}

/// Edits the configuration and reloads.
fn edit(pronk: &Pronk, from: &str, to: &str) {
    let file = pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
    let reloaded = pronk.command(&["reload"]);
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
}

fn map(pronk: &Pronk) -> String {
    String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap()
}

/// The text of the first member in the configuration.
fn first_member(pronk: &Pronk) -> String {
    let text = std::fs::read_to_string(pronk.folder.path().join("pronk.yaml")).unwrap();
    let from = text.find("{ member: 'm0").unwrap();
    text[from..text[from..].find('}').unwrap() + from + 3].to_owned()
}

#[test]
fn removed_member_drains_and_then_the_action_is_taken() {
    let (pronk, address, _die) = front("    service-down-action: reset\n    drain-time: 1h", "");
    let mut client = served(address);
    let member = first_member(&pronk);
    edit(&pronk, &member, "");
    assert!(echoes(&mut client), "it drains");
    let map = map(&pronk);
    assert!(map.contains("removed by a reload; 1 connections drain; in "), "{map}");
    edit(&pronk, "drain-time: 1h", "drain-time: 1ms");
    assert!(breaks(&mut client));
    pronk.logged("the end", |line| line["message"] == "a removed member's drain time is over");
    pronk.closed("service-down-reset");
}

#[test]
fn removed_member_drains_for_good_by_default_and_may_come_back() {
    let (pronk, address, _die) = front("    service-down-action: reset", "");
    let mut client = served(address);
    let member = first_member(&pronk);
    edit(&pronk, &member, "");
    let gone = map(&pronk);
    assert!(gone.contains("removed by a reload; 1 connections drain\n"), "{gone}");
    edit(&pronk, "members: [", &format!("members: [{member}"));
    assert!(echoes(&mut client));
    let back = map(&pronk);
    assert!(!back.contains("removed by a reload"), "{back}");
    assert_eq!(pronk.stats()["pools"][0]["members"][0]["connections"]["current"], 1, "it is counted again");
}

#[test]
fn removed_pool_drains_too() {
    let (pronk, address, _die) = front("    service-down-action: reset\n    drain-time: 5s", "");
    let mut client = served(address);
    let other = echo_member();
    let pools = format!("pools:\n  q: {{ members: ['m1:{}'] }}\n  p:", other.port());
    edit(&pronk, "pools:\n  p:", &pools);
    let file = std::fs::read_to_string(pronk.folder.path().join("pronk.yaml")).unwrap();
    let (from, to) = (file.find("  p:").unwrap(), file.find("virtual-servers").unwrap());
    let without = format!("{}{}", &file[..from], &file[to..]).replace("pool: p ", "pool: q ");
    edit(&pronk, &file, &without);
    assert!(echoes(&mut client));
    let map = map(&pronk);
    assert!(map.contains("of p  removed by a reload"), "{map}");
    assert!(breaks(&mut client));
}

#[test]
fn clients_whom_nobody_can_serve_are_told_at_once_where_wanted() {
    for action in ["reset", "drop", "none"] {
        let key = format!(", service-down-immediate-action: {action}");
        let (pronk, address, die) = front("    min-up-members: 2", &key);
        die.send(()).unwrap();
        down(&pronk);
        match action {
            "reset" => {
                let said_nothing = try_connect(address).and_then(|mut client| client.read(&mut [0]));
                assert!(said_nothing.is_err_and(|error| is_reset(&error)), "it has not said a word");
                let record = pronk.closed("service-down-immediate");
                assert!(
                    record["close.detail"].as_str().unwrap().contains("1 members are up and 2 must be"),
                    "{record}"
                );
            }
            "drop" => {
                let mut client = connect(address);
                client.write_all(b"hello").unwrap();
                let current = |pronk: &Pronk| pronk.stats()["virtual_servers"][0]["connections"]["current"] == 1;
                let deadline = Instant::now() + PATIENCE;
                while !current(&pronk) {
                    assert!(Instant::now() < deadline, "it takes a place");
                }
                assert!(is_silent(&client), "it is told nothing");
                drop(client);
                pronk.closed("service-down-immediate");
            }
            _ => {
                let mut client = connect(address);
                assert!(is_silent(&client), "it is refused when it wants a member");
                client.write_all(b"hello").unwrap();
                assert!(breaks(&mut client));
                pronk.closed("too-few-members-up");
            }
        }
    }
}

#[test]
fn disabled_virtual_server_lets_in_whoever_has_a_record() {
    let (pronk, address, _die) = front("", ", persistence: source_addr");
    let mut open = served(address);
    edit(&pronk, "pool: p,", "pool: p, state: disabled,");
    assert!(echoes(&mut open));
    assert!(echoes(&mut served(address)), "it has a record");
    let explained = |client: &str| String::from_utf8(pronk.command(&["explain", "vs", client]).stdout).unwrap();
    assert!(explained("127.0.0.1").contains("lets the client in for its persistence record"));
    assert!(explained("10.1.1.1").contains("has no persistence record: it is reset"));
    let shown = map(&pronk);
    assert!(shown.contains("disabled, lets in only clients with a persistence record"), "{shown}");
    assert!(pronk.command(&["persistence", "delete", "--all"]).status.success());
    assert!(is_refused(address));
    pronk.closed("virtual-server-disabled");
    assert!(echoes(&mut open), "what is open goes on");
}

/// A process that is killed loses its connections and its port one after the other, in any order.
#[test]
fn end_in_order_of_a_member_that_dies_is_told_as_its_death() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (member, port) = (listener.local_addr().unwrap(), free_port());
    let (die, dies) = channel::<()>();
    std::thread::spawn(move || {
        let (first, _) = listener.accept().unwrap();
        let mut open = vec![first];
        listener.set_nonblocking(true).unwrap();
        while dies.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            // The monitor's probes are closed at once.
            match listener.accept() {
                Ok((stream, _)) => open.push(stream),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
            for stream in &mut open {
                stream.set_nonblocking(true).unwrap();
                let mut bytes = [0; 5];
                if let Ok(count @ 1..) = stream.read(&mut bytes) {
                    stream.write_all(&bytes[..count]).unwrap();
                }
            }
        }
        drop(open);
        std::thread::sleep(Duration::from_millis(30));
    });
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ m: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ monitors: [quick], members: ['m:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
{QUICK}",
            member.port()
        )
    });
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    assert!(echoes(&mut client));
    let up = |pronk: &Pronk| String::from_utf8_lossy(&pronk.command(&["show", "map"]).stdout).contains("every monitor");
    let deadline = Instant::now() + PATIENCE;
    while !up(&pronk) {
        assert!(Instant::now() < deadline);
    }
    die.send(()).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    drop(client);
    let line = pronk.closed("member-gone");
    assert_eq!(line["close.detail"], "member-fin", "{line}");
}
