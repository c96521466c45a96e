//! Resident memory of a proxy per idle connection: each has done a small exchange and then holds its peace.
//! docs/benchmarks.md says how to read it.

mod support;

use std::thread;
use std::time::Duration;

use support::client::Connection;
use support::proxy::{Contestant, Mode};
use support::{Bench, figures, number};

const ANSWER: usize = 4 << 10;
/// One after the other before the count begins, so that code and tables that every process has are in memory.
const WARM_UP_CONNECTIONS: usize = 30;
const SETTLING: Duration = Duration::from_millis(1500);

fn main() {
    let bench = Bench::new("Idle: memory that a proxy holds per connection");
    // One descriptor for the client's end, one for the member's, and some for the rest.
    let limit = pronk::net::raise_open_file_limit().map_or(usize::MAX, |limit| limit as usize);
    let connections = number("BENCH_CONNECTIONS", 2000).min(limit.saturating_sub(200) / 2);
    let rounds = number("BENCH_ROUNDS", 3);
    let rows = bench.in_turns(rounds, |index, mode| round(&bench, bench.contestants[index], mode, connections));
    let unit =
        format!("KiB resident per connection, {connections} connections; median (least–most) of {rounds} round(s)");
    figures::print(&unit, &rows, 1);
}

/// KiB per connection. Every round has a process of its own: what an earlier one freed would be used again uncounted.
fn round(bench: &Bench, contestant: Contestant, mode: Mode, connections: usize) -> f64 {
    let proxy = bench.start(contestant);
    let mut answer = [0; ANSWER];
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
