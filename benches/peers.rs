//! pronk beside HAProxy and nginx, in every mode: bytes down and up, requests, connections, resumed connections, and memory
//! of idle ones. docs/benchmarks.md says how to read it.

mod support;

use std::env;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::RecvFlags;

use support::client::{Connection, Records, resuming_config};
use support::contestant::{Contestant, is_observed};
use support::figures::{Better, Table};
use support::member::{SINK, pattern};
use support::mode::Mode;
use support::profile::{Kind, Profile};
use support::proxy::Proxy;
use support::{Bench, bare, number, per_cpu_second};

const BULK_CONNECTIONS: usize = 4;
const CLIENTS: usize = 16;
const BUFFER: usize = 512 << 10;
const ANSWER: usize = 128;
const IDLE_ANSWER: usize = 4 << 10;
/// One after the other before idle connections are counted, so that code and tables that every process has are in memory.
const WARM_UP_CONNECTIONS: usize = 30;
const SETTLING: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    Down,
    Up,
    Requests,
    Connections,
    Resumed,
    Idle,
}

impl Load {
    const ALL: [Self; 6] = [Self::Down, Self::Up, Self::Requests, Self::Connections, Self::Resumed, Self::Idle];

    fn describe(self, mode: Mode) -> &'static str {
        match self {
            Self::Down => "GB down",
            Self::Up => "GB up",
            Self::Requests => "thousand requests",
            Self::Connections if mode == Mode::Passthrough => "connections",
            Self::Connections => "full handshakes",
            Self::Resumed => "resumed",
            Self::Idle => "idle, KiB",
        }
    }

    fn decimals(self) -> usize {
        match self {
            Self::Down | Self::Up => 2,
            Self::Requests | Self::Idle => 1,
            Self::Connections | Self::Resumed => 0,
        }
    }
}

fn main() {
    bare::run_if_asked();
    let mut bench = Bench::new("Work per second of the proxy's CPU time, and memory per idle connection");
    if !is_observed() {
        bench.add_bare();
    }
    let rows = env::var("BENCH_ROWS").unwrap_or_default();
    let proxies = bench.start_all();
    let mut table = Table::new(&bench.contestants);
    let all = || Mode::ALL.into_iter().flat_map(|mode| Load::ALL.map(|load| (mode, load)));
    let wanted: Vec<_> = all()
        .filter(|(mode, load)| mode.client_speaks_tls() || *load != Load::Resumed)
        // The member counts what comes up from all.
        .filter(|(_, load)| *load != Load::Up || !is_together())
        .filter(|(mode, load)| format!("{}, {}", mode.as_str(), load.describe(*mode)).contains(&rows))
        .collect();
    assert!(!wanted.is_empty(), "no row's name contains {rows}");
    if env::var_os("BENCH_PROFILE").is_some() {
        profile(&bench, &proxies, &wanted);
        return;
    }
    for (mode, load) in &wanted {
        let better = if *load == Load::Idle { Better::Less } else { Better::More };
        table.row(&format!("{}, {}", mode.as_str(), load.describe(*mode)), load.decimals(), better);
    }
    for round in 0..bench.rounds {
        for (row, (mode, load)) in wanted.iter().enumerate() {
            let measure = |proxy: &Proxy| measure(&bench, proxy, *mode, *load, round);
            let figures: Vec<_> = if is_together() && *load != Load::Idle {
                all_at_once(&proxies, measure)
            } else {
                in_order(round, proxies.len()).map(|index| (index, measure(&proxies[index]))).collect()
            };
            for (index, figure) in figures {
                figure.into_iter().for_each(|figure| table.add(row, index, figure));
            }
        }
    }
    print!("{table}");
}

/// Prints where the CPU time of each contestant goes.
fn profile(bench: &Bench, proxies: &[Proxy], rows: &[(Mode, Load)]) {
    println!("  percent of CPU time{:17}{}", "", Kind::ALL.map(|kind| format!("{:>16}", kind.as_str())).concat());
    for (mode, load) in rows.iter().filter(|(_, load)| *load != Load::Idle) {
        println!("  {}, {}", mode.as_str(), load.describe(*mode));
        for proxy in proxies {
            let Some(profile) = Profile::start(proxy.id()) else {
                println!("  perf is not here");
                return;
            };
            // The first round, which is 0, tells of sessions that are not resumed.
            measure(bench, proxy, *mode, *load, 1);
            let shares = profile.shares().map(|share| format!("{share:>16.1}")).concat();
            println!("    {:<32}{shares}", proxy.contestant.to_string());
        }
    }
}

/// Whether all contestants are measured at the same time and share the processor (`BENCH_TOGETHER`). The machine's noise is
/// then the same for all, and small differences show.
fn is_together() -> bool {
    is_observed() || env::var_os("BENCH_TOGETHER").is_some()
}

fn all_at_once<T: Send>(proxies: &[Proxy], measure: impl Fn(&Proxy) -> T + Sync) -> Vec<(usize, T)> {
    thread::scope(|scope| {
        let measuring: Vec<_> = proxies.iter().map(|proxy| scope.spawn(|| measure(proxy))).collect();
        measuring.into_iter().map(|measuring| measuring.join().unwrap()).enumerate().collect()
    })
}

/// Returns who is measured when in a round: every other round the other way round, so that nobody gains by who was
/// measured before.
fn in_order(round: usize, proxies: usize) -> impl Iterator<Item = usize> {
    (0..proxies).map(move |place| if round.is_multiple_of(2) { place } else { proxies - 1 - place })
}

