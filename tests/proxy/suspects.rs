//! A member that hangs: who waits for it, for how long, and what pronk says of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::lb::{PATIENCE, Pronk, free_port, until};
use crate::peers::{connect, member, read_all, reset};
use crate::support::ca::Authority;
use crate::support::tls::showing;

/// Long enough that a busy machine does not take so long for anything else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How a member hangs.
#[derive(Clone, Copy, Debug)]
enum Hang {
    /// As a process under SIGSTOP: the kernel takes connections, and nobody answers in TLS.
    Stopped,
    /// Packets are dropped: the queue of the port is full.
    Dropped,
}

/// Answers every connection with `name`, in TLS where there is some.
fn serve(listener: &TcpListener, name: u8, tls: Option<&Arc<ServerConfig>>) {
    for mut stream in listener.incoming().flatten() {
        let tls = tls.cloned();
        std::thread::spawn(move || {
            let _ = match tls {
                Some(tls) => answer(&mut StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), name),
                None => answer(&mut stream, name),
            };
        });
    }
}

fn answer(stream: &mut (impl Read + Write), name: u8) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 5])?;
    stream.write_all(&[name])?;
    stream.flush()?;
    stream.read(&mut [0]).map(drop)
}

/// A member that hangs until it is told to serve.
fn hanging(hang: Hang, name: u8, tls: Option<Arc<ServerConfig>>) -> (SocketAddr, Sender<()>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(if matches!(hang, Hang::Dropped) { 0 } else { 128 }).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let (go_on, goes_on) = channel();
    let fill = matches!(hang, Hang::Dropped).then(|| TcpStream::connect(address).unwrap());
    std::thread::spawn(move || {
        if goes_on.recv().is_ok() {
            drop(fill);
            serve(&listener, name, tls.as_ref());
        }
    });
    (address, go_on)
}

fn serving(name: u8, tls: Option<Arc<ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || serve(&listener, name, tls.as_ref()));
    address
}

/// Which member answers a new session, and after how long.
fn session(address: SocketAddr) -> (u8, Duration) {
    let begun = Instant::now();
    let mut client = connect(address);
    let mut name = [0];
    client.write_all(b"hello").and_then(|()| client.read_exact(&mut name)).unwrap();
    (name[0], begun.elapsed())
}

fn map(pronk: &Pronk) -> String {
    String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap()
}

fn lines(pronk: &Pronk, message: &str) -> usize {
    pronk.log().iter().filter(|line| line["message"] == message).count()
}

const SUSPECT: &str = "member is suspect: others are tried first";

#[test]
fn member_that_hangs_keeps_each_session_waiting_once_and_none_once_it_is_suspect() {
    let authority = Authority::new("cluster");
    let leaf = authority.issue("n1.example.test").dns("n1.example.test").build();
    for hang in [Hang::Stopped, Hang::Dropped] {
        let tls = matches!(hang, Hang::Stopped).then(|| showing(&leaf));
        let server_ssl = if tls.is_some() { ", server-ssl: serverssl-insecure-compatible" } else { "" };
        let monitor = if tls.is_some() { "tls" } else { "tcp" };
        let (hanging, go_on) = hanging(hang, b'h', tls.clone());
        let (good, port) = (serving(b'g', tls), free_port());
        // Its probes never take it down, so nothing else helps.
        let pronk = Pronk::start(|_| {
            format!(
                "nodes: {{ h: {{ address: 127.0.0.1 }}, g: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ monitors: [m], slow-ramp-time: 0, members: ['h:{}', 'g:{}'] }} }}
monitors: {{ m: {{ type: {monitor}, interval: 1s, timeout: 1h }} }}
profiles: {{ quick: {{ type: tcp, connect-timeout: {}s }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: quick{server_ssl} }} }}
",
                hanging.port(),
                good.port(),
                CONNECT_TIMEOUT.as_secs(),
            )
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port));

        let first: Vec<_> = (0..8).map(|_| std::thread::spawn(move || session(address))).collect();
        let first: Vec<_> = first.into_iter().map(|session| session.join().unwrap()).collect();
        assert!(first.iter().all(|(name, _)| *name == b'g'), "{hang:?}: {first:?}");
        assert!(first.iter().any(|(_, waited)| *waited >= CONNECT_TIMEOUT), "nobody met it: {first:?}");
        assert!(first.iter().all(|(_, waited)| *waited < 2 * CONNECT_TIMEOUT), "{hang:?}: {first:?}");
        pronk.logged(SUSPECT, |line| line["message"] == SUSPECT && line["pool"] == "p");

        let then: Vec<_> = (0..30).map(|_| session(address)).collect();
        assert!(then.iter().all(|(name, waited)| *name == b'g' && *waited < CONNECT_TIMEOUT), "{hang:?}: {then:?}");
        let told = map(&pronk);
        assert!(told.contains("suspect, so others are tried first ("), "{told}");
        let explained = String::from_utf8(pronk.command(&["explain", "vs", "127.0.0.1"]).stdout).unwrap();
        assert!(explained.contains("cannot: it is suspect, and others are tried first ("), "{explained}");
        assert_eq!(lines(&pronk, SUSPECT), 1, "{hang:?}");

        go_on.send(()).unwrap();
        let answers = "suspect member answers again";
        pronk.logged(answers, |line| line["message"] == answers);
        let deadline = Instant::now() + PATIENCE;
        while session(address).0 != b'h' {
            assert!(Instant::now() < deadline, "{hang:?}: it never serves again");
        }
        until("the map says nothing of it", || !map(&pronk).contains("suspect"));
        assert_eq!(lines(&pronk, answers), 1, "{hang:?}");
    }
}

