//! What a proxy streams from a member to its clients, in bytes of payload per second of its CPU time: passthrough,
//! offload and re-encrypt. docs/benchmarks.md says how to read it.

mod support;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::net::RecvFlags;

use support::client::{Connection, Records};
use support::proxy::Mode;
use support::{Bench, figures, per_cpu_second};

const CONNECTIONS: usize = 4;
const BUFFER: usize = 512 << 10;

fn main() {
    let bench = Bench::new("Throughput: downloads through a proxy");
    let proxies = bench.start_all();
    let rows = bench.in_turns(bench.rounds, |index, mode| {
        let address = proxies[index].address(mode);
        let load = |received: &AtomicU64, stop: &AtomicBool| download(address, mode, received, stop);
        per_cpu_second(&proxies[index], CONNECTIONS, bench.round, load) / 1e9
    });
    let rounds = bench.rounds;
    let unit = "GB of payload per second of the proxy's CPU time";
    figures::print(&format!("{unit}, {CONNECTIONS} connections; median (least–most) of {rounds} round(s)"), &rows, 2);
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
