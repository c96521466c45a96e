//! What the bench programs share: the proxies under measurement, the member behind them, the clients before them, and the
//! figures that come out.

#![allow(dead_code, reason = "each program uses a part of it")]

pub mod bare;
mod bare_loop;
pub mod certificates;
pub mod client;
mod configuration;
pub mod contestant;
pub mod cores;
pub mod figures;
pub mod member;
pub mod mode;
pub mod profile;
pub mod proxy;
pub mod running;
pub mod tool;

use std::env;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

use self::certificates::Certificates;
use self::contestant::Contestant;
use self::figures::Row;
use self::member::Member;
use self::mode::Mode;
use self::proxy::{Proxy, Start};

/// Everything that one program runs on; dropping it stops the proxies.
pub struct Bench {
    pub certificates: Certificates,
    pub member: Member,
    pub contestants: Vec<Contestant>,
    pub rounds: usize,
    pub round: Duration,
}

impl Bench {
    /// Lets the bare relay take part, unless `BENCH_ONLY` names others.
    pub fn add_bare(&mut self) {
        if Contestant::Bare.is_named_by(&env::var("BENCH_ONLY").unwrap_or_default()) {
            self.contestants.push(Contestant::Bare);
        }
    }

    /// Prepares what all programs need and prints what will be compared.
    ///
    /// `BENCH_ROUNDS`, `BENCH_MILLISECONDS` (of one round) and `BENCH_ONLY` (parts of contestants' names) come from the environment.
    pub fn new(title: &str) -> Self {
        pronk::net::raise_open_file_limit();
        let certificates = Certificates::new();
        let contestants = Contestant::present(&env::var("BENCH_ONLY").unwrap_or_default());
        println!("\n{title}\n");
        for contestant in &contestants {
            println!("  {:<16} {}", contestant.to_string(), contestant.version());
        }
        cores::announce();
        // BBR sends from timers, whose time the kernel adds to that of the program which they interrupt.
        let congestion_control = fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control");
        println!("  congestion control {}\n", congestion_control.as_deref().unwrap_or("unknown").trim());
        cores::load();
        Self {
            member: Member::start(&certificates),
            certificates,
            contestants,
            rounds: number("BENCH_ROUNDS", 5),
            round: Duration::from_millis(number("BENCH_MILLISECONDS", 2000) as u64),
        }
    }

    pub fn start(&self, contestant: Contestant) -> Proxy {
        Proxy::start(contestant, &self.certificates, &self.member)
    }

    pub fn start_as(&self, contestant: Contestant, start: Start) -> Proxy {
        Proxy::start_as(contestant, &self.certificates, &self.member, start)
    }

    /// All contestants, each shown to carry bytes unchanged in every mode.
    pub fn start_all(&self) -> Vec<Proxy> {
        let proxies: Vec<_> = self.contestants.iter().map(|contestant| self.start(*contestant)).collect();
        for proxy in &proxies {
            Mode::ALL.iter().for_each(|mode| client::verify(proxy.address(*mode), *mode));
            client::verify(proxy.small_address(Mode::Passthrough), Mode::Passthrough);
        }
        proxies
    }

    /// Rounds in which the contestants take turns, so that a noisy minute hits all of them.
    pub fn in_turns(&self, rounds: usize, mut measure: impl FnMut(usize, Mode) -> f64) -> Vec<Row> {
        let mut rows: Vec<_> = self.contestants.iter().map(|contestant| Row::of(*contestant)).collect();
        for _ in 0..rounds {
            for mode in Mode::ALL {
                for (index, row) in rows.iter_mut().enumerate() {
                    row.columns[mode as usize].push(measure(index, mode));
                }
            }
        }
        rows
    }
}

/// Runs `load` on so many threads until it is told to stop, and returns what it counted per second of the proxy's CPU time.
pub fn per_cpu_second(
    proxy: &Proxy,
    threads: usize,
    round: Duration,
    load: impl Fn(&AtomicU64, &AtomicBool) + Sync,
) -> f64 {
    let count = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| load(&count, &stop));
        }
        thread::sleep(WARM_UP);
        let (counted, cpu) = (count.load(Ordering::Relaxed), proxy.cpu_seconds());
        thread::sleep(round);
        // In a short round on a busy machine nothing may have come yet.
        let until = Instant::now() + PATIENCE;
        while count.load(Ordering::Relaxed) == counted && Instant::now() < until {
            thread::sleep(round);
        }
        let (counted, cpu) = (count.load(Ordering::Relaxed) - counted, proxy.cpu_seconds() - cpu);
        stop.store(true, Ordering::Relaxed);
        assert!(counted > 0, "nothing comes through {}", proxy.contestant);
        counted as f64 / cpu
    })
}

/// Time for windows and buffers to grow before anything counts.
const WARM_UP: Duration = Duration::from_millis(300);

const PATIENCE: Duration = Duration::from_secs(10);

/// What clients and the member speak: the one key exchange that every contestant has, so that it costs all the same.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519], ..aws_lc_rs::default_provider() })
}

pub fn number(variable: &str, otherwise: usize) -> usize {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => otherwise,
    }
}
