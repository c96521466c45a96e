//! The list of open connections, and ending some of them: by `pronk kill`, by `pronk drain`, by `pronk stop`.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::codes::front::{Front, Running};
use crate::lb::{Pronk, done, free_port, refused, until};
use crate::peers::{connect, echo_member, echoes, is_reset, member, read_all, reset, wait_for_end};
use crate::support::tls::showing;
use crate::tls_peers::tls_member;

/// The open connections that match these options.
fn listed(pronk: &Pronk, options: &[&str]) -> Vec<Value> {
    let listed = asked(pronk, options);
    assert_eq!(listed["total"], listed["connections"].as_array().unwrap().len(), "{listed}");
    listed["connections"].as_array().unwrap().clone()
}

fn asked(pronk: &Pronk, options: &[&str]) -> Value {
    serde_json::from_str(&done(pronk, &[&["show", "connections", "--json"], options].concat())).unwrap()
}

/// Waits until the only connection is in this phase, and returns it.
fn in_phase(pronk: &Pronk, phase: &str) -> Value {
    let mut found = Value::Null;
    until(phase, || {
        found = listed(pronk, &[]).pop().unwrap_or_default();
        found["phase"] == phase
    });
    found
}

/// A member that tells how each of its connections ended.
fn watching_member() -> (SocketAddr, mpsc::Receiver<(SocketAddr, std::io::Result<()>)>) {
    let (ended, ends) = mpsc::channel();
    let address = member(move |mut stream| {
        let (peer, mut byte) = (stream.peer_addr().unwrap(), [0]);
        let end = loop {
            match stream.read(&mut byte) {
                Ok(0) => break Ok(()),
                Ok(_) => drop(stream.write_all(&byte)),
                Err(error) => break Err(error),
            }
        };
        let _ = ended.send((peer, end));
    });
    (address, ends)
}

#[track_caller]
fn sees_reset(client: &mut impl Read) {
    let end = read_all(client).1;
    assert!(end.as_ref().is_err_and(is_reset), "{end:?}");
}

#[test]
fn list_tells_who_is_connected_where_and_exactly_how_many_bytes_passed() {
    let (member, ends) = watching_member();
    let running = Front::before(member).start();
    let mut client = running.client();
    let silent = in_phase(&running.pronk, "first-byte");
    assert_eq!((&silent["member"], &silent["bytes_in"]), (&Value::Null, &0.into()), "{silent}");
    client.write_all(b"hello").and_then(|()| client.read_exact(&mut [0; 5])).unwrap();
    let one = in_phase(&running.pronk, "relay");
    assert_eq!((&one["bytes_in"], &one["bytes_out"]), (&5.into(), &5.into()), "{one}");
    assert_eq!(one["client"], client.local_addr().unwrap().to_string());
    assert_eq!(one["member_address"], member.to_string());
    assert_eq!((&one["pool"], &one["member"]), (&"p".into(), &format!("a:{}", member.port()).into()));
    assert_eq!((&one["client_tls"], &one["awaits_answer"]), (&Value::Null, &false.into()));
    assert!(one["age"].as_f64().unwrap() >= one["idle"].as_f64().unwrap());
    let many = vec![7; 3_000_000];
    let mut reader = client.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| client.write_all(&many).unwrap());
        reader.read_exact(&mut vec![0; many.len()]).unwrap();
    });
    until("all bytes are counted", || listed(&running.pronk, &[])[0]["bytes_out"] == 3_000_005);
    let last = listed(&running.pronk, &[]).remove(0);
    assert_eq!((&last["bytes_in"], &last["id"]), (&3_000_005.into(), &one["id"]));
    drop((client, reader));
    let (peer, _) = ends.recv().unwrap();
    assert_eq!(last["local_address"], peer.to_string(), "as the member sees it");
    let record = running.pronk.closed("client-fin");
    assert_eq!((&record["connection_id"], &record["bytes_in"]), (&last["id"], &last["bytes_in"]));
    assert!(listed(&running.pronk, &[]).is_empty(), "one that has ended is not listed");
}

