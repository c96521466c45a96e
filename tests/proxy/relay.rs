//! What passes through a passthrough virtual server, and how each kind of end is carried to the other side.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use parking_lot::Mutex;

use crate::lb::{PATIENCE, Pronk, free_port, until, with_threads};
use crate::peers::{connect, echo_member, member, read_all, reset};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::trusting;
use crate::tls_peers::{FRONT, tls_client};

fn passthrough(member: SocketAddr, protocol: &str) -> (Pronk, SocketAddr) {
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: {ip} }} }}
pools: {{ p: {{ members: ['a:{port_of_member}'] }} }}
profiles: {{ t: {{ type: tcp, defaults-from: tcp{protocol} }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: t }} }}
",
            ip = member.ip(),
            port_of_member = member.port(),
        )
    });
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn client_that_finishes_first_still_gets_the_whole_answer() {
    let member = member(|mut stream| {
        let (question, _) = read_all(&mut stream);
        stream.write_all(&vec![question.len() as u8; 3_000_000]).unwrap();
    });
    let (pronk, address) = passthrough(member, "");
    let mut client = connect(address);
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (answer, end) = read_all(&mut client);
    assert_eq!((answer.len(), answer[0], end.is_ok()), (3_000_000, 8, true));
    let line = pronk.closed("client-fin");
    assert_eq!((line["bytes_in"].as_u64(), line["bytes_out"].as_u64()), (Some(8), Some(3_000_000)));
}

#[test]
fn member_that_finishes_first_still_gets_what_the_client_sends() {
    let (heard, hears) = mpsc::channel();
    let member = member(move |mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(b"bye").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        heard.send(read_all(&mut stream).0).unwrap();
    });
    let (pronk, address) = passthrough(member, "");
    let mut client = connect(address);
    client.write_all(b"?").unwrap();
    assert_eq!(read_all(&mut client).0, b"bye");
    client.write_all(b"afterwards").unwrap();
    drop(client);
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), b"afterwards");
    pronk.closed("member-fin");
}

#[test]
fn reset_of_the_member_reaches_the_client_after_every_byte() {
    let member = member(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(&[7; 100_000]).unwrap();
        // What was written must have left this side before the reset, which would throw it away.
        stream.read_exact(&mut [0]).unwrap();
        reset(&stream);
    });
    let (pronk, address) = passthrough(member, "");
    let mut client = connect(address);
    client.write_all(b"?").unwrap();
    let mut first = vec![0; 50_000];
    client.read_exact(&mut first).unwrap();
    client.write_all(b"!").unwrap();
    let (rest, end) = read_all(&mut client);
    assert_eq!(rest.len(), 50_000);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(pronk.closed("member-reset")["close.who"], "member");
}

#[test]
fn reset_of_the_client_reaches_the_member_after_every_byte() {
    let (heard, hears) = mpsc::channel();
    let member = member(move |mut stream| {
        let mut first = [0; 5];
        stream.read_exact(&mut first).unwrap();
        stream.write_all(b"ok").unwrap();
        let (rest, end) = read_all(&mut stream);
        heard.send((rest.len(), end.map_err(|error| error.kind()))).unwrap();
    });
    let (pronk, address) = passthrough(member, "");
    let mut client = connect(address);
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 2]).unwrap();
    reset(&client);
    drop(client);
    let (rest, end) = hears.recv_timeout(PATIENCE).unwrap();
    assert_eq!((rest, end), (0, Err(ErrorKind::ConnectionReset)));
    pronk.closed("client-reset");
}

#[test]
fn silent_client_takes_no_connection_of_the_member() {
    let (called, calls) = mpsc::channel();
    let member = member(move |_| called.send(()).unwrap());
    let (pronk, address) = passthrough(member, "");
    drop(connect(address));
    pronk.closed("client-left-silent");
    assert!(calls.try_recv().is_err());
}

#[test]
fn member_that_is_gone_is_replaced_and_named() {
    let dead = free_port();
    let member = echo_member();
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{dead}', 'a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
",
            member.port()
        )
    });
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    client.write_all(b"kept").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"kept");
    assert_eq!(pronk.closed("member-connect-refused")["member"], format!("a:{dead}"));
}

#[test]
fn connection_that_both_sides_abandoned_is_over_at_once() {
    let (go, went) = mpsc::channel::<()>();
    let (go, went) = (Mutex::new(go), Mutex::new(went));
    let member = member(move |mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        // More than the client will ever take, then a reset while the client's own bytes pile up unread.
        stream.set_nonblocking(true).unwrap();
        while stream.write(&[7; 65536]).is_ok() {}
        went.lock().recv().unwrap();
        reset(&stream);
    });
    let (pronk, address) = passthrough(member, ", idle-timeout: indefinite");
    let mut client = connect(address);
    client.write_all(b"?").unwrap();
    client.read_exact(&mut [0; 1000]).unwrap();
    client.set_nonblocking(true).unwrap();
    while client.write(&[1; 65536]).is_ok() {}
    reset(&client);
    drop(client);
    go.lock().send(()).unwrap();
    pronk.logged("an end", |line| line["close.mechanism"] == "rst");
}