/// What clients of Impala open their sessions with; all that a daemon answers before a query.
fn openings() -> Vec<(&'static str, Vec<u8>)> {
    let thrift = |method: &str| {
        let head = [&b"\x80\x01\x00\x01"[..], &(method.len() as u32).to_be_bytes(), method.as_bytes()].concat();
        [&head[..], b"\0\0\0\0\0"].concat()
    };
    let http = [b"POST /cliservice HTTP/1.1\r\nHost: n\r\n\r\n", &thrift("OpenSession")[..]].concat();
    let sasl = |mechanism: &[u8], token: &[u8]| {
        let message = |status, text: &[u8]| [&[status][..], &(text.len() as u32).to_be_bytes(), text].concat();
        [message(1, mechanism), message(2, token)].concat()
    };
    vec![
        ("HiveServer2", thrift("OpenSession")),
        ("Beeswax", thrift("PingImpalaService")),
        ("HiveServer2 over HTTP", http),
        ("LDAP", sasl(b"PLAIN", b"\0user\0password")),
        ("Kerberos with many groups", sasl(b"GSSAPI", &[7; 12_000])),
        ("TLS that passes through", [b"\x16\x03\x01\x02\x00\x01", &[7; 511][..]].concat()),
    ]
}

/// A member that answers its name to an opening, while it is not stopped. As of a process under SIGSTOP, the kernel takes
/// its connections all the same.
struct Daemon {
    address: SocketAddr,
    stopped: Arc<(Mutex<bool>, Condvar)>,
}

impl Daemon {
    fn answering(name: u8, opening: &[u8], after: Duration) -> Self {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let (opening, gate) = (opening.to_vec(), Arc::clone(&stopped));
        let address = member(move |mut stream| {
            let goes_on = || {
                gate.1.wait_while_for(&mut gate.0.lock(), |stopped| *stopped, PATIENCE);
            };
            let mut received = vec![0; opening.len()];
            goes_on();
            if stream.read_exact(&mut received).is_ok() {
                std::thread::sleep(after);
                goes_on();
                let name = if received == opening { name } else { b'?' };
                let _ = stream.write_all(&[name]).and_then(|()| stream.read(&mut [0]));
            }
        });
        Self { address, stopped }
    }

    fn set_stopped(&self, is_stopped: bool) {
        *self.stopped.0.lock() = is_stopped;
        self.stopped.1.notify_all();
    }
}

/// pronk before members called `a`, `b` and so on, whose monitors find nothing.
fn before(members: &[SocketAddr], pool: &str, more: &str) -> (Pronk, SocketAddr) {
    let (names, port) = (["a", "b", "c"], free_port());
    let nodes: Vec<_> = names.iter().map(|name| format!("{name}: {{ address: 127.0.0.1 }}")).collect();
    let listed = names.iter().zip(members).map(|(name, at)| format!("'{name}:{}'", at.port()));
    let listed: Vec<_> = listed.collect();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ {} }}
pools: {{ p: {{ slow-ramp-time: 0, members: [{}]{pool} }} }}
monitors: {{ silent: {{ type: tcp, interval: 1s, timeout: 1h }}, passive: {{ type: inband, failures: 1 }} }}
profiles: {{ quick: {{ type: tcp, connect-timeout: {}s }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: quick{more} }} }}
",
            nodes.join(", "),
            listed.join(", "),
            CONNECT_TIMEOUT.as_secs(),
        )
    });
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)))
}

