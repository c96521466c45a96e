//! A member that hangs: who waits for it, for how long, and what pronk says of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::lb::{PATIENCE, Pronk, free_port, until};
use crate::peers::connect;
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
