//! A member that hangs: who waits for it, for how long, and what pronk says of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::lb::{PATIENCE, Pronk, free_port, until};
use crate::peers::{connect, member, read_all};
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

/// A member that answers its name once it has exactly these bytes, and one byte more for each that follows.
fn answering(name: u8, opening: Vec<u8>) -> SocketAddr {
    member(move |mut stream| {
        let mut received = vec![0; opening.len()];
        if stream.read_exact(&mut received).is_ok() {
            let name = if received == opening { name } else { b'?' };
            let _ = stream.write_all(&[name]).and_then(|()| stream.read(&mut [0]));
        }
    })
}

/// A pool of a member that hangs and one that does not, whose monitors find nothing.
fn before(hanging: SocketAddr, good: SocketAddr, port: u16, monitors: &str) -> String {
    format!(
        "nodes: {{ h: {{ address: 127.0.0.1 }}, g: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ {monitors}slow-ramp-time: 0, members: ['h:{}', 'g:{}'] }} }}
monitors: {{ m: {{ type: tcp, interval: 1s, timeout: 1h }} }}
profiles: {{ quick: {{ type: tcp, connect-timeout: {}s }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: quick }} }}
",
        hanging.port(),
        good.port(),
        CONNECT_TIMEOUT.as_secs(),
    )
}

/// Which member answers what was sent, and after how long.
fn ask(address: SocketAddr, opening: &[u8]) -> (u8, Duration) {
    let (begun, mut client, mut name) = (Instant::now(), connect(address), [0]);
    client.write_all(opening).and_then(|()| client.read_exact(&mut name)).unwrap();
    (name[0], begun.elapsed())
}

/// The kernel takes the connection and the bytes for a process that is stopped.
#[test]
fn session_whose_opening_a_hanging_member_took_goes_to_another() {
    for (what, opening) in openings() {
        let (hanging, _go_on) = hanging(Hang::Stopped, b'h', None);
        let (good, port) = (answering(b'g', opening.clone()), free_port());
        let pronk = Pronk::start(|_| before(hanging, good, port, "monitors: [m], "));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let first: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(address, &opening))).collect();
            all.into_iter().map(|session| session.join().unwrap()).collect()
        });
        assert!(first.iter().all(|(name, _)| *name == b'g'), "{what}: {first:?}");
        assert!(first.iter().any(|(_, waited)| *waited >= CONNECT_TIMEOUT), "{what}: nobody met it: {first:?}");
        assert!(first.iter().all(|(_, waited)| *waited < 2 * CONNECT_TIMEOUT), "{what}: {first:?}");
        let then: Vec<_> = (0..30).map(|_| ask(address, &opening)).collect();
        assert!(then.iter().all(|(name, waited)| *name == b'g' && *waited < CONNECT_TIMEOUT), "{what}: {then:?}");
        assert_eq!(lines(&pronk, SUSPECT), 1, "{what}");
        let sent = 38 * opening.len() as u64;
        until("each client's bytes are counted once", || {
            pronk.stats()["virtual_servers"][0]["bits_in"].as_u64() == Some(8 * sent)
        });
    }
}

#[test]
fn member_that_answers_a_session_again_is_suspect_no_longer() {
    let (_, opening) = openings().remove(0);
    let (hanging, go_on) = hanging(Hang::Stopped, b'h', None);
    let (good, port) = (answering(b'g', opening.clone()), free_port());
    let pronk = Pronk::start(|_| before(hanging, good, port, ""));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    while lines(&pronk, SUSPECT) == 0 {
        assert_eq!(ask(address, &opening).0, b'g');
    }
    go_on.send(()).unwrap();
    until("one connection has tried it", || ask(address, &opening).0 == b'h');
    let answers = "suspect member answers again";
    pronk.logged(answers, |line| line["message"] == answers);
    until("the map says nothing of it", || !map(&pronk).contains("suspect"));
}

/// A part of an opening rightly has no answer, and a query is never sent twice.
#[test]
fn what_is_no_whole_opening_stays_with_its_member_and_makes_nobody_suspect() {
    let (_, opening) = openings().remove(3);
    let half = opening[..opening.len() - 1].to_vec();
    let query = [&opening[..], b"\0\0\0\x05query"].concat();
    for sent in [half, query, b"hello".to_vec()] {
        let port = free_port();
        let silent = || member(|mut stream| drop(read_all(&mut stream)));
        let pronk = Pronk::start(|_| before(silent(), silent(), port, ""));
        let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
        client.write_all(&sent).unwrap();
        client.set_read_timeout(Some(2 * CONNECT_TIMEOUT)).unwrap();
        assert!(client.read(&mut [0]).is_err(), "nobody answers");
        drop(client);
        let line = pronk.logged("a connection", |line| line["tries"].is_u64());
        assert_eq!((line["tries"].as_u64(), lines(&pronk, SUSPECT)), (Some(1), 0), "{sent:?}");
    }
}

/// One client's openings say nothing of a member that answers others.
#[test]
fn member_that_answers_others_is_not_suspect() {
    let (silent_to, wanted) = (openings().remove(0).1, openings().remove(1).1);
    let picky = move || {
        let wanted = wanted.clone();
        member(move |mut stream| {
            let mut received = vec![0; wanted.len()];
            let reads = stream.read_exact(&mut received).is_ok();
            if reads && received == wanted {
                let _ = stream.write_all(b"y");
            }
            drop(read_all(&mut stream));
        })
    };
    let port = free_port();
    let pronk = Pronk::start(|_| before(picky(), picky(), port, ""));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut unanswered = connect(address);
    unanswered.write_all(&silent_to).unwrap();
    let until = Instant::now() + 2 * CONNECT_TIMEOUT;
    while Instant::now() < until {
        // One for each member.
        for _ in 0..2 {
            assert_eq!(ask(address, &openings().remove(1).1).0, b'y');
        }
    }
    assert_eq!(lines(&pronk, SUSPECT), 0);
}