/// Which member answers what was sent, and after how long.
fn ask(address: SocketAddr, opening: &[u8]) -> (u8, Duration) {
    let (begun, mut client, mut name) = (Instant::now(), connect(address), [0]);
    client.write_all(opening).and_then(|()| client.read_exact(&mut name)).unwrap();
    (name[0], begun.elapsed())
}

#[test]
fn session_whose_opening_a_stopped_member_took_goes_to_another() {
    let all: Vec<_> = openings()
        .into_iter()
        .map(|(what, opening)| {
            std::thread::spawn(move || {
                let [a, b] = [b'a', b'b'].map(|name| Daemon::answering(name, &opening, Duration::ZERO));
                let (pronk, address) = before(&[a.address, b.address], ", monitors: [silent]", "");
                until("both have answered", || ask(address, &opening).0 == b'a');
                let answered = pronk.stats()["virtual_servers"][0]["connections"]["total"].as_u64().unwrap();
                a.set_stopped(true);
                let first: Vec<_> = std::thread::scope(|scope| {
                    let all: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(address, &opening))).collect();
                    all.into_iter().map(|session| session.join().unwrap()).collect()
                });
                assert!(first.iter().all(|(name, _)| *name == b'b'), "{what}: {first:?}");
                assert!(first.iter().any(|(_, waited)| *waited >= CONNECT_TIMEOUT), "{what}: nobody met it: {first:?}");
                assert!(first.iter().all(|(_, waited)| *waited < 2 * CONNECT_TIMEOUT), "{what}: {first:?}");
                let then: Vec<_> = (0..30).map(|_| ask(address, &opening)).collect();
                assert!(
                    then.iter().all(|(name, waited)| *name == b'b' && *waited < CONNECT_TIMEOUT),
                    "{what}: {then:?}"
                );
                assert_eq!(lines(&pronk, SUSPECT), 1, "{what}");
                let sent = 8 * (answered + 38) * opening.len() as u64;
                let bits_in = |row: &serde_json::Value| row["bits_in"].as_u64().unwrap();
                until("each client's bytes are counted once", || bits_in(&pronk.stats()["virtual_servers"][0]) == sent);
                let moved = bits_in(&pronk.stats()["pools"][0]) / 8 / opening.len() as u64 - answered - 38;
                assert!(moved >= 1, "{what}: toward members they count again");
                assert_ne!(pronk.stats()["pools"][0]["members"][0]["packets_out"], 0, "{what}");
            })
        })
        .collect();
    all.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn member_that_answers_a_session_again_is_suspect_no_longer() {
    let (_, opening) = openings().remove(0);
    let [a, b] = [b'a', b'b'].map(|name| Daemon::answering(name, &opening, Duration::ZERO));
    let (pronk, address) = before(&[a.address, b.address], "", "");
    until("both have answered", || ask(address, &opening).0 == b'a');
    a.set_stopped(true);
    until("it is suspect", || ask(address, &opening).0 == b'b' && lines(&pronk, SUSPECT) == 1);
    a.set_stopped(false);
    until("one connection has tried it", || ask(address, &opening).0 == b'a');
    let answers = "suspect member answers again";
    pronk.logged(answers, |line| line["message"] == answers);
    until("the map says nothing of it", || !map(&pronk).contains("suspect"));
}

/// Also of a client that pauses for longer than the member has, as for a ticket of Kerberos.
#[test]
fn opening_in_pieces_goes_to_another_member_once_it_is_whole() {
    let (_, opening) = openings().remove(4);
    let [a, b] = [b'a', b'b'].map(|name| Daemon::answering(name, &opening, Duration::ZERO));
    a.set_stopped(true);
    let (_pronk, address) = before(&[a.address, b.address], "", "");
    let mut client = connect(address);
    client.write_all(&opening[..10]).unwrap();
    std::thread::sleep(CONNECT_TIMEOUT + CONNECT_TIMEOUT / 2);
    let (rest, last) = opening[10..].split_at(1000);
    client.write_all(rest).unwrap();
    std::thread::sleep(CONNECT_TIMEOUT / 4);
    client.write_all(last).unwrap();
    let mut name = [0];
    client.read_exact(&mut name).unwrap();
    assert_eq!(&name, b"b");
}

/// All of them ask an LDAP server that is slow: a session waits once, and its password is tried twice at most.
#[test]
fn session_is_opened_elsewhere_once() {
    let (_, opening) = openings().remove(3);
    let slow = CONNECT_TIMEOUT + CONNECT_TIMEOUT / 2;
    let daemons = [b'a', b'b', b'c'].map(|name| Daemon::answering(name, &opening, slow));
    let (pronk, address) = before(&daemons.each_ref().map(|daemon| daemon.address), "", "");
    let (_, waited) = ask(address, &opening);
    assert!(waited < CONNECT_TIMEOUT + slow + CONNECT_TIMEOUT / 2, "{waited:?}");
    assert_eq!(pronk.closed("client-fin")["tries"], 2);
}

