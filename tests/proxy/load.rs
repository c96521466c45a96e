//! Many clients at once: through every mode, and while the configuration changes under them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::lb::{PATIENCE, Pronk, free_port};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::{showing, trusting};
use crate::tls_peers::{FRONT, NODE};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A member that echoes, with TLS when it has a certificate.
async fn member(leaf: Option<&Leaf>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = leaf.map(|leaf| TlsAcceptor::from(showing(leaf)));
    tokio::spawn(async move {
        loop {
            let Ok((tcp, _)) = listener.accept().await else { continue };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut wire: Box<dyn Wire> = match acceptor {
                    None => Box::new(tcp),
                    // A monitor connects and leaves again.
                    Some(acceptor) => match acceptor.accept(tcp).await {
                        Ok(tls) => Box::new(tls),
                        Err(_) => return,
                    },
                };
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = wire.read(&mut buffer).await {
                    if wire.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
                let _ = wire.shutdown().await;
            });
        }
    });
    address
}

async fn connect(address: SocketAddr, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Wire>> {
    let tcp = TcpStream::connect(address).await?;
    Ok(match tls {
        None => Box::new(tcp),
        Some(tls) => Box::new(tls.connect(ServerName::try_from(FRONT).unwrap(), tcp).await?),
    })
}

async fn exchange(wire: &mut dyn Wire) -> io::Result<()> {
    let mut answer = [0; 64];
    wire.write_all(&[7; 64]).await?;
    wire.read_exact(&mut answer).await?;
    if answer == [7; 64] { Ok(()) } else { Err(io::Error::other("the answer is another")) }
}

/// Ends as a well-behaved client does, and expects the same of the other side.
async fn finish(mut wire: Box<dyn Wire>) -> io::Result<()> {
    wire.shutdown().await?;
    match wire.read(&mut [0; 16]).await? {
        0 => Ok(()),
        _ => Err(io::Error::other("bytes after the end")),
    }
}

/// A file that a reader sees whole, old or new.
fn replace(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

fn config(members: &[SocketAddr], port: u16, idle: u32) -> String {
    let members: Vec<_> = members.iter().map(|address| format!("'a:{}'", address.port())).collect();
    format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ monitors: [tcp], load-balancing-mode: least-connections-member, members: [{}] }} }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  patient: {{ type: tcp, defaults-from: tcp, idle-timeout: {idle} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, client-ssl: front, protocol: patient }} }}