#[test]
fn list_tells_tls_of_both_sides() {
    let front = Front::new();
    let member = tls_member(showing(&front.node_certificate()), |mut stream| wait_for_end(&mut stream));
    let running = front.member(member, "").client_ssl("").server_ssl("").start();
    let mut client = running.tls_client();
    client.write_all(b"hello").unwrap();
    let one = in_phase(&running.pronk, "relay");
    assert_eq!((&one["client_tls"]["version"], &one["member_tls"]["version"]), (&"TLS 1.3".into(), &"TLS 1.3".into()));
    assert!(one["member_tls"]["cipher"].as_str().unwrap().starts_with("TLS_"), "{one}");
    until("a request is under way", || listed(&running.pronk, &[])[0]["awaits_answer"] == true);
    let text = done(&running.pronk, &["show", "connections"]);
    assert!(
        text.contains("1.3 ") && text.contains("relay, in a request") && text.ends_with("\n1 connection\n"),
        "{text}"
    );
}

#[test]
fn list_is_filtered_sorted_and_cut() {
    let running = Front::before(echo_member()).virtual_server("source: [127.0.0.0/8]").start();
    let pronk = &running.pronk;
    let mut clients = ["127.0.0.2", "127.0.0.3", "127.0.0.4"].map(|ip| {
        let mut client = running.client_from(ip);
        assert!(echoes(&mut client));
        client
    });
    assert!(echoes(&mut clients[1]));
    let from = |options: &[&str]| {
        let found = asked(pronk, options);
        let rows = found["connections"].as_array().unwrap().iter();
        rows.map(|row| row["client"].as_str().unwrap().split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(from(&[]), ["127.0.0.2", "127.0.0.3", "127.0.0.4"], "the oldest first");
    assert_eq!(from(&["--client", "127.0.0.2/31"]), ["127.0.0.2", "127.0.0.3"]);
    assert_eq!(from(&["--client", "::ffff:127.0.0.4"]), ["127.0.0.4"]);
    assert_eq!(from(&["--sort", "bytes", "--limit", "1"]), ["127.0.0.3"]);
    assert_eq!(from(&["--sort", "idle", "--limit", "1"]), ["127.0.0.2"]);
    assert_eq!(from(&["--vs", "vs", "--node", "a", "--pool", "p"]).len(), 3);
    let id = listed(pronk, &["--client", "127.0.0.3"])[0]["id"].to_string();
    assert_eq!(from(&["--connection", &id]), ["127.0.0.3"]);
    assert_eq!(asked(pronk, &["--limit", "2"])["total"], 3);
    assert!(done(pronk, &["show", "connections", "--limit", "2"]).contains("2 of 3 connections"));
    for (options, expected) in [
        (["--vs", "vss"], "there is no virtual server `vss`; did you mean `vs`?"),
        (["--node", "b"], "there is no node `b`"),
        (["--member", "a"], "a member is `node:port` or `pool/node:port`, found `a`"),
        (["--client", "somebody"], "a client is an IP address or a network such as 10.1.0.0/16, found `somebody`"),
    ] {
        let why = refused(pronk, &[&["show", "connections"][..], &options].concat());
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn top_clients_of_a_member_are_told() {
    let running = Front::new().member(echo_member(), "connection-limit: 9").start();
    let _clients = ["127.0.0.2", "127.0.0.3", "127.0.0.3"].map(|ip| {
        let mut client = running.client_from(ip);
        assert!(echoes(&mut client));
        client
    });
    let top: Value = serde_json::from_str(&done(&running.pronk, &["show", "connections", "--top", "--json"])).unwrap();
    let member = &top["members"][0];
    assert_eq!((&member["connections"], &member["connection_limit"]), (&3.into(), &9.into()), "{top}");
    let first = &member["clients"][0];
    assert_eq!((&first["client"], &first["connections"]), (&"127.0.0.3".into(), &2.into()));
    assert_eq!((&first["bytes_in"], &first["bytes_out"]), (&10.into(), &10.into()));
    let text = done(&running.pronk, &["show", "connections", "--top", "--limit", "1"]);
    assert!(
        text.contains(": 3 connections; its connection-limit is 9\n") && text.contains("and 1 more clients"),
        "{text}"
    );
}

/// The connection, which is in this phase, is killed: its client is reset, and the log tells of it.
#[track_caller]
fn is_killed_in(running: &Running, phase: &str, client: &mut impl Read) {
    let connection = in_phase(&running.pronk, phase);
    let id = connection["id"].to_string();
    let which = ["kill", "--connection", &id, "--vs", "vs", "--reason", "in the way"];
    assert_eq!(done(&running.pronk, &[&which[..], &["--dry-run"]].concat()), "1 connection would be ended\n");
    assert_eq!(listed(&running.pronk, &[]).len(), 1);
    assert_eq!(done(&running.pronk, &which), "1 connection ended\n");
    sees_reset(client);
    let record = running.pronk.closed("killed");
    let detail = record["close.detail"].as_str().unwrap();
    assert!(detail.contains(": in the way (phase ") && detail.contains(&format!("phase {phase}")), "{detail}");
    assert!(listed(&running.pronk, &[]).is_empty());
    assert_eq!(running.pronk.stats()["virtual_servers"][0]["connections"]["current"], 0);
}

#[test]
fn client_in_its_handshake_is_killed() {
    let running = Front::before(echo_member()).client_ssl("").start();
    let mut client = running.client();
    is_killed_in(&running, "client-tls", &mut client);
}

#[test]
fn client_that_has_said_nothing_is_killed() {
    let running = Front::before(echo_member()).start();
    let mut client = running.client();
    is_killed_in(&running, "first-byte", &mut client);
}

#[test]
fn client_that_waits_in_the_queue_is_killed_and_the_others_stay() {
    let running =
        Front::new().member(echo_member(), "connection-limit: 1").pool("queue-on-connection-limit: true").start();
    let mut holder = running.served();
    let mut waiting = running.asking();
    until("it waits", || listed(&running.pronk, &[]).iter().any(|it| it["phase"] == "queue"));
    let address = waiting.local_addr().unwrap();
    let id =
        listed(&running.pronk, &[]).iter().find(|it| it["client"] == address.to_string()).unwrap()["id"].to_string();
    assert_eq!(done(&running.pronk, &["kill", "--connection", &id]), "1 connection ended\n");
    sees_reset(&mut waiting);
    assert!(running.pronk.closed("killed")["close.detail"].as_str().unwrap().ends_with("(phase queue)"));
    assert!(echoes(&mut holder));
    drop(holder);
    running.served();
}

#[test]
fn connection_that_the_member_has_not_accepted_yet_is_killed() {
    // Its queue of connections is full, so that the kernel answers no more.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _full = TcpStream::connect(address).unwrap();
    let running = Front::before(address).protocol("connect-timeout: 60s").start();
    let mut client = running.asking();
    is_killed_in(&running, "connect", &mut client);
}

#[test]
fn connection_in_the_handshake_with_its_member_is_killed_on_both_sides() {
    let (member, ends) = watching_member_that_only_reads();
    let running = Front::before(member).server_ssl("").start();
    let mut client = running.asking();
    is_killed_in(&running, "member-tls", &mut client);
    assert_eq!(ends.recv().unwrap().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

fn watching_member_that_only_reads() -> (SocketAddr, mpsc::Receiver<std::io::Result<()>>) {
    let (ended, ends) = mpsc::channel();
    let address = member(move |mut stream| {
        let _ = ended.send(read_all(&mut stream).1);
    });
    (address, ends)
}

#[test]
fn connection_that_passes_bytes_is_killed_on_both_sides() {
    let (member, ends) = watching_member();
    let running = Front::before(member).start();
    let mut client = running.served();
    is_killed_in(&running, "relay", &mut client);
    assert_eq!(ends.recv().unwrap().1.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn connection_that_is_held_in_silence_is_killed() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let running = Front::before(nobody).monitored().virtual_server("service-down-immediate-action: drop").start();
    running.member_is_down();
    let mut client = running.client();
    is_killed_in(&running, "held", &mut client);
}

#[test]
fn kill_needs_to_be_told_which_connections() {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    assert!(refused(&running.pronk, &["kill"]).contains("name the connections: "));
    assert!(refused(&running.pronk, &["kill", "--vs", "v"]).contains("there is no virtual server `v`"));
    assert_eq!(done(&running.pronk, &["kill", "--client", "10.0.0.0/8"]), "0 connections ended\n");
    assert!(echoes(&mut client));
}

/// A command that goes on beside the test.
struct Beside {
    child: Child,
    out: BufReader<ChildStdout>,
    said: String,
}

impl Beside {
    fn start(pronk: &Pronk, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pronk"))
            .args(args)
            .env("PRONK_ADMIN_SOCKET", pronk.folder.path().join("admin.sock"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, said: String::new() }
    }

    /// Waits until it has said this.
    fn says(&mut self, wanted: &str) {
        while !self.said.contains(wanted) {
            assert!(self.out.read_line(&mut self.said).unwrap() > 0, "it never says {wanted}: {}", self.said);
        }
    }

    /// What it has said until its end, and its exit code.
    fn ended(mut self) -> (String, Option<i32>) {
        self.out.read_to_string(&mut self.said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut self.said).unwrap();
        (self.said, self.child.wait().unwrap().code())
    }
}

/// A front before two members, of which the first is to be drained.
struct Drained {
    running: Running,
    first: String,
}

impl Drained {
    fn new() -> Self {
        let [first, second] = [echo_member(), echo_member()];
        let running = Front::new().member(first, "").member(second, "").pool("slow-ramp-time: 0").start();
        Self { running, first: format!("p/a:{}", first.port()) }
    }

    /// A client of the first member, which was answered.
    fn client(&self) -> TcpStream {
        loop {
            let client = self.running.served();
            let address = client.local_addr().unwrap().to_string();
            if listed(&self.running.pronk, &["--member", &self.first]).iter().any(|it| it["client"] == address) {
                return client;
            }
        }
    }

    /// Begins to drain the member, which has one connection.
    fn start(&self, options: &[&str]) -> Beside {
        let mut drain = Beside::start(&self.running.pronk, &[&["drain", "member", &self.first][..], options].concat());
        drain.says("1 connection left; the oldest is ");
        drain
    }

    fn left(&self) -> usize {
        listed(&self.running.pronk, &["--member", &self.first]).len()
    }
}

#[test]
fn drain_ends_by_itself_when_the_last_connection_has_ended() {
    let drained = Drained::new();
    let mut client = drained.client();
    let drain = drained.start(&["--reason", "new disk"]);
    let pronk = &drained.running.pronk;
    until("the map tells", || {
        done(pronk, &["show", "map"]).contains(&format!("member {}  drained by ", drained.first))
    });
    assert!(done(pronk, &["state", "show"]).contains("1 connection left, the oldest "));
    for _ in 0..4 {
        drop(drained.running.served());
    }
    assert!(echoes(&mut client), "an open connection goes on");
    assert_eq!(drained.left(), 1, "no new one comes");
    drop(client);
    let (said, code) = drain.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("1 connection left; the oldest is ") && said.ends_with("is drained: no connection is left\n"),
        "{said}"
    );
    let shown = done(pronk, &["state", "show"]);
    assert!(shown.contains("forced-offline") && !shown.contains("drained by"), "it stays offline: {shown}");
}

#[test]
fn deadline_of_a_drain_holds_though_its_command_is_gone() {
    let drained = Drained::new();
    let mut client = drained.client();
    let mut drain = drained.start(&["--deadline", "3s", "--reason", "new disk"]);
    drain.child.kill().unwrap();
    drain.child.wait().unwrap();
    assert!(echoes(&mut client), "not before the deadline");
    sees_reset(&mut client);
    let record = drained.running.pronk.closed("drain-deadline");
    let detail = record["close.detail"].as_str().unwrap();
    assert!(detail.contains(&format!("drains member {}: new disk; the deadline is over", drained.first)), "{detail}");
}

#[test]
fn drain_of_idle_connections_leaves_those_in_a_request() {
    let [quiet, slow] = [
        echo_member(),
        member(|mut stream| {
            let mut first = [0; 5];
            stream.read_exact(&mut first).unwrap();
            stream.write_all(&first).unwrap();
            // The second request is never answered.
            wait_for_end(&mut stream);
        }),
    ];
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }}, q: {{ members: ['a:{}'] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{port}', pool: p }}
  other: {{ destination: '127.0.0.2:{port}', pool: q }}
",
            quiet.port(),
            slow.port()
        )
    });
    let [mut idle, mut busy] = ["127.0.0.1", "127.0.0.2"].map(|ip| {
        let mut client = connect(SocketAddr::new(ip.parse().unwrap(), port));
        assert!(echoes(&mut client));
        client
    });
    busy.write_all(b"long").unwrap();
    until("a request is under way", || listed(&pronk, &["--vs", "other"])[0]["awaits_answer"] == true);
    let drain = Beside::start(&pronk, &["drain", "node", "a", "--idle-only", "--idle-for", "2s"]);
    sees_reset(&mut idle);
    assert!(pronk.closed("drain-idle")["close.detail"].as_str().unwrap().contains("drains node a; it was idle for 2s"));
    until("the other was idle for as long", || listed(&pronk, &["--vs", "other"])[0]["idle"].as_f64() > Some(3.0));
    assert_eq!(listed(&pronk, &[]).len(), 1, "the busy one goes on");
    drop(busy);
    assert_eq!(drain.ended().1, Some(0));
}

#[test]
fn drain_is_given_up_when_the_member_is_enabled_or_on_ctrl_c() {
    let drained = Drained::new();
    let pronk = &drained.running.pronk;
    let mut client = drained.client();
    let drain = drained.start(&["--deadline", "1h"]);
    done(pronk, &["enable", "member", &drained.first]);
    let (said, code) = drain.ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is in service again"), "{said}");
    assert!(!done(pronk, &["state", "show"]).contains("drained by"));
    let drain = drained.start(&["--deadline", "1h", "--reason", "new disk"]);
    assert!(Command::new("kill").args(["-s", "INT", &drain.child.id().to_string()]).status().unwrap().success());
    let (said, code) = drain.ended();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("stays forced offline with 1 connection left; pronk ends them in "), "{said}");
    assert!(said.contains(&format!("pronk enable member {}\n", drained.first)), "{said}");
    assert!(said.contains("s --reason 'new disk'\n"), "the command to go on: {said}");
    assert!(done(pronk, &["state", "show"]).contains("drained by"), "pronk goes on with it");
    assert!(echoes(&mut client));
}

#[test]
fn virtual_server_is_drained_with_its_silent_clients() {
    let running = Front::before(echo_member()).start();
    let mut silent = running.client();
    in_phase(&running.pronk, "first-byte");
    let said = done(&running.pronk, &["drain", "vs", "vs", "--deadline", "0"]);
    assert!(said.ends_with("virtual-server vs is drained: no connection is left\n"), "{said}");
    sees_reset(&mut silent);
    assert!(TcpStream::connect(running.address).is_err(), "nobody listens");
}

#[test]
fn stop_waits_until_the_process_has_ended_and_shows_what_is_left() {
    let running = Front::before(echo_member()).start();
    let mut client = running.served();
    let stop = Beside::start(&running.pronk, &["stop"]);
    running.pronk.logged("draining", |line| line["message"] == "draining");
    assert!(echoes(&mut client));
    drop(client);
    let (said, code) = stop.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stops, with 1 connection left") && said.ends_with("has ended\n"), "{said}");
    let mut pronk = running.pronk;
    assert!(pronk.ended().success());
}

#[test]
fn stop_takes_another_drain_time_and_ends_a_drain_at_once() {
    let running = Front::before(echo_member()).drain_timeout(3600).start();
    let mut client = running.served();
    done(&running.pronk, &["stop", "--no-wait"]);
    running.pronk.logged("draining", |line| line["limit_s"].as_u64() >= Some(3500));
    done(&running.pronk, &["stop", "--drain-timeout", "0"]);
    sees_reset(&mut client);
    let mut pronk = running.pronk;
    assert!(pronk.ended().success());
    for drains_already in [false, true] {
        let running = Front::before(echo_member()).drain_timeout(3600).start();
        let mut client = running.served();
        if drains_already {
            done(&running.pronk, &["stop", "--no-wait"]);
            running.pronk.logged("draining", |line| line["message"] == "draining");
        }
        let said = done(&running.pronk, &["stop", "--drain-timeout", "1s"]);
        assert!(said.contains("draining: 1 connection left") && said.ends_with("has ended\n"), "{said}");
        sees_reset(&mut client);
        running.pronk.closed("drained");
    }
}

/// A virtual server for IPv4 and IPv6, with these keys.
fn dual_stack(member: SocketAddr, port: u16, keys: &str) -> String {
    format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '*:{port}', pool: p, {keys} }} }}