/// A part of an opening rightly has no answer, and a query is never sent twice.
#[test]
fn what_is_no_whole_opening_stays_with_its_member_and_makes_nobody_suspect() {
    let (_, opening) = openings().remove(3);
    let half = opening[..opening.len() - 1].to_vec();
    let query = [&opening[..], b"\0\0\0\x05query"].concat();
    let silent = || member(|mut stream| drop(read_all(&mut stream)));
    for (sent, more) in [(half, ""), (query, ""), (b"hello".to_vec(), ""), (Vec::new(), ", dial: accept")] {
        let (pronk, address) = before(&[silent(), silent()], ", monitors: [silent, passive]", more);
        let mut client = connect(address);
        client.write_all(&sent).unwrap();
        client.set_read_timeout(Some(2 * CONNECT_TIMEOUT)).unwrap();
        assert!(client.read(&mut [0]).is_err(), "nobody answers");
        drop(client);
        let line = pronk.logged("a connection", |line| line["tries"].is_u64());
        assert_eq!((line["tries"].as_u64(), lines(&pronk, SUSPECT)), (Some(1), 0), "{sent:?}");
        assert!(!map(&pronk).contains("  offline:"), "{sent:?}: {}", map(&pronk));
    }
}

/// The client moves, and the others are served as before.
#[test]
fn client_that_speaks_what_no_member_does_makes_none_suspect() {
    let opening = |index: usize| openings().remove(index).1;
    // They wait for more of it, as daemons do.
    let members = [b'a', b'b', b'c'].map(|name| {
        let wanted = opening(0);
        member(move |mut stream| {
            let mut received = vec![0; wanted.len()];
            if stream.read_exact(&mut received).is_ok() && received == wanted {
                let _ = stream.write_all(&[name]);
            }
            drop(read_all(&mut stream));
        })
    });
    let (pronk, address) = before(&members, ", monitors: [silent, passive]", "");
    until("all have answered", || ask(address, &opening(0)).0 == b'c');
    let mut wrong = connect(address);
    wrong.write_all(&opening(5)).unwrap();
    wrong.set_read_timeout(Some(3 * CONNECT_TIMEOUT)).unwrap();
    assert!(wrong.read(&mut [0]).is_err(), "nobody answers");
    assert_eq!(lines(&pronk, SUSPECT), 0);
    let served: std::collections::BTreeSet<_> = (0..6).map(|_| ask(address, &opening(0)).0).collect();
    assert_eq!(served.len(), 3, "all members are used: {served:?}");
}

#[test]
fn session_that_its_member_ended_is_opened_with_no_other() {
    let (_, opening) = openings().remove(0);
    for action in ["none", "reset", "reselect"] {
        let [a, b] = [(); 2].map(|()| {
            member(|mut stream| {
                let _ = stream.read(&mut [0; 1000]);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                drop(read_all(&mut stream));
            })
        });
        let (pronk, address) = before(&[a, b], &format!(", service-down-action: {action}"), "");
        let mut client = connect(address);
        client.write_all(&opening).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        // Its side stays open for longer than the member had to answer.
        std::thread::sleep(CONNECT_TIMEOUT + CONNECT_TIMEOUT / 2);
        drop(client);
        let line = pronk.logged("a connection", |line| line["tries"].is_u64());
        assert_eq!((&line["tries"], lines(&pronk, SUSPECT)), (&serde_json::Value::from(1), 0), "{action}: {line}");
    }
}

/// With `dial: accept`, bytes may pass before the member resets.
#[test]
fn no_byte_is_lost_where_a_connection_goes_to_another_member() {
    let sent: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
    let resets = member(|stream| {
        std::thread::sleep(Duration::from_micros(fastrand::u64(..800)));
        reset(&stream);
    });
    let (got, gets) = channel();
    let good = member(move |mut stream| drop(got.send(read_all(&mut stream))));
    let (_pronk, address) = before(&[resets, good], ", service-down-action: reselect", ", dial: accept");
    for _ in 0..100 {
        let mut client = connect(address);
        // It may be reset.
        let _ = client.write_all(&sent);
        drop(client);
    }
    while let Ok((received, _)) = gets.recv_timeout(Duration::from_secs(2)) {
        assert!(sent.starts_with(&received), "{} bytes, and not as they were sent", received.len());
    }
}