",
        members.join(", ")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_reloads_under_two_hundred_clients_disturb_none() {
    let ca = Authority::new("ca");
    let leaves = [ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).rsa().build()];
    let members = [member(None).await, member(None).await, member(None).await];
    let port = free_port();
    let pronk = Pronk::start(|folder| {
        leaves[0].write(folder, "lb");
        config(&members, port, 300)
    });
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..200)
        .map(|number| {
            let (stop, done, tls) = (Arc::clone(&stop), Arc::clone(&done), TlsConnector::from(trusting(&ca)));
            tokio::spawn(async move {
                // A tenth of the clients keep one connection throughout; the others come and go.
                let lasting = number % 10 == 0;
                let mut wire = connect(address, Some(&tls)).await?;
                while !stop.load(Ordering::Relaxed) {
                    exchange(&mut *wire).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                    if !lasting {
                        finish(wire).await?;
                        wire = connect(address, Some(&tls)).await?;
                        exchange(&mut *wire).await?;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                finish(wire).await
            })
        })
        .collect();

    let folder = pronk.folder.path();
    let mut refused = 0;
    for round in 0..50_u32 {
        let before = done.load(Ordering::Relaxed);
        let bad = match round % 5 {
            // Fewer members, then all again.
            0 => write(folder, &config(&members[..1 + (round as usize / 5) % 2], port, 300)),
            1 => write(folder, &config(&members, port, 300 + round)),
            // Another certificate in the same files.
            2 => {
                let staged = tempfile::tempdir_in(folder).unwrap();
                let files = leaves[(round as usize / 5 + 1) % 2].write(staged.path(), "lb");
                replace(&files.cert, &folder.join("lb.pem"));
                replace(&files.key, &folder.join("lb.key"));
                false
            }
            3 => write(folder, "virtual-servers: { vs: { destination: nowhere, poool: p } }\n") | true,
            _ => {
                let staged = tempfile::tempdir_in(folder).unwrap();
                let other = ca.issue(FRONT).dns(FRONT).build().write(staged.path(), "other");
                let key = std::fs::read(folder.join("lb.key")).unwrap();
                replace(&other.key, &folder.join("lb.key"));
                write(folder, &config(&members, port, 300));
                assert!(!pronk.command(&["reload"]).status.success(), "a key of another certificate was taken");
                refused += 1;
                crate::support::ca::write(folder, "lb.key", &key, 0o600);
                false
            }
        };
        let reloaded = pronk.command(&["reload"]);
        assert_eq!(reloaded.status.success(), !bad, "{round}: {}", String::from_utf8_lossy(&reloaded.stderr));
        refused += usize::from(bad);
        let deadline = Instant::now() + PATIENCE;
        while done.load(Ordering::Relaxed) < before + 20 {
            assert!(Instant::now() < deadline, "clients stand still after reload {round}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        timeout(PATIENCE, client).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(refused, 20);
    let stats = pronk.stats();
    let row = &stats["virtual_servers"][0];
    let total = row["connections"]["total"].as_u64().unwrap();
    assert!(total > 500, "{row}");
    let deadline = Instant::now() + PATIENCE;
    while pronk.stats()["virtual_servers"][0]["closes"] != serde_json::json!({ "client-fin": total }) {
        assert!(Instant::now() < deadline, "{}", pronk.stats()["virtual_servers"][0]);
    }
}

/// Writes the configuration; `false`, as it is a good one.
fn write(folder: &Path, text: &str) -> bool {
    std::fs::write(folder.join("pronk.yaml"), text).unwrap();
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_through_each_mode_leave_nothing_behind() {
    let files_allowed = pronk::net::raise_open_file_limit();
    assert!(files_allowed.is_none_or(|limit| limit >= 6000), "this test needs `ulimit -n 6000`");
    let ca = Authority::new("ca");
    let node = ca.issue(NODE).dns(NODE).build();
    let (plain, tls) = (member(None).await, member(Some(&node)).await);
    let ports: [u16; 3] = std::array::from_fn(|_| free_port());
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        ca.write(folder, "ca.pem");
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
pools: {{ plain: {{ members: ['a:{}'] }}, tls: {{ members: ['a:{}'] }} }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: ca.pem }}
virtual-servers:
  passthrough: {{ destination: '127.0.0.1:{}', pool: plain }}
  offload: {{ destination: '127.0.0.1:{}', pool: plain, client-ssl: front }}
  re-encrypt: {{ destination: '127.0.0.1:{}', pool: tls, client-ssl: front, server-ssl: back }}
",
            plain.port(),
            tls.port(),
            ports[0],
            ports[1],
            ports[2]
        )
    });
    // Sockets and pipes. Files are open for a moment while certificates are looked at, and no connection has any.
    let files = || {
        let open = std::fs::read_dir(format!("/proc/{}/fd", pronk.pid())).unwrap().flatten();
        open.filter(|it| std::fs::read_link(it.path()).is_ok_and(|target| !target.has_root())).count()
    };
    let at_start = files();
    let connector = TlsConnector::from(trusting(&ca));
    for (mode, port) in ports.into_iter().enumerate() {
        let (address, tls) = (SocketAddr::from(([127, 0, 0, 1], port)), (mode > 0).then(|| connector.clone()));
        let gate = Arc::new(tokio::sync::Semaphore::new(100));
        let opening: Vec<_> = (0..2000)
            .map(|_| {
                let (gate, tls) = (Arc::clone(&gate), tls.clone());
                tokio::spawn(async move {
                    let _permit = gate.acquire().await.map_err(io::Error::other)?;
                    let mut wire = connect(address, tls.as_ref()).await?;
                    exchange(&mut *wire).await?;
                    io::Result::Ok(wire)
                })
            })
            .collect();
        let mut open = Vec::new();
        for wire in opening {
            open.push(timeout(PATIENCE, wire).await.unwrap().unwrap().unwrap());
        }
        assert!(files() >= at_start + 4000, "{mode}: {} descriptors", files());
        for wire in &mut open {
            timeout(PATIENCE, exchange(&mut **wire)).await.unwrap().unwrap();
        }
        for wire in open {
            timeout(PATIENCE, finish(wire)).await.unwrap().unwrap();
        }
        let deadline = Instant::now() + PATIENCE;
        // The question itself takes a descriptor for a moment.
        while files() > at_start {
            assert!(Instant::now() < deadline, "{mode}: {} descriptors, {at_start} at the start", files());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let expected =
        serde_json::json!([{ "current": 0, "elsewhere": 0, "maximum": 2000, "total": 2000 }, { "client-fin": 2000 }]);
    let deadline = Instant::now() + PATIENCE;
    // A connection is counted as closed a moment after its descriptors are.
    loop {
        let stats = pronk.stats();
        let mut rows = stats["virtual_servers"].as_array().unwrap().iter();
        if rows.all(|row| serde_json::json!([row["connections"], row["closes"]]) == expected) {
            break;
        }
        assert!(Instant::now() < deadline, "{}", stats["virtual_servers"]);
    }
}
