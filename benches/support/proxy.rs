//! The proxies: how each is configured, started, watched and stopped.

use std::env;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::bare;
use super::certificates::{Certificates, MEMBER_NAME};
use super::cores;
use super::member::Member;
use super::mode::Mode;
use super::running;

/// Who takes part. All have one thread, TLS 1.3, the same certificate, the same member, and write a line per connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    Pronk,
    /// Another build of it, to compare with.
    Before,
    /// pronk without a line for each connection, and without anybody who reads its metrics.
    Unobserved,
    Haproxy,
    /// With what its manual offers for this work: splicing, large buffers, and the cipher that costs least.
    HaproxyTuned,
    Nginx,
    /// No proxy, but the least that one can do: [`super::bare`].
    Bare,
}

impl Contestant {
    /// Those whose programs are here and whose names contain `part`.
    pub fn present(part: &str) -> Vec<Self> {
        if is_observed() {
            return vec![Self::Pronk, Self::Unobserved];
        }
        let mut all = vec![Self::Pronk];
        all.extend(env::var_os("PRONK_BEFORE").map(|_| Self::Before));
        for peers in [&[Self::Haproxy, Self::HaproxyTuned][..], &[Self::Nginx]] {
            match peers[0].is_here() {
                Ok(()) => all.extend(peers),
                Err(why) => println!("{} is not here ({why}), so pronk is not compared with it", peers[0]),
            }
        }
        all.retain(|contestant| contestant.to_string().contains(part));
        assert!(!all.is_empty(), "no contestant's name contains {part}");
        all
    }

    fn is_here(self) -> Result<(), String> {
        Command::new(self.program()).arg("-v").output().map_err(|error| error.to_string())?;
        let module = (self == Self::Nginx).then(nginx_module);
        match module {
            Some(module) if !module.is_file() => Err(format!("its module {} is missing", module.display())),
            _ => Ok(()),
        }
    }

    /// `PRONK_BIN`, `HAPROXY_BIN` and `NGINX_BIN` put other builds in their places, and `PRONK_BEFORE` is one more.
    pub fn program(self) -> PathBuf {
        let or = |variable: &str, otherwise: &str| env::var_os(variable).unwrap_or_else(|| otherwise.into()).into();
        match self {
            Self::Pronk | Self::Unobserved => running::program(),
            Self::Before => or("PRONK_BEFORE", env!("CARGO_BIN_EXE_pronk")),
            Self::Haproxy | Self::HaproxyTuned => or("HAPROXY_BIN", "haproxy"),
            Self::Nginx => or("NGINX_BIN", "nginx"),
            Self::Bare => env::current_exe().unwrap(),
        }
    }

    pub fn version(self) -> String {
        if self == Self::Bare {
            return "splice(2), and rustls with large buffers: no choice, no limits, no log".to_owned();
        }
        let flag = if matches!(self, Self::Pronk | Self::Before | Self::Unobserved) { "--version" } else { "-v" };
        let output = Command::new(self.program()).arg(flag).output().unwrap();
        // nginx says it on the other one.
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).lines().next().unwrap_or("says no version").to_owned()
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pronk => "pronk",
            Self::Before => "before",
            Self::Unobserved => "unobserved",
            Self::Haproxy => "haproxy",
            Self::HaproxyTuned => "haproxy-tuned",
            Self::Nginx => "nginx",
            Self::Bare => "bare",
        })
    }
}

/// A proxy that runs, with one port for each mode, and one that re-encrypts to a member that lets sessions be resumed.
pub struct Proxy {
    pub contestant: Contestant,
    child: Child,
    addresses: [SocketAddr; PORTS],
    log: PathBuf,
    /// Reads its metrics each second until this is dropped.
    _scraper: Option<Scraper>,
}

/// Whether pronk is compared with itself, to see what it costs to be observed (`BENCH_OBSERVED`).
fn is_observed() -> bool {
    env::var_os("BENCH_OBSERVED").is_some()
}

/// Reads the metrics of a pronk each second, as Prometheus would.
struct Scraper(Arc<AtomicBool>);

