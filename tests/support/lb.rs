//! The real pronk as a process, on ports of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

pub use super::port::free_port;

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The drain time in seconds, unless a test says another: longer than what a test does with a connection that drains.
const DRAIN: u32 = 8;

/// The lines that are logged unless a test says otherwise: with the records of clients that leave before they send
/// anything.
const LOG: &str = "info,pronk::connection=debug";
/// What says which lines are logged.
pub const LOG_VARIABLE: &str = "PRONK_LOG";

/// A running pronk with its folder; both end with it.
pub struct Pronk {
    child: Child,
    pub folder: tempfile::TempDir,
    log: Arc<(Mutex<Vec<serde_json::Value>>, Condvar)>,
    /// Processes that have taken over, the newest last.
    successors: Mutex<Vec<u32>>,
}

/// Waits until something is so, which nothing announces.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// pronk with so many threads for connections.
pub fn with_threads(threads: usize) -> Command {
    let mut command = Command::new("sh");
    let script = format!("exec \"$0\" \"$@\" --threads {threads}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_pronk")]);
    command
}

/// A configuration of one virtual server on one member, without TLS.
pub fn passthrough(member: SocketAddr, destination: &str) -> String {
    format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '{destination}', pool: p }} }}
",
        member.port()
    )
}

/// The output of a command that succeeds.
#[track_caller]
pub fn done(pronk: &Pronk, args: &[&str]) -> String {
    let output = pronk.command(args);
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{args:?}: {out}{err}");
    out + &err
}

/// Why a command is refused.
#[track_caller]
pub fn refused(pronk: &Pronk, args: &[&str]) -> String {
    let output = pronk.command(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Pronk {
    /// Runs the configuration that `write` makes in a new folder, and waits until it serves.
    pub fn start(write: impl FnOnce(&Path) -> String) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_pronk")), write)
    }

    /// As [`Self::start`], by a command that takes pronk's arguments.
    pub fn start_by(command: Command, write: impl FnOnce(&Path) -> String) -> Self {
        Self::start_with(command, DRAIN, write)
    }

    /// As [`Self::start_by`], with a drain time in seconds.
    pub fn start_with(mut command: Command, drain_timeout: u32, write: impl FnOnce(&Path) -> String) -> Self {
        command.stderr(Stdio::piped());
        let mut pronk = Self::spawn(command, drain_timeout, write);
        let (lines, sink) = (BufReader::new(pronk.child.stderr.take().unwrap()).lines(), Arc::clone(&pronk.log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| serde_json::json!({ "message": line }));
                sink.0.lock().push(value);
                sink.1.notify_all();
            }
        });
        pronk.logged("serving", |line| line["message"] == "serving");
        pronk
    }

    /// As [`Self::start_by`], where the command says what becomes of the log, which cannot be waited for then.
    pub fn start_unread(command: Command, write: impl FnOnce(&Path) -> String) -> Self {
        // It ends as soon as it may, as nobody reads of its drain.
        let pronk = Self::spawn(command, 2, write);
        let deadline = Instant::now() + PATIENCE;
        while !String::from_utf8_lossy(&pronk.command(&["show", "map"]).stdout).contains(": serving") {
            assert!(Instant::now() < deadline, "pronk does not serve");
        }
        pronk
    }

    fn spawn(mut command: Command, drain_timeout: u32, write: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = write(folder.path());
        std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
        if !command.get_envs().any(|(name, _)| name == LOG_VARIABLE) {
            command.env(LOG_VARIABLE, LOG);
        }
        let child = command
            .arg("run")
            .arg(folder.path().join("pronk.yaml"))
            .args(["--log-format", "json", "--drain-timeout", &drain_timeout.to_string(), "--admin-socket"])
            .arg(folder.path().join("admin.sock"))
            .spawn()
            .unwrap();
        Self { child, folder, log: Arc::default(), successors: Mutex::default() }
    }

    /// Waits for a log line.
    pub fn logged(&self, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.0.lock();
        loop {
            if let Some(line) = lines.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "pronk never logged {what}: {lines:#?}");
            self.log.1.wait_for(&mut lines, left);
        }
    }

    /// What was logged until now.
    pub fn log(&self) -> Vec<serde_json::Value> {
        self.log.0.lock().clone()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "pronk does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the record of a connection that ended with this code.
    pub fn closed(&self, code: &str) -> serde_json::Value {
        self.logged(code, |line| line["close.code"] == code)
    }

    /// How many threads carry connections.
    pub fn connection_threads(&self) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default());
        names.filter(|name| name.trim_end() == "connections").count()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has a new process take over, and returns its number. It ends with this, too.
    pub fn upgrade(&self) -> u32 {
        let out = done(self, &["upgrade"]);
        let pid = out.strip_prefix("process ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        let pid = pid.unwrap_or_else(|| panic!("{out}"));
        self.adopt(pid);
        pid
    }

    /// Has a process that has taken over end with this.
    pub fn adopt(&self, pid: u32) {
        self.successors.lock().push(pid);
    }

    /// Runs a command of pronk's against this one.
    pub fn command(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pronk"))
            .args(args)
            .env("PRONK_ADMIN_SOCKET", self.folder.path().join("admin.sock"))
            .output()
            .unwrap()
    }

    /// Asks the admin socket, and returns the code and the whole answer: its head, an empty line and its body.
    pub fn get(&self, uri: &str, headers: &str) -> (u16, String) {
        let mut socket = UnixStream::connect(self.folder.path().join("admin.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(socket, "GET {uri} HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    pub fn stats(&self) -> serde_json::Value {
        let output = self.command(&["show", "stats", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Pronk {
    fn drop(&mut self) {
        // It may have ended by itself, which is no reason to fail here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.successors.lock().iter() {
            // By now the number may be another process's.
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&arguments).contains(&*self.folder.path().to_string_lossy()) {
                let _ = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
            }
        }
    }
}
