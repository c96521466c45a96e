//! Limits, the queue, pacing after a loss, persistence and explanations, as those see them who run pronk.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::peers::{connect, echo_member, is_refused, is_reset, member, reset, try_connect};

/// Members `m0`, `m1`, … that are threads, behind as many virtual servers as there are texts of further keys.
fn front<const N: usize>(
    members: &[SocketAddr],
    member_keys: &str,
    pool: &str,
    virtual_servers: [&str; N],
    sections: &str,
) -> (Pronk, [SocketAddr; N]) {
    let ports = virtual_servers.map(|_| free_port());
    let pronk = Pronk::start(|_| {
        let (mut nodes, mut names, mut servers) = (String::new(), Vec::new(), String::new());
        for (number, member) in members.iter().enumerate() {
            nodes += &format!("  m{number}: {{ address: {} }}\n", member.ip());
            names.push(format!("{{ member: 'm{number}:{}'{member_keys} }}", member.port()));
        }
        for (number, (keys, port)) in virtual_servers.iter().zip(ports).enumerate() {
            servers += &format!("  vs{number}: {{ destination: '127.0.0.1:{port}', pool: p{keys} }}\n");
        }
        let names = names.join(", ");
        format!("nodes:\n{nodes}pools:\n  p: {{ members: [{names}]{pool} }}\nvirtual-servers:\n{servers}{sections}")
    });
    (pronk, ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))))
}

/// A client that was answered.
fn served(address: SocketAddr) -> TcpStream {
    let mut client = asking(address);
    client.read_exact(&mut [0; 5]).unwrap();
    client
}

/// A client that is let in and has spoken.
fn asking(address: SocketAddr) -> TcpStream {
    let mut client = connect(address);
    client.write_all(b"hello").unwrap();
    client
}

fn breaks(mut client: TcpStream) -> bool {
    client.read(&mut [0]).is_err_and(|error| is_reset(&error))
}

/// What pronk prints.
fn printed(pronk: &Pronk, args: &[&str]) -> String {
    let output = pronk.command(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until so many connections are in the queue.
fn wait_until_queued(pronk: &Pronk, wanted: u64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let map: serde_json::Value = serde_json::from_str(&printed(pronk, &["show", "map", "--json"])).unwrap();
        let queued = &map["virtual_servers"][0]["pool"]["queued"];
        if queued == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{queued} wait, not {wanted}");
    }
}

const QUEUES: &str = ", queue-on-connection-limit: true";

#[test]
fn queue_serves_in_the_order_of_arrival() {
    let (pronk, [address]) = front(&[echo_member()], ", connection-limit: 1", QUEUES, [""], "");
    let holder = served(address);
    let mut waiting: Vec<_> = (1..=3)
        .map(|count| {
            let client = asking(address);
            wait_until_queued(&pronk, count);
            client
        })
        .collect();
    let map = printed(&pronk, &["show", "map"]);
    assert!(map.contains("3 connections wait"), "{map}");
    drop(holder);
    while !waiting.is_empty() {
        let mut first = waiting.remove(0);
        first.read_exact(&mut [0; 5]).unwrap();
        wait_until_queued(&pronk, waiting.len() as u64);
        for other in &waiting {
            other.set_nonblocking(true).unwrap();
            assert_eq!(other.peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "it is not its turn");
            other.set_nonblocking(false).unwrap();
        }
    }
    let record = pronk.logged("a wait", |line| line["ms_queue"].as_f64().is_some_and(|waited| waited > 0.0));
    assert_eq!(record["close.code"], "client-fin");
}

#[test]
fn client_that_resets_is_out_of_the_queue() {
    let (pronk, [address]) = front(&[echo_member()], ", connection-limit: 1", QUEUES, [""], "");
    let _holder = served(address);
    // What it sends and that it ends its side is no reason to let it go.
    for prepare in [|_: &TcpStream| {}, |client: &TcpStream| client.shutdown(Shutdown::Write).unwrap()] {
        let client = asking(address);
        wait_until_queued(&pronk, 1);
        (&client).write_all(b"more").unwrap();
        prepare(&client);
        reset(&client);
        drop(client);
        wait_until_queued(&pronk, 0);
    }
    pronk.closed("client-left-queue");
}

#[test]
fn client_that_ended_its_side_in_the_queue_gets_its_whole_answer() {
    let (pronk, [address]) = front(&[echo_member()], ", connection-limit: 1", QUEUES, [""], "");
    let holder = served(address);
    let mut client = asking(address);
    wait_until_queued(&pronk, 1);
    client.write_all(b" and more").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    drop(holder);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"hello and more");
}