impl Scraper {
    fn start(socket: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let mut metrics = String::new();
                let scraped = UnixStream::connect(&socket).and_then(|mut stream| {
                    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\n\r\n")?;
                    stream.read_to_string(&mut metrics)
                });
                // The process may have ended, also after it has accepted the connection.
                assert!(scraped.is_err() || metrics.is_empty() || metrics.starts_with("HTTP/1.1 200"), "{metrics}");
                thread::sleep(Duration::from_secs(1));
            }
        });
        Self(stop)
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// So that each has files of its own.
static STARTED: AtomicUsize = AtomicUsize::new(0);
const PORTS: usize = 4;
/// In what order ports are written in configurations: the mode, and whether the member lets sessions be resumed.
const ROUTES: [(Mode, bool); PORTS] =
    [(Mode::Passthrough, false), (Mode::Offload, false), (Mode::ReEncrypt, false), (Mode::ReEncrypt, true)];

impl Proxy {
    /// Returns once every port accepts. The proxy has one thread, on a processor of its own.
    pub fn start(contestant: Contestant, certificates: &Certificates, member: &Member) -> Self {
        Self::start_with(contestant, certificates, member, true)
    }

    /// The same for a pronk that has a thread for each processor, which it shares with the load.
    pub fn start_on_all(contestant: Contestant, certificates: &Certificates, member: &Member) -> Self {
        Self::start_with(contestant, certificates, member, false)
    }

    fn start_with(contestant: Contestant, certificates: &Certificates, member: &Member, alone: bool) -> Self {
        let addresses = free_addresses();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let path = |extension: &str| certificates.path(&format!("{contestant}-{number}.{extension}"));
        let (config, log, socket) = (path("conf"), path("log"), path("sock"));
        let mut command = Command::new(contestant.program());
        let text = match contestant {
            Contestant::Pronk | Contestant::Before | Contestant::Unobserved => {
                let threads = if alone { 1 } else { cores::count() };
                command
                    .arg("run")
                    .arg(&config)
                    .args(["--threads", &threads.to_string(), "--admin-socket"])
                    .arg(&socket);
                if contestant == Contestant::Unobserved {
                    command.env("PRONK_LOG", "warn,pronk::connection=off");
                }
                pronk_config(&addresses, certificates, member)
            }
            Contestant::Haproxy | Contestant::HaproxyTuned => {
                command.args(["-db", "-f"]).arg(&config);
                haproxy_config(contestant, &addresses, certificates, member)
            }
            Contestant::Nginx => {
                command.arg("-c").arg(&config).arg("-p").arg(certificates.path(""));
                nginx_config(&addresses, certificates, member, &path("pid"), &path("access"))
            }
            Contestant::Bare => {
                command.arg(bare::FLAG).arg(&config);
                bare::config(
                    ROUTES.iter().zip(addresses).map(|(route, address)| (*route, address)),
                    certificates,
                    member,
                )
            }
        };
        fs::write(&config, text).unwrap();
        let output = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let start = || command.spawn();
        let child = if alone { cores::on_the_proxys(start) } else { cores::on_all(start) }.unwrap();
        let mut proxy = Self { contestant, child, addresses, log, _scraper: None };
        proxy.wait_until_ready();
        proxy._scraper = (contestant == Contestant::Pronk && is_observed()).then(|| Scraper::start(socket));
        proxy
    }

    pub fn address(&self, mode: Mode) -> SocketAddr {
        self.addresses[mode as usize]
    }

    /// Returns where a connection can be resumed on both sides.
    pub fn resuming_address(&self, mode: Mode) -> SocketAddr {
        if mode == Mode::ReEncrypt { self.addresses[PORTS - 1] } else { self.address(mode) }
    }

