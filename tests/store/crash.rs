//! Writers that are killed.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::support::ca::LeafBuilder;

/// Runs a command and kills it after `delay`, unless it has ended by then. Whether it was killed.
fn kill_after(bench: &Bench, line: &str, delay: Duration) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let mut child =
        bench.command().args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let (ended, end) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let _ = out.read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    if end.recv_timeout(delay).is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    reader.join().unwrap();
    status.signal() == Some(9)
}

#[test]
fn entry_is_whole_after_a_kill_at_any_moment() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        LeafBuilder::self_signed("lb.example.com").dns("lb.example.com").build().write(bench.0.path(), name);
    }
    bench.cert("create lb --dns lb.example.com").done();
    let commands = [
        "create lb --dns lb.example.com --replace",
        "import lb --cert a.pem --key a.key --replace",
        "renew lb",
        "import lb --cert b.pem --key b.key --replace",
        "create fresh --dns lb.example.com --replace",
    ];
    // How long a command takes changes with what else the machine does, so the guess follows what is seen.
    let mut usual = Duration::from_millis(50);
    let mut killed = 0;
    for round in 0..MOST_ROUNDS {
        if round >= 100 && killed >= ENOUGH {
            break;
        }
        let delay = usual.mul_f64(0.25 + fastrand::f64());
        let command = commands[round % commands.len()];
        let started = Instant::now();
        if kill_after(&bench, command, delay) {
            killed += 1;
            usual = usual.mul_f64(1.05);
        } else {
            usual = started.elapsed();
        }
        for entry in ["lb", "fresh"] {
            if entry == "lb" || bench.path("certs/fresh").exists() {
                let read = crate::identity(&bench.path("certs"), entry);
                assert!(read.is_ok(), "round {round}, after {command}, {delay:?}: {read:?}");
                assert_eq!(bench.files(&format!("certs/{entry}")), ["cert.pem", "key.pem"]);
            }
        }
    }
    assert!(killed >= ENOUGH, "only {killed} were killed in time");
    bench.assert_pair("lb");
    bench.cert("create fresh --dns lb.example.com --replace").done();
    assert_eq!(bench.files("certs"), [".lock", "fresh", "lb"], "the next writer tidies up");
}

/// Kills that tell something.
const ENOUGH: usize = 25;
const MOST_ROUNDS: usize = 500;
