//! The proxies: how each is started, watched and stopped.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::certificates::Certificates;
use super::configuration::{self, PORTS, ROUTES};
use super::contestant::{Contestant, is_observed};
use super::member::Member;
use super::mode::Mode;
use super::{bare, cores, running};

/// A proxy that runs, with one port for each mode, and one that re-encrypts to a member that lets sessions be resumed.
pub struct Proxy {
    pub contestant: Contestant,
    child: Child,
    addresses: [SocketAddr; PORTS],
    /// Where small messages without TLS go: the bare relay has a loop of its own for them.
    small: SocketAddr,
    log: PathBuf,
    /// Reads its metrics again and again until this is dropped.
    _scraper: Option<Scraper>,
}

/// Reads the metrics of a pronk every two seconds. Two share the processor, so that is about once for each second of its CPU
/// time.
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
                thread::sleep(Duration::from_secs(2));
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

/// How a proxy is started.
#[derive(Default)]
pub struct Start {
    /// What runs the proxy's own command, such as valgrind.
    pub under: Option<Command>,
    /// pronk has a thread for each processor, which it shares with the load.
    pub is_on_all: bool,
    /// So many more members are in pronk's pool without TLS, all out of service.
    pub more_members: usize,
}

/// So that each has files of its own.
static STARTED: AtomicUsize = AtomicUsize::new(0);

impl Proxy {
    /// Returns once every port accepts. The proxy has one thread, on a processor of its own.
    pub fn start(contestant: Contestant, certificates: &Certificates, member: &Member) -> Self {
        Self::start_as(contestant, certificates, member, Start::default())
    }

    /// The same in another way.
    pub fn start_as(contestant: Contestant, certificates: &Certificates, member: &Member, start: Start) -> Self {
        let [small, addresses @ ..] = free_addresses();
        let small = if contestant == Contestant::Bare { small } else { addresses[0] };
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let path = |extension: &str| certificates.path(&format!("{contestant}-{number}.{extension}"));
        let (config, log, socket) = (path("conf"), path("log"), path("sock"));
        // Where things are counted, time does not matter.
        let shares_processors = start.is_on_all || start.under.is_some();
        let mut command = match start.under {
            Some(mut tool) => {
                tool.arg(contestant.program());
                tool
            }
            None => Command::new(contestant.program()),
        };
        let text = match contestant {
            Contestant::Pronk | Contestant::Before | Contestant::Unobserved => {
                let threads = if start.is_on_all { cores::count() } else { 1 };
                command.arg("run").arg(&config).args(["--threads", &threads.to_string()]);
                command.args(["--drain-timeout", "2", "--admin-socket"]).arg(&socket);
                if contestant == Contestant::Unobserved {
                    command.env("PRONK_LOG", "warn,pronk::connection=off");
                }
                configuration::pronk(&addresses, certificates, member, start.more_members)
            }
            Contestant::Haproxy | Contestant::HaproxyTuned => {
                command.args(["-db", "-f"]).arg(&config);
                configuration::haproxy(contestant, &addresses, certificates, member)
            }
            Contestant::Nginx => {
                command.arg("-c").arg(&config).arg("-p").arg(certificates.path(""));
                configuration::nginx(&addresses, certificates, member, &path("pid"), &path("access"))
            }
            Contestant::Bare => {
                command.arg(bare::FLAG).arg(&config);
                bare::config(small, ROUTES.into_iter().zip(addresses), certificates, member)
            }
        };
        fs::write(&config, text).unwrap();
        let output = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let spawn = || command.spawn();
        let child = if shares_processors { cores::on_all(spawn) } else { cores::on_the_proxys(spawn) }.unwrap();
        let mut proxy = Self { contestant, child, addresses, small, log, _scraper: None };
        for address in [&[small], &addresses[..]].concat() {
            running::wait_until_it_accepts(&mut proxy.child, &contestant.to_string(), address);
        }
        proxy._scraper = (contestant == Contestant::Pronk && is_observed()).then(|| Scraper::start(socket));
        proxy
    }

    pub fn address(&self, mode: Mode) -> SocketAddr {
        self.addresses[mode as usize]
    }

    /// Returns where requests and short connections go.
    pub fn small_address(&self, mode: Mode) -> SocketAddr {
        if mode == Mode::Passthrough { self.small } else { self.address(mode) }
    }

    /// Returns where a connection can be resumed on both sides.
    pub fn resuming_address(&self, mode: Mode) -> SocketAddr {
        if mode == Mode::ReEncrypt { self.addresses[PORTS - 1] } else { self.address(mode) }
    }

    /// Returns the id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
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

    /// Asks the process to end, and returns once it has.
    pub fn end(mut self) {
        while self.child.try_wait().unwrap().is_none() {
            // Under valgrind a signal is lost that comes just before a wait for events, so it comes at rest, or once more.
            thread::sleep(AT_REST);
            kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
            let asked = Instant::now();
            while asked.elapsed() < ASK_AGAIN && self.child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_millis(10));
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
fn free_addresses() -> [SocketAddr; PORTS + 1] {
    let listeners = [(); PORTS + 1].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

const AT_REST: Duration = Duration::from_millis(200);
/// Longer than pronk drains.
const ASK_AGAIN: Duration = Duration::from_secs(5);
