//! The proxies: how each is configured, started, watched and stopped.

use std::env;
use std::fmt::{self, Write};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::certificates::{Certificates, MEMBER_NAME};
use super::cores;
use super::member::Member;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Passthrough,
    Offload,
    ReEncrypt,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Passthrough, Self::Offload, Self::ReEncrypt];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Offload => "offload",
            Self::ReEncrypt => "re-encrypt",
        }
    }

    pub fn client_speaks_tls(self) -> bool {
        self != Self::Passthrough
    }
}

/// Who takes part. All have one thread, TLS 1.3, the same certificate, the same member, and write a line per connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    Pronk,
    Haproxy,
    /// With what its manual offers for this work: splicing, large buffers, and the cipher that costs least.
    HaproxyTuned,
}

impl Contestant {
    /// Those whose programs are here and whose names contain `part`.
    pub fn present(part: &str) -> Vec<Self> {
        let mut all = vec![Self::Pronk];
        match Command::new(Self::Haproxy.program()).arg("-v").output() {
            Ok(_) => all.extend([Self::Haproxy, Self::HaproxyTuned]),
            Err(error) => println!("haproxy is not here ({error}), so there is nothing to compare with"),
        }
        all.retain(|contestant| contestant.to_string().contains(part));
        assert!(!all.is_empty(), "no contestant's name contains {part}");
        all
    }

    /// `PRONK_BIN` and `HAPROXY_BIN` put other builds in their places.
    pub fn program(self) -> PathBuf {
        match self {
            Self::Pronk => env::var_os("PRONK_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_pronk").into()).into(),
            _ => env::var_os("HAPROXY_BIN").unwrap_or_else(|| "haproxy".into()).into(),
        }
    }

    pub fn version(self) -> String {
        let flag = if self == Self::Pronk { "--version" } else { "-v" };
        let output = Command::new(self.program()).arg(flag).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("says no version").to_owned()
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pronk => "pronk",
            Self::Haproxy => "haproxy",
            Self::HaproxyTuned => "haproxy-tuned",
        })
    }
}

/// A proxy that runs, with one port for each mode.
pub struct Proxy {
    pub contestant: Contestant,
    child: Child,
    addresses: [SocketAddr; 3],
    log: PathBuf,
}

impl Proxy {
    /// Returns once every port accepts.
    pub fn start(contestant: Contestant, certificates: &Certificates, member: &Member) -> Self {
        let addresses = free_addresses();
        let config = certificates.path(&format!("{contestant}.conf"));
        let log = certificates.path(&format!("{contestant}.log"));
        let mut command = Command::new(contestant.program());
        if contestant == Contestant::Pronk {
            fs::write(&config, pronk_config(&addresses, certificates, member)).unwrap();
            command
                .arg("run")
                .arg(&config)
                .args(["--threads", "1", "--admin-socket"])
                .arg(certificates.path("pronk.sock"));
        } else {
            fs::write(&config, haproxy_config(contestant, &addresses, certificates, member)).unwrap();
            command.args(["-db", "-f"]).arg(&config);
        }
        let output = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = cores::on_the_proxys(|| command.spawn()).unwrap();
        let mut proxy = Self { contestant, child, addresses, log };
        proxy.wait_until_ready();
        proxy
    }

    pub fn address(&self, mode: Mode) -> SocketAddr {
        self.addresses[mode as usize]
    }

    /// What all its threads have used so far, in user and kernel mode.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The program's name may hold anything, so fields are counted after it; these are utime and stime.
        let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64
    }

    pub fn resident_kib(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))
            .unwrap_or_else(|error| panic!("{} is gone: {error}", self.contestant))
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        for address in self.addresses {
            while TcpStream::connect(address).is_err() {
                let ended = self.child.try_wait().unwrap();
                if ended.is_some() || Instant::now() > deadline {
                    let how = ended.map_or_else(|| "does not listen".into(), |status| format!("ended with {status}"));
                    panic!("{} {how}", self.contestant);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of {} ends with:\n{}", self.contestant, self.log_tail());
        }
        // It may have ended already; then there is nothing left to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that were free a moment ago, one for each mode.
fn free_addresses() -> [SocketAddr; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

fn pronk_config(addresses: &[SocketAddr; 3], certificates: &Certificates, member: &Member) -> String {
    let file = |name: &str| certificates.path(name).display().to_string();
    let mut text = format!(
        "nodes:
  member: {{ address: {}, hostname: {MEMBER_NAME} }}
pools:
  pool-plain: {{ members: [\"member:{}\"] }}
  pool-tls: {{ members: [\"member:{}\"] }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: {}, key: {} }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: {} }}
virtual-servers:
",
        member.plain.ip(),
        member.plain.port(),
        member.tls.port(),
        file("lb.pem"),
        file("lb.key"),
        file("ca.pem"),
    );
    for (mode, address) in Mode::ALL.iter().zip(addresses) {
        let rest = match mode {
            Mode::Passthrough => "pool: pool-plain",
            Mode::Offload => "pool: pool-plain, client-ssl: front",
            Mode::ReEncrypt => "pool: pool-tls, client-ssl: front, server-ssl: back",
        };
        writeln!(text, "  vs-{}: {{ destination: \"{address}\", {rest} }}", mode.as_str()).unwrap();
    }
    text
}

fn haproxy_config(
    contestant: Contestant,
    addresses: &[SocketAddr; 3],
    certificates: &Certificates,
    member: &Member,
) -> String {
    let tuned = contestant == Contestant::HaproxyTuned;
    let path = |name: &str| -> String { Path::display(&certificates.path(name)).to_string() };
    let mut text = format!(
        "global
    nbthread 1
    maxconn 4000
    log stdout format raw local0 info
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-server-options ssl-min-ver TLSv1.3
{}
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 10s
    timeout client 1h
    timeout server 1h
{}
",
        if tuned { HAPROXY_TUNED_GLOBAL } else { "" },
        if tuned { HAPROXY_TUNED_DEFAULTS } else { "" },
    );
    for (mode, address) in Mode::ALL.iter().zip(addresses) {
        let name = mode.as_str();
        let front = format!("ssl crt {}", path("lb-both.pem"));
        let back = format!("ssl verify required ca-file {} verifyhost {MEMBER_NAME}", path("ca.pem"));
        let (front, server, back) = match mode {
            Mode::Passthrough => ("", member.plain, ""),
            Mode::Offload => (front.as_str(), member.plain, ""),
            Mode::ReEncrypt => (front.as_str(), member.tls, back.as_str()),
        };
        writeln!(text, "listen {name}\n    bind {address} {front}\n    server member {server} {back}\n").unwrap();
    }
    text
}

const HAPROXY_TUNED_GLOBAL: &str = "    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    tune.pipesize 1048576
    tune.bufsize 131072
";
const HAPROXY_TUNED_DEFAULTS: &str = "    option splice-response\n";