#[test]
fn what_a_client_said_while_it_waited_reaches_the_member() {
    let (pronk, [address]) = front(&[echo_member()], ", connection-limit: 1", QUEUES, [""], "");
    let holder = served(address);
    let mut client = asking(address);
    wait_until_queued(&pronk, 1);
    client.write_all(b" and more").unwrap();
    drop(holder);
    let mut answer = [0; 14];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello and more");
}

#[test]
fn limit_of_a_node_holds_for_all_its_ports() {
    let (first, second) = (echo_member(), echo_member());
    let ports = [free_port(), free_port()];
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ n: {{ address: 127.0.0.1, connection-limit: 1 }} }}
pools:
  p0: {{ members: ['n:{}'] }}
  p1: {{ members: ['n:{}'], queue-on-connection-limit: true }}
virtual-servers:
  vs0: {{ destination: '127.0.0.1:{}', pool: p0 }}
  vs1: {{ destination: '127.0.0.1:{}', pool: p1 }}
",
            first.port(),
            second.port(),
            ports[0],
            ports[1]
        )
    });
    let [one, other] = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let holder = served(one);
    assert!(is_refused(one));
    let map = printed(&pronk, &["show", "map"]);
    assert!(map.contains("its node is at its connection limit of 1"), "{map}");
    let mut waits = asking(other);
    pronk.closed("no-member-below-limit");
    drop(holder);
    waits.read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn rates_are_limited_and_the_queue_spreads_them() {
    let (pronk, [address]) = front(&[echo_member()], "", "", [", rate-limit: 3"], "");
    let begun = Instant::now();
    let answers = [(); 4].map(|()| is_served(address));
    if begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(answers, [true, true, true, false]);
        pronk.closed("rate-limit");
    }
    let (_pronk, [address]) = front(&[echo_member()], ", rate-limit: 5", QUEUES, [""], "");
    let begun = Instant::now();
    let clients: Vec<_> = (0..11).map(|_| asking(address)).collect();
    for mut client in clients {
        client.read_exact(&mut [0; 5]).unwrap();
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2), "eleven at five in a second took {took:?}");
}

fn is_served(address: SocketAddr) -> bool {
    let asked = try_connect(address).and_then(|mut client| {
        client.write_all(b"hello")?;
        client.read_exact(&mut [0; 5])
    });
    asked.is_ok()
}

/// A member that tells when a connection begins, answers it when it is told to, and resets it at its second word.
fn slow_member() -> (SocketAddr, Receiver<std::sync::mpsc::Sender<()>>) {
    let (begin, begins) = channel();
    let begin = Mutex::new(begin);
    let address = member(move |mut stream| {
        let (answer, answers) = channel();
        let mut buffer = [0; 64];
        if !stream.read(&mut buffer).is_ok_and(|count| count > 0) {
            return;
        }
        // The test may have ended.
        let _ = begin.lock().send(answer);
        let _ = answers.recv();
        let _ = stream.write_all(b"hello");
        if stream.read(&mut buffer).is_ok_and(|count| count > 0) {
            reset(&stream);
        }
    });
    (address, begins)
}

