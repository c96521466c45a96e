//! Resident memory of a proxy per connection whose receiver reads nothing, and after it has read everything at last.
//! docs/benchmarks.md says how to read it.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use support::client::Connection;
use support::contestant::Contestant;
use support::member::STALL;
use support::mode::Mode;
use support::proxy::Proxy;
use support::{Bench, figures, number};

/// The kernel holds up to 80 MiB for each. When it runs out of memory for TCP (`tcp_mem`), sockets take less and stall.
const CONNECTIONS: usize = 10;
const SMALL_ANSWER: usize = 4 << 10;
/// More than the kernel's socket buffers hold of one connection.
const LARGE_ANSWER: usize = 16 << 20;
/// One after the other before the count begins, so that code and tables that every process has are in memory. The last
/// one asks for a large answer, so that spare buffers are there too.
const WARM_UP_CONNECTIONS: usize = 30;
/// A proxy that has used no CPU time for so long has come to rest.
const AT_REST: Duration = Duration::from_millis(700);
/// Longer than any proxy takes to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the two sides of each connection do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    SlowClient,
    SlowMember,
    BothSlow,
    /// The client reads nothing at first, then everything.
    SlowOnce,
}

impl Sides {
    const ALL: [Self; 4] = [Self::SlowClient, Self::SlowMember, Self::BothSlow, Self::SlowOnce];

    fn as_str(self) -> &'static str {
        match self {
            Self::SlowClient => "the member sends without end, the client reads nothing",
            Self::SlowMember => "the client sends without end, the member reads nothing",
            Self::BothSlow => "both send without end, neither reads",
            Self::SlowOnce => "the client has read a large answer at last, and is idle",
        }
    }

    /// Returns what the client asks the member for.
    fn request(self) -> u64 {
        match self {
            Self::SlowClient | Self::BothSlow => u64::MAX,
            Self::SlowMember => STALL,
            Self::SlowOnce => LARGE_ANSWER as u64,
        }
    }

    fn client_sends(self) -> bool {
        matches!(self, Self::SlowMember | Self::BothSlow)
    }
}

fn main() {
    let bench = Bench::new("Slow readers: memory that a proxy holds per connection");
    // One descriptor for the client's end, one for the member's, and some for the rest.
    let limit = pronk::net::raise_open_file_limit().map_or(usize::MAX, |limit| limit as usize);
    let connections = number("BENCH_CONNECTIONS", CONNECTIONS).min(limit.saturating_sub(200) / 2);
    let rounds = number("BENCH_ROUNDS", 3);
    println!("  KiB resident per connection, {connections} connections; median (least–most) of {rounds} round(s)");
    for sides in Sides::ALL {
        let measure = |index: usize, mode| round(&bench, bench.contestants[index], mode, sides, connections);
        let rows = bench.in_turns(rounds, measure);
        println!();
        figures::print(sides.as_str(), &rows, 1);
    }
}

/// KiB per connection. Every round has a process of its own: what an earlier one freed would be used again uncounted.
fn round(bench: &Bench, contestant: Contestant, mode: Mode, sides: Sides, connections: usize) -> f64 {
    let proxy = bench.start(contestant);
    let open = || Connection::open(proxy.address(mode), mode).unwrap();
    let mut large_answer = vec![0; LARGE_ANSWER];
    for number in 1..=WARM_UP_CONNECTIONS {
        let length = if number == WARM_UP_CONNECTIONS { LARGE_ANSWER } else { SMALL_ANSWER };
        let mut connection = open();
        connection.exchange(&mut large_answer[..length]).unwrap();
        connection.close().unwrap();
    }
    let before = proxy.resident_kib();
    let mut held: Vec<_> = (0..connections)
        .map(|_| {
            let mut connection = open();
            connection.ask(sides.request()).unwrap();
            connection
        })
        .collect();
    come_to_rest(&proxy, || {
        if sides.client_sends() {
            held.iter_mut().for_each(|connection| connection.send_all_it_takes().unwrap());
        }
    });
    if sides == Sides::SlowOnce {
        thread::scope(|scope| {
            for connection in &mut held {
                scope.spawn(|| connection.discard(LARGE_ANSWER).unwrap());
            }
        });
        come_to_rest(&proxy, || ());
    }
    let after = proxy.resident_kib();
    drop(held);
    (after - before) / connections as f64
}

/// Does `load` again and again until the proxy has nothing to do any more.
fn come_to_rest(proxy: &Proxy, mut load: impl FnMut()) {
    let begin = Instant::now();
    let (mut used, mut since) = (proxy.cpu_seconds(), begin);
    while since.elapsed() < AT_REST {
        assert!(begin.elapsed() < PATIENCE, "{} does not come to rest", proxy.contestant);
        load();
        thread::sleep(Duration::from_millis(50));
        let now = proxy.cpu_seconds();
        // One tick is what a proxy uses for its own affairs.
        if now - used > 0.015 {
            (used, since) = (now, Instant::now());
        }
    }
}
