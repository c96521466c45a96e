//! A pronk that runs by itself, with a configuration of its own and an admin socket.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A pronk that runs, and its configuration `pronk.yaml`.
pub struct Running {
    child: Child,
    /// The number of the process that has taken over.
    pub successor: Option<i32>,
    pub socket: PathBuf,
    /// How long it took until it accepted connections.
    pub started_in: Duration,
}

impl Running {
    /// Starts pronk with `pronk.yaml` of a folder, and returns once it accepts connections at an address.
    pub fn start(folder: &Path, address: SocketAddr) -> Self {
        let socket = folder.join("admin.sock");
        let began = Instant::now();
        let child = Command::new(program())
            .arg("run")
            .arg(folder.join("pronk.yaml"))
            .args(["--log", "warn", "--drain-timeout", "0", "--admin-socket"])
            .arg(&socket)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Self { child, successor: None, socket, started_in: Duration::ZERO };
        wait_until_it_accepts(&mut running.child, "pronk", address);
        running.started_in = began.elapsed();
        // A reload is refused until then.
        while !String::from_utf8_lossy(&running.ask("GET", "/v1/map")).contains("\"phase\":\"serving\"") {
            assert!(began.elapsed() < PATIENCE, "pronk does not serve");
        }
        running
    }

    /// Asks the admin socket, and returns a good answer.
    pub fn ask(&self, method: &str, path: &str) -> Vec<u8> {
        ask(&self.socket, method, path)
    }

    pub fn resident_kib(&self) -> f64 {
        resident_kib(&fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = self.successor.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pronk that was built with the benchmarks; `PRONK_BIN` is another.
pub fn program() -> PathBuf {
    env::var_os("PRONK_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_pronk").into()).into()
}

/// Returns once a process accepts connections at an address.
pub fn wait_until_it_accepts(child: &mut Child, name: &str, address: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("{name} ended with {status}");
        }
        assert!(Instant::now() < deadline, "{name} does not listen");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the resident memory that `/proc/PID/status` tells.
pub fn resident_kib(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Asks an admin socket, and returns a good answer.
pub fn ask(socket: &Path, method: &str, path: &str) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let start = String::from_utf8_lossy(&answer[..answer.len().min(1000)]);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{method} {path}: {start}");
    answer
}

/// Writes a file that its owner alone may read.
pub fn private(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Under valgrind everything takes fifty times as long, and pronk's start gives way to all else on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