#[test]
fn after_a_loss_few_connections_are_set_up_at_once() {
    let (slow, begins) = slow_member();
    let next = || begins.recv_timeout(PATIENCE).unwrap();
    let mortal = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listener = std::net::TcpListener::bind(mortal).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A probe says nothing.
            if stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(b"hello").and_then(|()| stream.read(&mut [0; 64]));
                break;
            }
        }
    });
    let monitors = "monitors: { calm: { type: tcp, interval: 1h, timeout: 4h } }\n";
    let (pronk, [address]) = front(&[slow, mortal], "", ", setup-limit: 2, monitors: [calm]", [""], monitors);
    for member in [format!("m0:{}", slow.port()), format!("m1:{}", mortal.port())] {
        pronk.logged("member is up", |line| line["message"] == "member is up" && line["member"] == member);
    }
    // They take turns.
    let mut first = asking(address);
    next().send(()).unwrap();
    first.read_exact(&mut [0; 5]).unwrap();
    let mut second = served(address);
    second.write_all(b"die").unwrap();
    pronk.logged("member is down", |line| line["message"] == "member is down");
    let clients: Vec<_> = (0..8).map(|_| asking(address)).collect();
    let mut set_up = vec![next(), next()];
    wait_until_queued(&pronk, 6);
    let explained = printed(&pronk, &["explain", "vs0", "127.0.0.1"]);
    assert!(explained.contains("members are spared after a loss"), "{explained}");
    assert!(explained.contains("queues behind 6 others"), "{explained}");
    for _ in 2..8 {
        assert!(begins.try_recv().is_err(), "a third is set up beside two");
        set_up.remove(0).send(()).unwrap();
        set_up.push(next());
    }
    set_up.into_iter().for_each(|answer| answer.send(()).unwrap());
    for mut client in clients {
        client.read_exact(&mut [0; 5]).unwrap();
    }
}

#[test]
fn without_a_loss_nobody_waits_to_be_set_up() {
    let (slow, begins) = slow_member();
    let (_pronk, [address]) = front(&[slow], "", ", setup-limit: 2", [""], "");
    // A connection that the member resets is none.
    let mut reset = asking(address);
    begins.recv_timeout(PATIENCE).unwrap().send(()).unwrap();
    reset.read_exact(&mut [0; 5]).unwrap();
    reset.write_all(b"die").unwrap();
    assert!(breaks(reset));
    let _clients: Vec<_> = (0..8).map(|_| asking(address)).collect();
    let all: Vec<_> = (0..8).map(|_| begins.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(all.len(), 8);
}

#[test]
fn too_few_members_up_take_no_connection() {
    let dead = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let quick = "monitors: { quick: { type: tcp, interval: 500ms, timeout: 3s } }\n";
    let (pronk, [address]) = front(&[echo_member(), dead], "", ", monitors: [quick], min-up-members: 2", [""], quick);
    pronk.logged("member is down", |line| line["message"] == "member is down" && line["member"].is_string());
    assert!(is_refused(address));
    pronk.closed("too-few-members-up");
    let map = printed(&pronk, &["show", "map"]);
    assert!(map.contains("1 members are up and 2 must be (min-up-members)"), "{map}");
}

#[test]
fn member_that_dies_under_a_connection_is_down_at_once() {
    let dying = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listener = std::net::TcpListener::bind(dying).unwrap();
    std::thread::spawn(move || {
        // Until a second client says so: the first is one that it has had enough of, and the probe says nothing.
        let mut clients = 0;
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"hello");
            clients += u32::from(stream.read(&mut [0; 64]).is_ok_and(|count| count > 0));
            if clients == 2 {
                drop(listener);
                return;
            }
        }
    });
    let slow = "monitors: { slow: { type: tcp, interval: 1h, timeout: 4h } }\n";
    let pool = ", monitors: [slow]";
    let members = [dying, echo_member()];
    let (pronk, [address]) = front(&members, "", pool, [""], slow);
    for (name, member) in ["m0", "m1"].into_iter().zip(members) {
        let name = format!("{name}:{}", member.port());
        pronk.logged("member is up", |line| line["message"] == "member is up" && line["member"] == name);
    }
    // They take turns: the first and the third are of the one that dies.
    let _clients = [(); 3].map(|()| served(address));
    pronk.logged("member is down", |line| line["message"] == "member is down");
    let mut other = served(address);
    assert!(other.write_all(b"hello").is_ok() && other.read_exact(&mut [0; 5]).is_ok());
}

/// Which of the members answers; each has a byte of its own.
fn who(address: SocketAddr) -> u8 {
    let mut client = connect(address);
    client.write_all(b"hello").unwrap();
    let mut answer = [0];
    client.read_exact(&mut answer).unwrap();
    answer[0]
}

