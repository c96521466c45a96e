//! The controller, within this process: who owns what listens, and commands in any order.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pronk::control::{CommandError, Controller, Handle, Inheritance, Phase};
use pronk::model::{MemberKey, Name};
use pronk::proxy::Lifecycle;
use tokio::task::JoinHandle;

use support::port::free_port;

mod support;

/// A controller that runs, with its file.
struct Bench {
    folder: tempfile::TempDir,
    handle: Handle,
    controller: JoinHandle<()>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lifecycle = Lifecycle::new(tokio::runtime::Handle::current(), Duration::ZERO);
        let (controller, handle) =
            Controller::new(folder.path().join("pronk.yaml"), None, lifecycle, Inheritance::default());
        Self { folder, handle, controller: tokio::spawn(controller.run()) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("pronk.yaml")
    }
}

/// Puts a file in place that listens on these destinations.
fn write(file: &Path, destinations: &[SocketAddr]) {
    let mut text =
        "nodes: { a: { address: 127.0.0.1 } }\npools: { p: { members: ['a:1'] } }\nvirtual-servers:".to_owned();
    for destination in destinations {
        let name = destination.to_string().replace([':', '[', ']'], "-");
        text += &format!("\n  vs{name}: {{ destination: '{destination}', pool: p }}");
    }
    let text = if destinations.is_empty() { text + " {}\n" } else { text + "\n" };
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), port)
}

fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_end_with_their_owner() {
    let (bench, port) = (Bench::new(), free_port());
    let address = at("127.0.0.1", port);
    write(&bench.file(), &[address]);
    bench.handle.start().await.unwrap();
    assert!(listens(address));
    bench.controller.abort();
    until("the socket is closed", || !listens(address)).await;
    assert!(matches!(bench.handle.reload(false).await, Err(CommandError::Internal(_))));
}

/// Commands in any order, several under way at once, against a model of what must listen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_in_any_order_leave_what_the_last_file_says() {
    for seed in 0..40 {
        let mut order = fastrand::Rng::with_seed(seed);
        let (bench, ports) = (Bench::new(), [free_port(), free_port()]);
        let all: Vec<_> =
            ports.iter().flat_map(|port| ["127.0.0.1", "127.0.0.2", "0.0.0.0"].map(|ip| at(ip, *port))).collect();
        let choose = |order: &mut fastrand::Rng| {
            let mut destinations = all.clone();
            order.shuffle(&mut destinations);
            destinations.truncate(order.usize(..4));
            // In one file none may cover another.
            let wide: Vec<_> =
                destinations.iter().filter(|it| it.ip().is_unspecified()).map(SocketAddr::port).collect();
            destinations.retain(|it| it.ip().is_unspecified() || !wide.contains(&it.port()));
            destinations
        };
        write(&bench.file(), &choose(&mut order));
        assert!(matches!(
            bench.handle.reload(false).await,
            Err(CommandError::WrongPhase { phase: Phase::Starting, .. })
        ));
        bench.handle.start().await.unwrap_or_else(|why| panic!("{seed}: {why}"));
        let mut under_way: Vec<JoinHandle<Result<(), CommandError>>> = Vec::new();
        let stops = order.u8(..4) == 0;
        for _ in 0..order.usize(1..12) {
            let handle = bench.handle.clone();
            match order.u8(..6) {
                0 => std::fs::write(bench.file(), "virtual-servers: { vs: {").unwrap(),
                1 => under_way.push(tokio::spawn(async move { handle.reload(true).await.map(drop) })),
                2 => {
                    let member = MemberKey { node: Name::from("a"), port: 1 };
                    let resumed = handle.resume(&Name::from("p"), &member).await;
                    assert!(matches!(resumed, Err(CommandError::Unknown(_))), "no monitor watches it");
                }
                3 => {
                    // Somebody who does not wait for the answer.
                    let asking = tokio::spawn(async move { handle.reload(false).await.map(drop) });
                    tokio::task::yield_now().await;
                    asking.abort();
                }
                _ => {
                    write(&bench.file(), &choose(&mut order));
                    under_way.push(tokio::spawn(async move { handle.reload(false).await.map(drop) }));
                }
            }
        }
        let last = choose(&mut order);
        if stops {
            bench.handle.stop().await.unwrap();
            assert!(matches!(
                bench.handle.reload(false).await,
                Err(CommandError::WrongPhase { phase: Phase::Draining, .. })
            ));
        } else {
            for asked in under_way.drain(..) {
                // A dry run or a reload may have met the broken file.
                let _ = asked.await.unwrap();
            }
            write(&bench.file(), &last);
            bench.handle.reload(false).await.unwrap_or_else(|why| panic!("{seed}: {why}"));
        }
        for port in ports {
            for ip in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
                let wanted = !stops
                    && last.iter().any(|it| it.port() == port && (it.ip().is_unspecified() || *it == at(ip, port)));
                let address = at(ip, port);
                if wanted {
                    assert!(listens(address), "{seed}: {address} of {last:?}");
                } else {
                    until(&format!("{seed}: {address} is closed, of {last:?}"), || !listens(address)).await;
                }
            }
        }
        for asked in under_way {
            let _ = asked.await.unwrap();
        }
    }
}