    /// What all its threads have used so far, in user and kernel mode.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The program's name may hold anything, so fields are counted after it; these are utime and stime.
        let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64
    }

    /// What each of the threads that carry connections has used so far.
    pub fn thread_seconds(&self) -> Vec<f64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let mut folders: Vec<_> = tasks.map(|task| task.unwrap().path()).collect();
        folders.sort();
        let carries = |folder: &PathBuf| fs::read_to_string(folder.join("comm")).unwrap().starts_with("connections");
        let seconds = |folder: PathBuf| {
            let stat = fs::read_to_string(folder.join("schedstat")).unwrap();
            stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
        };
        folders.into_iter().filter(carries).map(seconds).collect()
    }

    pub fn resident_kib(&self) -> f64 {
        running::resident_kib(&self.proc("status"))
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

/// Ports that were free a moment ago.
fn free_addresses() -> [SocketAddr; PORTS] {
    let listeners = [(); PORTS].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

fn pronk_config(addresses: &[SocketAddr; PORTS], certificates: &Certificates, member: &Member) -> String {
    let file = |name: &str| certificates.path(name).display().to_string();
    let mut text = format!(
        "nodes:
  member: {{ address: {}, hostname: {MEMBER_NAME} }}
pools:
  pool-plain: {{ members: [\"member:{}\"] }}
  pool-tls: {{ members: [\"member:{}\"] }}
  pool-resuming: {{ members: [\"member:{}\"] }}
profiles:
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: {}, key: {} }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: {} }}
virtual-servers:
",
        member.plain.ip(),
        member.plain.port(),
        member.tls.port(),
        member.resuming.port(),
        file("lb.pem"),
        file("lb.key"),
        file("ca.pem"),
    );
    for (route, address) in ROUTES.iter().zip(addresses) {
        let rest = match route {
            (Mode::Passthrough, _) => "pool: pool-plain",
            (Mode::Offload, _) => "pool: pool-plain, client-ssl: front",
            (Mode::ReEncrypt, false) => "pool: pool-tls, client-ssl: front, server-ssl: back",
            (Mode::ReEncrypt, true) => "pool: pool-resuming, client-ssl: front, server-ssl: back",
        };
        writeln!(text, "  vs-{}: {{ destination: \"{address}\", {rest} }}", name(route)).unwrap();
    }
    text
}

fn haproxy_config(
    contestant: Contestant,
    addresses: &[SocketAddr; PORTS],
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
    for (route, address) in ROUTES.iter().zip(addresses) {
        let name = name(route);
        let front = format!("ssl crt {}", path("lb-both.pem"));
        let back = format!("ssl verify required ca-file {} verifyhost {MEMBER_NAME}", path("ca.pem"));
        let (front, back) = match route.0 {
            Mode::Passthrough => ("", ""),
            Mode::Offload => (front.as_str(), ""),
            Mode::ReEncrypt => (front.as_str(), back.as_str()),
        };
        let server = member.address(*route);
        writeln!(text, "listen {name}\n    bind {address} {front}\n    server member {server} {back}\n").unwrap();
    }
    text
}

fn nginx_config(
    addresses: &[SocketAddr; PORTS],
    certificates: &Certificates,
    member: &Member,
    pid: &Path,
    access: &Path,
) -> String {
    let path = |name: &str| -> String { Path::display(&certificates.path(name)).to_string() };
    let mut text = format!(
        "load_module {};
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {};
error_log stderr;
events {{ worker_connections 10000; }}
stream {{
    log_format line '$remote_addr:$remote_port [$time_local] $server_port $upstream_addr $upstream_connect_time $status '
        '$bytes_sent $bytes_received $session_time $ssl_protocol $ssl_cipher';
    access_log {} line;
    ssl_protocols TLSv1.3;
    proxy_ssl_protocols TLSv1.3;
    proxy_connect_timeout 10s;
    proxy_timeout 1h;
",
        nginx_module().display(),
        pid.display(),
        access.display(),
    );
    for (route, address) in ROUTES.iter().zip(addresses) {
        let front = format!("ssl_certificate {}; ssl_certificate_key {};", path("lb.pem"), path("lb.key"));
        let back = format!(
            "proxy_ssl on; proxy_ssl_verify on; proxy_ssl_name {MEMBER_NAME}; proxy_ssl_trusted_certificate {};",
            path("ca.pem")
        );
        let (ssl, front, back) = match route.0 {
            Mode::Passthrough => ("", "", ""),
            Mode::Offload => (" ssl", front.as_str(), ""),
            Mode::ReEncrypt => (" ssl", front.as_str(), back.as_str()),
        };
        let server = member.address(*route);
        writeln!(text, "    server {{ listen {address}{ssl}; {front} {back} proxy_pass {server}; }}").unwrap();
    }
    text + "}\n"
}

/// Debian's module for TCP; `NGINX_MODULE` is another's.
fn nginx_module() -> PathBuf {
    env::var_os("NGINX_MODULE").unwrap_or_else(|| "/usr/lib/nginx/modules/ngx_stream_module.so".into()).into()
}

fn name((mode, resuming): &(Mode, bool)) -> String {
    let resuming = if *resuming { "-resuming" } else { "" };
    format!("{}{resuming}", mode.as_str())
}

const HAPROXY_TUNED_GLOBAL: &str = "    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    tune.pipesize 1048576
    tune.bufsize 131072
";
const HAPROXY_TUNED_DEFAULTS: &str = "    option splice-response\n    option splice-request\n";