/// How many pipes a process has open.
fn pipes(pronk: &Pronk) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", pronk.pid())).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    let pipes: std::collections::BTreeSet<_> =
        links.filter(|link| link.to_string_lossy().starts_with("pipe:")).collect();
    pipes.len()
}

#[test]
fn connections_that_are_idle_or_half_closed_hold_no_pipe() {
    const ANSWER: usize = 16 << 20;
    const CLIENTS: usize = 40;
    for half_closes in [true, false] {
        let member = member(move |mut stream| {
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(&vec![7; ANSWER]).unwrap();
            if half_closes {
                stream.shutdown(Shutdown::Write).unwrap();
            }
            // The client's direction stays open.
            let _ = read_all(&mut stream);
        });
        let (pronk, address) = passthrough(member, "");
        let before = pipes(&pronk);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let mut client = connect(address);
                client.write_all(b"?").unwrap();
                client.read_exact(&mut vec![0; ANSWER]).unwrap();
                if half_closes {
                    assert_eq!(client.read(&mut [0]).unwrap(), 0);
                }
                client
            })
            .collect();
        let threads = std::thread::available_parallelism().unwrap().get();
        let of_connections = pipes(&pronk) - before;
        assert!(of_connections > 0, "large answers go through pipes");
        // Each thread keeps up to four for the next.
        assert!(of_connections <= 4 * threads, "{of_connections} pipes for {CLIENTS} silent connections");
        assert_eq!(pronk.stats()["virtual_servers"][0]["connections"]["current"], CLIENTS);
        drop(clients);
    }
}

/// Ends a connection when it is dropped.
struct ShutDown(std::net::TcpStream);

impl Drop for ShutDown {
    fn drop(&mut self) {
        // The other side may have ended it.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// A download is always ready to go on where pronk encrypts it, which takes longer than anything else here. Requests are
/// counted against its bytes and not against time, as the machine may be busy with something else.
#[test]
fn small_requests_do_not_wait_for_many_turns_of_a_download() {
    const REQUESTS: usize = 100;
    // Some turns of 256 KiB, and what buffers between the two ends of the download hold.
    const FEW_TURNS: u64 = 8 << 20;
    let member = member(|mut stream| {
        let mut question = [0];
        while stream.read_exact(&mut question).is_ok() {
            if question == *b"d" {
                let piece = vec![7; 1 << 20];
                while stream.write_all(&piece).is_ok() {}
                return;
            }
            let _ = stream.write_all(&question);
        }
    });
    let ca = Authority::new("ca");
    let leaf: Leaf = ca.issue(FRONT).dns(FRONT).build();
    for threads in [1, 2] {
        let [address, encrypted] = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let _pronk = Pronk::start_by(with_threads(threads), |folder| {
            leaf.write(folder, "lb");
            let more = format!("pool: p }}, tls: {{ destination: '{encrypted}', pool: p, client-ssl: front }} }}");
            crate::lb::passthrough(member, &address.to_string()).replace("pool: p } }", &more)
                + "profiles: { front: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] } }\n"
        });
        let downloaded = AtomicU64::new(0);
        let mut passed: Vec<u64> = std::thread::scope(|scope| {
            // Each thread has one. They end also if something fails, as the scope waits for their threads.
            let mut downloads = Vec::new();
            for _ in 0..threads {
                let mut client = tls_client(encrypted, trusting(&ca));
                client.write_all(b"d").unwrap();
                // From here on its bytes are counted, and not decrypted.
                let mut stream = client.sock;
                downloads.push(ShutDown(stream.try_clone().unwrap()));
                let downloaded = &downloaded;
                scope.spawn(move || {
                    let mut buffer = vec![0; 1 << 20];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        downloaded.fetch_add(count as u64, Ordering::Relaxed);
                    }
                });
            }
            let mut client = connect(address);
            client.write_all(b"?").unwrap();
            client.read_exact(&mut [0]).unwrap();
            until("the download is large", || downloaded.load(Ordering::Relaxed) > 64 << 20);
            let request = |_| {
                let before = downloaded.load(Ordering::Relaxed);
                client.write_all(b"?").unwrap();
                client.read_exact(&mut [0]).unwrap();
                downloaded.load(Ordering::Relaxed) - before
            };
            (0..REQUESTS).map(request).collect()
        });
        passed.sort_unstable();
        // On a busy machine some requests wait for a processor while the downloads have one.
        let median = passed[REQUESTS / 2];
        assert!(median < FEW_TURNS, "{threads} threads; bytes of downloads during each request: {passed:?}");
    }
}
