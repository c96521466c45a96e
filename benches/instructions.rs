//! How many instructions pronk spends in user mode for one connection, handshake, request and MiB, counted by valgrind: the
//! counts hardly depend on how busy the machine is, so that a regression shows where times do not. They are printed beside
//! those in benches/instructions.txt, which `BENCH_RECORD=1` writes anew.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use rustls::ClientConfig;
use support::certificates::{Certificates, MEMBER_NAME};
use support::client::{Connection, config, resuming_config};
use support::member::Member;
use support::mode::Mode;
use support::number;
use support::running::program;

/// What is counted, once for each operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// Connect, a full handshake where there is TLS, one request, and an end in order.
    Connection,
    /// The same with a session that is resumed, also toward the member.
    Resumed,
    /// The same as a connection, where the member is chosen among a thousand.
    AmongMembers,
    Request,
    /// A download of so many bytes.
    MiB,
}

const OPERATIONS: [(Mode, Operation); 13] = [
    (Mode::Passthrough, Operation::Connection),
    (Mode::Passthrough, Operation::AmongMembers),
    (Mode::Passthrough, Operation::Request),
    (Mode::Passthrough, Operation::MiB),
    (Mode::Offload, Operation::Connection),
    (Mode::Offload, Operation::Resumed),
    (Mode::Offload, Operation::AmongMembers),
    (Mode::Offload, Operation::Request),
    (Mode::Offload, Operation::MiB),
    (Mode::ReEncrypt, Operation::Connection),
    (Mode::ReEncrypt, Operation::Resumed),
    (Mode::ReEncrypt, Operation::Request),
    (Mode::ReEncrypt, Operation::MiB),
];

const MEMBERS: usize = 1000;

fn main() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not here, which counts instructions: apt-get install valgrind");
        return;
    }
    let times = number("BENCH_TIMES", 100);
    let certificates = Certificates::new();
    let member = Member::start(&certificates);
    let recorded = fs::read_to_string(RECORD).unwrap_or_default();
    println!("\nInstructions in user mode for each operation, by callgrind\n");
    println!("  {:<44}{:>12}{:>12}{:>10}", "", "now", "recorded", "");
    let mut record = String::new();
    for (mode, operation) in OPERATIONS {
        let name = format!("{}, {}", mode.as_str(), operation.describe());
        // What starting and ending cost is in both.
        let few = instructions(&certificates, &member, mode, operation, times);
        let many = instructions(&certificates, &member, mode, operation, 3 * times);
        let each = many.saturating_sub(few) / (2 * times as u64);
        let before = recorded.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<u64>().ok());
        let [before, change] = before.map_or_else(Default::default, |before| {
            [before.to_string(), format!("{:+.1} %", (each as f64 / before as f64 - 1.0) * 100.0)]
        });
        println!("  {name:<44}{each:>12}{before:>12}{change:>10}");
        writeln!(record, "{name:<44}{each:>12}").unwrap();
    }
    if std::env::var_os("BENCH_RECORD").is_some() {
        fs::write(RECORD, record).unwrap();
    }
}

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

impl Operation {
    fn describe(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Resumed => "connection, resumed",
            Self::AmongMembers => "connection, a pool of 1,000",
            Self::Request => "request",
            Self::MiB => "MiB down",
        }
    }

    fn repeat(self, address: SocketAddr, mode: Mode, times: usize) {
        match self {
            Self::Connection | Self::AmongMembers => (0..times).for_each(|_| connect(address, mode, config())),
            Self::Resumed => {
                let config = resuming_config();
                (0..times).for_each(|_| connect(address, mode, &config));
            }
            Self::Request => {
                let mut connection = Connection::open(address, mode).unwrap();
                (0..times).for_each(|_| connection.exchange(&mut [0; 128]).unwrap());
                connection.close().unwrap();
            }
            Self::MiB => {
                let mut connection = Connection::open(address, mode).unwrap();
                connection.ask((times << 20) as u64).unwrap();
                connection.discard(times << 20).unwrap();
                connection.close().unwrap();
            }
        }
    }
}

fn connect(address: SocketAddr, mode: Mode, config: &Arc<ClientConfig>) {
    let mut connection = Connection::open_with(address, mode, config).unwrap();
    connection.exchange(&mut [0; 128]).unwrap();
    connection.close().unwrap();
}

/// Returns how many instructions a pronk takes that does something so many times, from its start to its end.
fn instructions(certificates: &Certificates, member: &Member, mode: Mode, operation: Operation, times: usize) -> u64 {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = |name: &str| certificates.path(name);
    let text =
        configuration(certificates, member.address((mode, operation == Operation::Resumed)), mode, operation, address);
    fs::write(file("instructions.yaml"), text).unwrap();
    let counted =
        Counted::start(&file("instructions.yaml"), &file("callgrind.out"), &file("instructions.sock"), address);
    operation.repeat(address, mode, times);
    counted.end()
}

fn configuration(
    certificates: &Certificates,
    member: SocketAddr,
    mode: Mode,
    operation: Operation,
    address: SocketAddr,
) -> String {
    let path = |name: &str| certificates.path(name).display().to_string();
    let count = if operation == Operation::AmongMembers { MEMBERS } else { 1 };
    let mut text = format!("nodes:\n  m: {{ address: {}, hostname: {MEMBER_NAME} }}\n", member.ip());
    (1..count).for_each(|other| writeln!(text, "  n{other}: {{ address: 127.0.0.2 }}").unwrap());
    text += "pools:\n  p:\n    members:\n";
    writeln!(text, "      - \"m:{}\"", member.port()).unwrap();
    // All but one are out of service.
    for other in 1..count {
        writeln!(text, "      - {{ member: \"n{other}:9\", state: forced-offline }}").unwrap();
    }
    let ssl = match mode {
        Mode::Passthrough => "",
        Mode::Offload => ", client-ssl: front",
        Mode::ReEncrypt => ", client-ssl: front, server-ssl: back",
    };
    text + &format!(
        "profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: {}, key: {} }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: {} }}
virtual-servers:
  vs: {{ destination: \"{address}\", pool: p{ssl} }}
",
        path("lb.pem"),
        path("lb.key"),
        path("ca.pem")
    )
}

/// A pronk whose instructions are counted.
struct Counted {
    child: Child,
    out: PathBuf,
}

impl Counted {
    fn start(config: &Path, out: &Path, socket: &Path, address: SocketAddr) -> Self {
        let mut option = std::ffi::OsString::from("--callgrind-out-file=");
        option.push(out);
        let mut command = Command::new("valgrind");
        command.args(["-q", "--tool=callgrind"]).arg(option).arg(program()).arg("run").arg(config);
        command.args(["--threads", "1", "--drain-timeout", "2", "--admin-socket"]).arg(socket);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut counted = Self { child, out: out.to_owned() };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "pronk does not listen");
            assert!(counted.child.try_wait().unwrap().is_none(), "pronk has ended");
            thread::sleep(Duration::from_millis(50));
        }
        counted
    }

    /// Ends the process, and returns its count.
    fn end(mut self) -> u64 {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let counts = fs::read_to_string(&self.out).unwrap();
        counts.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok()).unwrap()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Under valgrind everything takes fifty times as long.
const PATIENCE: Duration = Duration::from_secs(60);