/// Returns none for what a contestant is not measured in.
fn measure(bench: &Bench, proxy: &Proxy, mode: Mode, load: Load, round: usize) -> Option<f64> {
    if proxy.contestant == Contestant::Bare && load == Load::Idle {
        return None;
    }
    let (address, small) = (proxy.address(mode), proxy.small_address(mode));
    let per_second = |threads, load: &(dyn Fn(&AtomicU64, &AtomicBool) + Sync)| {
        Some(per_cpu_second(proxy, threads, bench.round, load))
    };
    match load {
        Load::Down => per_second(BULK_CONNECTIONS, &|count, stop| download(address, mode, count, stop)).map(giga),
        Load::Up => {
            let received = &bench.member.received;
            let counted = |count: &AtomicU64, stop: &AtomicBool| upload(address, mode, received, count, stop);
            per_second(BULK_CONNECTIONS, &counted).map(giga)
        }
        Load::Requests => per_second(CLIENTS, &|count, stop| exchange(small, mode, count, stop)).map(|it| it / 1e3),
        Load::Connections => per_second(CLIENTS, &|count, stop| {
            connect(count, stop, || Connection::open(small, mode).unwrap());
        }),
        Load::Resumed => {
            let (config, address) = (resuming_config(), proxy.resuming_address(mode));
            let (resumed, all) = (AtomicU64::new(0), AtomicU64::new(0));
            let figure = per_second(CLIENTS, &|count, stop| {
                connect(count, stop, || {
                    let connection = Connection::open_with(address, mode, &config).unwrap();
                    resumed.fetch_add(connection.is_resumed().into(), Ordering::Relaxed);
                    all.fetch_add(1, Ordering::Relaxed);
                    connection
                });
            });
            let (resumed, all) = (resumed.into_inner(), all.into_inner());
            if resumed * 10 < all * 9 && round == 0 {
                println!("  {} resumes {resumed} of {all} sessions in {}", proxy.contestant, mode.as_str());
            }
            figure
        }
        Load::Idle if round >= IDLE_ROUNDS => None,
        Load::Idle => Some(idle(bench, proxy.contestant, mode)),
    }
}

/// Memory varies less than time.
const IDLE_ROUNDS: usize = 3;

fn giga(figure: f64) -> f64 {
    figure / 1e9
}

fn download(address: SocketAddr, mode: Mode, received: &AtomicU64, stop: &AtomicBool) {
    let mut connection = Connection::open(address, mode).unwrap();
    connection.ask(u64::MAX).unwrap();
    let mut buffer = vec![0; BUFFER];
    let mut records = Records::default();
    while !stop.load(Ordering::Relaxed) {
        let (length, payload) = if mode.client_speaks_tls() {
            let length = connection.socket().read(&mut buffer).unwrap();
            (length, records.pass(&buffer[..length]))
        } else {
            // The kernel throws the bytes away uncopied.
            let (_, length) = rustix::net::recv(connection.socket(), &mut buffer, RecvFlags::TRUNC).unwrap();
            (length, length as u64)
        };
        assert!(length > 0, "the proxy ended the connection");
        received.fetch_add(payload, Ordering::Relaxed);
    }
}

/// Sends without end. What the member has received counts, and one of the threads passes its count on.
fn upload(address: SocketAddr, mode: Mode, received: &AtomicU64, count: &AtomicU64, stop: &AtomicBool) {
    let mut connection = Connection::open(address, mode).unwrap();
    connection.ask(SINK).unwrap();
    while !stop.load(Ordering::Relaxed) {
        connection.send(&pattern()[..UPLOAD]).unwrap();
        count.fetch_add(received.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }
}

const UPLOAD: usize = 256 << 10;

fn exchange(address: SocketAddr, mode: Mode, count: &AtomicU64, stop: &AtomicBool) {
    let mut connection = Connection::open(address, mode).unwrap();
    let mut answer = [0; ANSWER];
    while !stop.load(Ordering::Relaxed) {
        connection.exchange(&mut answer).unwrap();
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn connect(count: &AtomicU64, stop: &AtomicBool, open: impl Fn() -> Connection) {
    let mut answer = [0; ANSWER];
    while !stop.load(Ordering::Relaxed) {
        let mut connection = open();
        connection.exchange(&mut answer).unwrap();
        connection.close().unwrap();
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// KiB per connection. Every round has a process of its own: what an earlier one freed would be used again uncounted.
fn idle(bench: &Bench, contestant: Contestant, mode: Mode) -> f64 {
    // One descriptor for the client's end, one for the member's, and some for the rest.
    let limit = pronk::net::raise_open_file_limit().map_or(usize::MAX, |limit| limit as usize);
    let connections = number("BENCH_CONNECTIONS", 2000).min(limit.saturating_sub(200) / 2);
    let proxy = bench.start(contestant);
    let mut answer = [0; IDLE_ANSWER];
    let mut open = || {
        let mut connection = Connection::open(proxy.address(mode), mode).unwrap();
        connection.exchange(&mut answer).unwrap();
        connection
    };
    for _ in 0..WARM_UP_CONNECTIONS {
        open().close().unwrap();
    }
    let before = proxy.resident_kib();
    let held: Vec<_> = (0..connections).map(|_| open()).collect();
    thread::sleep(SETTLING);
    let after = proxy.resident_kib();
    drop(held);
    (after - before) / connections as f64
}
