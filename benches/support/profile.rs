//! Where a contestant's CPU time goes, as perf samples it. Functions are told apart by their names, so what is small is
//! not exact.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What functions do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Cryptography,
    Copies,
    Heap,
    Rest,
    KernelCopies,
    /// To wake other threads and to change between them.
    KernelWaking,
    /// TCP/IP, system calls, epoll.
    KernelRest,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Cryptography,
        Self::Copies,
        Self::Heap,
        Self::Rest,
        Self::KernelCopies,
        Self::KernelWaking,
        Self::KernelRest,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cryptography => "cryptography",
            Self::Copies => "copies",
            Self::Heap => "heap",
            Self::Rest => "rest",
            Self::KernelCopies => "kernel: copies",
            Self::KernelWaking => "kernel: waking",
            Self::KernelRest => "kernel: rest",
        }
    }

    fn of(library: &str, is_kernel: bool, function: &str) -> Self {
        let is_any = |words: &[&str]| words.iter().any(|word| function.contains(word));
        match is_kernel {
            true if is_any(&["copy", "memcpy", "memset", "clear_page", "rep_movs"]) => Self::KernelCopies,
            true if is_any(&WAKING) && !function.contains("schedule_loss_probe") => Self::KernelWaking,
            true => Self::KernelRest,
            false if library.contains("libcrypto") || function.starts_with("ring::") => Self::Cryptography,
            false if is_any(&CRYPTOGRAPHY) => Self::Cryptography,
            false if is_any(&["memmove", "memcpy", "memset"]) => Self::Copies,
            false if library.contains("libc.so") && is_any(&["alloc", "free", "unlink_chunk"]) => Self::Heap,
            false => Self::Rest,
        }
    }
}

/// The sampling timer waits while interrupts are off, so `_raw_spin_unlock_irqrestore` is charged for all of that time,
/// which is mostly that of wake-ups.
const WAKING: [&str; 9] = [
    "spin_unlock_irqrestore",
    "wake",
    "sched",
    "switch",
    "enqueue_task",
    "dequeue_task",
    "pick_next",
    "update_curr",
    "sock_def_readable",
];
const CRYPTOGRAPHY: [&str; 12] =
    ["aws_lc", "ring_core", "<ring::", "25519", "aes", "gcm", "ghash", "sha256", "sha512", "ecp_", "p256", "subtle::"];

/// Samples a process while it lasts.
pub struct Profile {
    perf: Child,
    folder: TempDir,
}

impl Profile {
    /// Returns none if perf is not here.
    pub fn start(process: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut perf = Command::new("perf");
        perf.args(["record", "--quiet", "--event", "cpu-clock", "--freq", "1999"]);
        perf.args(["--pid", &process.to_string(), "--output"]).arg(folder.path().join("data"));
        let perf = perf.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        Some(Self { perf, folder })
    }

    /// Returns which part of the time each kind took, in percent.
    pub fn shares(mut self) -> [f64; Kind::ALL.len()] {
        let perf = Pid::from_raw(self.perf.id() as i32).unwrap();
        // It writes what it has.
        kill_process(perf, Signal::INT).unwrap();
        self.perf.wait().unwrap();
        let mut report = Command::new("perf");
        report.args(["report", "--quiet", "--no-children", "--sort", "dso,symbol", "--percent-limit", "0", "--input"]);
        let report = report.arg(self.folder.path().join("data")).output().unwrap();
        let mut shares = [0.0; Kind::ALL.len()];
        for line in String::from_utf8_lossy(&report.stdout).lines() {
            if let Some((share, kind)) = read(line) {
                shares[kind as usize] += share;
            }
        }
        assert!(shares.iter().sum::<f64>() > 1.0, "perf sampled nothing: it may need root");
        shares
    }
}

/// Returns the share and the kind in a line such as `6.80%  libc.so.6  [.] __memmove_avx_unaligned_erms`.
fn read(line: &str) -> Option<(f64, Kind)> {
    let (share, rest) = line.trim().split_once('%')?;
    let (library, function) = rest.trim().split_once(char::is_whitespace)?;
    let (level, function) = function.trim().strip_prefix('[')?.split_once(']')?;
    Some((share.parse().ok()?, Kind::of(library, level == "k", function.trim())))
}