",
        member.port()
    )
}

#[test]
fn limits_for_each_client_count_what_is_open_already_and_ipv4_is_ipv4() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|_| dual_stack(member, port, ""));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut open = [(); 2].map(|()| {
        let mut client = connect(address);
        assert!(echoes(&mut client));
        client
    });
    let reload = |keys: &str| {
        std::fs::write(pronk.folder.path().join("pronk.yaml"), dual_stack(member, port, keys)).unwrap();
        done(&pronk, &["reload"]);
    };
    reload("client-connection-limit: 2");
    let explained = done(&pronk, &["explain", "vs", "127.0.0.1"]);
    assert!(explained.contains("127.0.0.1 has 2 connections of its limit of 2 for each client"), "{explained}");
    assert!(crate::peers::is_refused(address), "the two that are open count");
    pronk.closed("client-connection-limit");
    let mut v6 = connect(SocketAddr::new("::1".parse().unwrap(), port));
    assert!(echoes(&mut v6), "another client");
    let [first, _] = &mut open;
    first.shutdown(std::net::Shutdown::Both).unwrap();
    until("there is room again", || TcpStream::connect(address).is_ok_and(|mut client| echoes(&mut client)));
    reload("client-connection-limit: 2, client-limit-mask: 255.0.0.0");
    until("the whole network is one client", || {
        let mut clients = Vec::new();
        for ip in ["127.0.0.5", "127.0.0.6", "127.0.0.7"] {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.bind(&SocketAddr::new(ip.parse().unwrap(), 0).into()).unwrap();
            socket.connect(&address.into()).unwrap();
            let mut client = TcpStream::from(socket);
            clients.push((echoes(&mut client), client));
        }
        clients.iter().filter(|(served, _)| *served).count() == 1
    });
}