fn named_members(count: u8) -> Vec<SocketAddr> {
    let named = |name: u8| {
        member(move |mut stream| {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(&[name]);
        })
    };
    (0..count).map(named).collect()
}

#[test]
fn hash_sends_a_client_to_the_same_member_by_every_pronk() {
    let members = named_members(3);
    // Nodes are known by their names, so each pronk has the same.
    let fronts: Vec<_> = (0..2).map(|_| front(&members, "", "", [", persistence: hash"], "")).collect();
    let answers: Vec<_> = fronts.iter().flat_map(|(_, [address])| (0..4).map(|_| who(*address))).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn records_are_shared_across_virtual_servers_that_say_so() {
    let profiles = "profiles:
  services: { type: source-addr, match-across-services: true }
  virtuals: { type: source-addr, match-across-virtuals: true }
";
    for (profile, shared) in [("source_addr", false), ("services", true), ("virtuals", true)] {
        let keys = format!(", persistence: {profile}");
        let (_pronk, [one, other]) = front(&named_members(2), "", "", [&keys, &keys], profiles);
        let first = who(one);
        let second = who(other);
        assert_eq!(first == second, shared, "{profile}: {first} and {second}");
        assert_eq!([who(one), who(other)], [first, second], "{profile}");
    }
}

#[test]
fn records_are_listed_deleted_and_explained() {
    let (pronk, [address]) = front(&named_members(3), "", "", [", persistence: source_addr"], "");
    let first = who(address);
    let listed = printed(&pronk, &["persistence", "list"]);
    assert!(listed.contains("127.0.0.1") && listed.contains(&format!("m{first}:")), "{listed}");
    assert!(listed.contains("1 records, 0 evicted"), "{listed}");
    let explained = printed(&pronk, &["explain", "vs0", "127.0.0.1"]);
    assert!(explained.contains(&format!("a record sends 127.0.0.1 to m{first}:")), "{explained}");
    assert!(explained.contains("s ago one went to") && explained.contains("the method"), "{explained}");
    assert_eq!(who(address), first);
    let none = printed(&pronk, &["persistence", "delete", "--client", "10.9.9.9"]);
    assert_eq!(none, "0 records deleted\n");
    let deleted = printed(&pronk, &["persistence", "delete", "--client", "127.0.0.1"]);
    assert_eq!(deleted, "1 records deleted\n");
    assert_ne!(who(address), first, "it is balanced anew");
    let refused = pronk.command(&["persistence", "delete"]);
    assert_eq!(refused.status.code(), Some(2), "what to delete must be said");
    let refused = pronk.command(&["explain", "vs9", "127.0.0.1"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there are: vs0"), "{refused:?}");
}

#[test]
fn persistence_may_waive_the_limit_of_a_member() {
    let profiles = "profiles: { waives: { type: source-addr, override-connection-limit: true } }\n";
    for (profile, waived) in [("source_addr", false), ("waives", true)] {
        let keys = format!(", persistence: {profile}");
        let (_pronk, [address]) = front(&[echo_member()], ", connection-limit: 1", "", [&keys], profiles);
        let _holder = served(address);
        assert_eq!(is_served(address), waived, "{profile}");
    }
}

#[test]
fn cancel_affinity_takes_the_second_connection_along() {
    let pool = ", load-balancing-mode: least-connections-node";
    let (pronk, [with, without]) = front(&named_members(3), "", pool, [", cancel-affinity: true", ""], "");
    let answers: Vec<_> = (0..4).map(|_| who(with)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_ne!(who(without), who(without));
    let explained = printed(&pronk, &["explain", "vs0", "127.0.0.1"]);
    assert!(explained.contains("profile cancel_affinity"), "{explained}");
}

#[test]
fn crowd_at_a_limit_is_served_to_the_last() {
    let (pronk, [address]) = front(&[echo_member(), echo_member()], ", connection-limit: 2", QUEUES, [""], "");
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| (0..25).for_each(|_| drop(served(address))));
        }
    });
    let stats = pronk.stats();
    let row = &stats["pools"][0];
    assert_eq!(row["connections"]["total"], 500);
    for member in row["members"].as_array().unwrap() {
        assert!(member["connections"]["maximum"].as_u64().unwrap() <= 2, "{member}");
    }
}
