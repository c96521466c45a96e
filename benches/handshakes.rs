//! Connections per second of a proxy's CPU time, each with a full TLS 1.3 handshake (none in passthrough), one small request
//! with its answer, and an orderly end. docs/benchmarks.md says how to read it.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::client::Connection;
use support::proxy::Mode;
use support::{Bench, figures, per_cpu_second};

const CLIENTS: usize = 16;
const ANSWER: usize = 128;

fn main() {
    let bench = Bench::new("Handshakes: short connections through a proxy");
    let proxies = bench.start_all();
    for proxy in &proxies {
        let connection = Connection::open(proxy.address(Mode::Offload), Mode::Offload).unwrap();
        println!("  {:<16} chooses {:?}", proxy.contestant, connection.cipher().unwrap());
    }
    println!();
    let rows = bench.in_turns(bench.rounds, |index, mode| {
        let address = proxies[index].address(mode);
        per_cpu_second(&proxies[index], CLIENTS, bench.round, |finished: &AtomicU64, stop: &AtomicBool| {
            let mut answer = [0; ANSWER];
            while !stop.load(Ordering::Relaxed) {
                let mut connection = Connection::open(address, mode).unwrap();
                connection.exchange(&mut answer).unwrap();
                connection.close().unwrap();
                finished.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let rounds = bench.rounds;
    let unit = "connections per second of the proxy's CPU time";
    figures::print(&format!("{unit}, {CLIENTS} clients; median (least–most) of {rounds} round(s)"), &rows, 0);
}
