//! A run: chains are made, shown and judged, and the verdicts compared.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;
use pronk::lint::clients::Client;

use crate::case::{self, Case};
use crate::client::{self, Ports, RealVerdict};
use crate::compare::Comparison;
use crate::pronk_verdicts::PronkVerdicts;
use crate::raw_server;
use crate::rustls_client;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential");

/// Compares pronk with every client of this machine on so many chains.
pub(crate) fn run(count: usize, seed: u64, keep: Option<&Path>) {
    let started = Instant::now();
    // Chains and verdicts that are kept are not made again.
    let temporary = tempfile::tempdir().unwrap();
    let folder = keep.unwrap_or_else(|| temporary.path());
    let Some(python) = generator() else {
        return println!("skipped: no Python here has the package cryptography, which makes the chains");
    };
    if !folder.join("cases.tsv").exists() {
        let arguments = [folder.display().to_string(), count.to_string(), seed.to_string()];
        let made = Command::new(python).arg(format!("{HERE}/generate.py")).args(arguments).status().unwrap();
        assert!(made.success(), "the chains cannot be made");
    }
    let cases = case::read(folder);
    let mut server = Server::start(folder);
    let ports = Ports { openssl: server.port, raw: raw_server::start(&cases) };
    let verdicts = judge_all(&cases, folder, ports);
    server.stop();
    let mut comparison = Comparison::default();
    for case in &cases {
        comparison.add(case, &verdicts[&case.number], &PronkVerdicts::of(case));
    }
    println!("{}in {:.0?}, with seed {seed}", comparison.report(), started.elapsed());
    assert!(comparison.is_clean(), "pronk and the clients differ");
}

/// Returns a Python that can make certificates.
fn generator() -> Option<&'static str> {
    let has = |python: &&str| {
        let probe = Command::new(python).args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    ["python3", concat!(env!("CARGO_MANIFEST_DIR"), "/target/differential-venv/bin/python")].into_iter().find(has)
}

type Verdicts = Vec<(String, Client, RealVerdict)>;

/// Lets every client judge every case, as many at a time as there are processors.
fn judge_all(cases: &[Case], folder: &Path, ports: Ports) -> BTreeMap<usize, Verdicts> {
    let clients = client::find();
    let titles: Vec<_> = clients.iter().map(|it| it.title.as_str()).chain(["rustls"]).collect();
    println!("clients: {}", titles.join(", "));
    let mut all: BTreeMap<usize, Verdicts> = BTreeMap::new();
    for case in cases {
        let verdict = rustls_client::judge(case, ports.of(case));
        all.entry(case.number).or_default().push(("rustls".into(), Client::Rustls, verdict));
    }
    let (all, next) = (Mutex::new(all), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, Into::into) {
            scope.spawn(|| {
                while let Some(client) = clients.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (case, verdicts) in client.judge(folder, ports) {
                        let verdicts = verdicts.into_iter().map(|(column, it)| (client.title.clone(), column, it));
                        all.lock().entry(case).or_default().extend(verdicts);
                    }
                }
            });
        }
    });
    all.into_inner()
}

/// The server that shows the chains; it ends with its standard input.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new("python3");
        command.arg(format!("{HERE}/serve.py")).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().unwrap() }
    }

    fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
