//! Whether small requests wait for a large download on the same processor: the time of requests alone and beside a
//! download, of pronk, HAProxy, nginx and the least that a relay can do. Then whether large downloads use all threads.
//! docs/benchmarks.md says how to read it.

mod support;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;

use support::client::Connection;
use support::contestant::Contestant;
use support::figures::{Better, Table, median, percentile};
use support::mode::Mode;
use support::proxy::Start;
use support::{Bench, bare};

/// Connections whose requests are timed, one request at a time among them all.
const CONNECTIONS: usize = 8;
/// Between two requests.
const PAUSE: Duration = Duration::from_micros(200);
const ANSWER: usize = 128;
const BUFFER: usize = 512 << 10;
/// Time for the download to become a large one.
const WARM_UP: Duration = Duration::from_millis(300);
const DOWNLOADS: usize = 4;

fn main() {
    bare::run_if_asked();
    let mut bench = Bench::new("Fairness: small requests beside a large download on the same thread");
    bench.add_bare();
    let proxies = bench.start_all();
    let mut table = Table::new(&bench.contestants);
    for mode in Mode::ALL {
        for figure in ["median alone", "p99 alone", "median beside", "p99 beside"] {
            table.row(&format!("{}, {figure}, us", mode.as_str()), 0, Better::Less);
        }
        table.row(&format!("{}, p99 beside / alone", mode.as_str()), 2, Better::Less);
        table.row(&format!("{}, GB/s of the download", mode.as_str()), 2, Better::More);
    }
    for _ in 0..bench.rounds {
        for (number, mode) in Mode::ALL.into_iter().enumerate() {
            for (index, proxy) in proxies.iter().enumerate() {
                let alone = requests(proxy.address(mode), mode, bench.round);
                let (beside, bytes) =
                    downloading(proxy.address(mode), mode, 1, || requests(proxy.address(mode), mode, bench.round));
                let figures = [
                    percentile(&alone, 0.5),
                    percentile(&alone, 0.99),
                    percentile(&beside, 0.5),
                    percentile(&beside, 0.99),
                    percentile(&beside, 0.99) / percentile(&alone, 0.99),
                    bytes / bench.round.as_secs_f64() / 1e9,
                ];
                for (row, figure) in figures.into_iter().enumerate() {
                    table.add(number * figures.len() + row, index, figure);
                }
            }
        }
    }
    println!("{table}");
    drop(proxies);
    spread_over_threads(&bench);
}

/// Prints how evenly large downloads use the threads of a pronk with as many as there are processors.
fn spread_over_threads(bench: &Bench) {
    println!(
        "  {DOWNLOADS} downloads through pronk, which has a thread for each processor: CPU time of the least used thread"
    );
    for mode in Mode::ALL {
        let least = (0..bench.rounds).map(|_| {
            let proxy = bench.start_as(Contestant::Pronk, Start { is_on_all: true, ..Start::default() });
            let (least, _) = downloading(proxy.address(mode), mode, DOWNLOADS, || {
                let before = proxy.thread_seconds();
                thread::sleep(bench.round);
                let used: Vec<_> =
                    proxy.thread_seconds().iter().zip(&before).map(|(now, before)| now - before).collect();
                let most = used.iter().fold(0.0, |most: f64, used| most.max(*used));
                100.0 * used.iter().fold(f64::INFINITY, |least, used| least.min(*used)) / most
            });
            least
        });
        println!("  {:<16}{:>4.0} % of that of the most used", mode.as_str(), median(&least.collect::<Vec<_>>()));
    }
}

/// Returns how long requests took, in microseconds, sorted.
fn requests(address: SocketAddr, mode: Mode, round: Duration) -> Vec<f64> {
    let open = |_| Connection::open(address, mode).unwrap();
    let mut connections: Vec<_> = (0..CONNECTIONS).map(open).collect();
    let (mut took, mut answer) = (Vec::new(), [0; ANSWER]);
    let ends = Instant::now() + round;
    while Instant::now() < ends {
        for connection in &mut connections {
            thread::sleep(PAUSE);
            let began = Instant::now();
            connection.exchange(&mut answer).unwrap();
            took.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    took.sort_by(f64::total_cmp);
    took
}

/// Does something beside downloads. Returns what came of it, and how many bytes came meanwhile.
fn downloading<T>(address: SocketAddr, mode: Mode, downloads: usize, meanwhile: impl FnOnce() -> T) -> (T, f64) {
    let (received, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        // Also if what is done meanwhile fails.
        let stopping = Stopping(&stop);
        for _ in 0..downloads {
            scope.spawn(|| download(address, mode, &received, &stop));
        }
        thread::sleep(WARM_UP);
        let before = received.load(Ordering::Relaxed);
        let done = meanwhile();
        let bytes = received.load(Ordering::Relaxed) - before;
        drop(stopping);
        (done, bytes as f64)
    })
}

/// Stops downloads when it is dropped.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn download(address: SocketAddr, mode: Mode, received: &AtomicU64, stop: &AtomicBool) {
    // Requests are to wait for the proxy, not for a processor of the load.
    let _ = rustix::process::nice(19);
    let mut connection = Connection::open(address, mode).unwrap();
    connection.ask(u64::MAX).unwrap();
    let mut buffer = vec![0; BUFFER];
    while !stop.load(Ordering::Relaxed) {
        let length = if mode.client_speaks_tls() {
            // Nobody needs to know what is in it.
            connection.socket().read(&mut buffer).unwrap()
        } else {
            // The kernel throws the bytes away uncopied.
            rustix::net::recv(connection.socket(), &mut buffer, RecvFlags::TRUNC).unwrap().1
        };
        assert!(length > 0, "the proxy ended the connection");
        received.fetch_add(length as u64, Ordering::Relaxed);
    }
}