/// Clients of four addresses come, go, reset and wait in random orders, and some are killed: no client ever has more
/// connections than its limit, and nothing is left behind that would count as one.
#[test]
fn connections_that_come_and_go_and_are_killed_leave_nothing_behind() {
    const LIMIT: usize = 3;
    let keys = format!("client-connection-limit: {LIMIT}");
    let running = Front::new()
        .member(echo_member(), "connection-limit: 6")
        .pool("queue-on-connection-limit: true")
        .virtual_server(&keys)
        .start();
    let addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
    let is_over = AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let clients = addresses.map(|ip| {
            let (running, is_over) = (&running, &is_over);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(ip.len() as u64 + u64::from(ip.as_bytes()[8]));
                let (mut open, mut most): (Vec<TcpStream>, usize) = (Vec::new(), 0);
                while !is_over.load(Ordering::SeqCst) {
                    if open.len() < LIMIT + 1 && random.u8(..3) > 0 {
                        let mut client = running.client_from(ip);
                        // It may have to wait for a place, and somebody must go meanwhile.
                        client.set_read_timeout(Some(Duration::from_millis(random.u64(1..50)))).unwrap();
                        if random.u8(..4) == 0 || echoes(&mut client) {
                            open.push(client);
                        }
                    } else if !open.is_empty() {
                        let client = open.swap_remove(random.usize(..open.len()));
                        if random.bool() {
                            reset(&client);
                        }
                    }
                    // Those that answer before and after this moment are connections at this moment.
                    let [before, after]: [Vec<_>; 2] = [(); 2].map(|()| open.iter_mut().map(echoes).collect());
                    let answering = before.iter().zip(after).filter(|(before, after)| **before && *after).count();
                    most = most.max(answering);
                }
                most
            })
        });
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..60 {
            let ip = *random.choice(&addresses).unwrap();
            let all = [["--client", ip], ["--node", "a"], ["--client", "127.0.0.4/31"]];
            done(&running.pronk, &[&["kill"][..], random.choice(&all).unwrap()].concat());
            listed_anyhow(&running.pronk);
        }
        is_over.store(true, Ordering::SeqCst);
        clients.map(|client| client.join().unwrap())
    });
    assert!(most.iter().all(|most| *most <= LIMIT), "{most:?}");
    assert!(most.iter().any(|most| *most > 1), "they were hardly ever there: {most:?}");
    until("all have ended", || listed(&running.pronk, &[]).is_empty());
    let stats = running.pronk.stats();
    for row in [&stats["virtual_servers"][0], &stats["pools"][0]] {
        assert_eq!(row["connections"]["current"], 0, "{stats}");
    }
    let mut open: Vec<_> = (0..LIMIT).map(|_| running.client_from("127.0.0.2")).collect();
    assert!(open.iter_mut().all(echoes), "the limit is whole again");
    assert!(!echoes(&mut running.client_from("127.0.0.2")));
}

/// Lists the connections while others end.
fn listed_anyhow(pronk: &Pronk) {
    let listed = asked(pronk, &["--sort", "idle"]);
    assert!(listed["connections"].as_array().unwrap().len() <= listed["total"].as_u64().unwrap() as usize);
}
