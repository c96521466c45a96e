//! What one connection, handshake, request and MiB takes: instructions in user mode (callgrind), system calls (strace) and
//! blocks from the heap (dhat). Such counts hardly depend on how busy the machine is, so that a regression shows where times
//! do not. Pronk's instructions are printed beside those in benches/instructions.txt, which `BENCH_RECORD=1` writes anew;
//! with `BENCH_ALL=1`, all counts of pronk are printed beside those of HAProxy, nginx and the least that a relay can do.

mod support;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use support::certificates::Certificates;
use support::client::{Connection, config, resuming_config};
use support::contestant::Contestant;
use support::member::{Member, SINK, pattern};
use support::mode::Mode;
use support::proxy::{Proxy, Start};
use support::tool::{Count, Tool};
use support::{bare, number};

/// What is counted, once for each operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// Connect, a full handshake where there is TLS, one request, and an end in order.
    Connection,
    /// The same with a session that is resumed, also toward the member.
    Resumed,
    /// The same as a connection, where pronk chooses the member among a thousand.
    AmongMembers,
    Request,
    /// A download of so many bytes.
    MiBDown,
    /// An upload of so many bytes.
    MiBUp,
}

const OPERATIONS: [(Mode, Operation); 16] = [
    (Mode::Passthrough, Operation::Connection),
    (Mode::Passthrough, Operation::AmongMembers),
    (Mode::Passthrough, Operation::Request),
    (Mode::Passthrough, Operation::MiBDown),
    (Mode::Passthrough, Operation::MiBUp),
    (Mode::Offload, Operation::Connection),
    (Mode::Offload, Operation::Resumed),
    (Mode::Offload, Operation::AmongMembers),
    (Mode::Offload, Operation::Request),
    (Mode::Offload, Operation::MiBDown),
    (Mode::Offload, Operation::MiBUp),
    (Mode::ReEncrypt, Operation::Connection),
    (Mode::ReEncrypt, Operation::Resumed),
    (Mode::ReEncrypt, Operation::Request),
    (Mode::ReEncrypt, Operation::MiBDown),
    (Mode::ReEncrypt, Operation::MiBUp),
];

const MEMBERS: usize = 1000;

fn main() {
    bare::run_if_asked();
    pronk::net::raise_open_file_limit();
    let certificates = Certificates::new();
    let counting = Counting {
        member: Member::start(&certificates),
        certificates,
        times: number("BENCH_TIMES", 100),
        rows: env::var("BENCH_ROWS").unwrap_or_default(),
    };
    if env::var_os("BENCH_ALL").is_some() {
        counting.compare();
    } else if Tool::Callgrind.is_here() {
        counting.print_beside_the_record();
    }
}

struct Counting {
    certificates: Certificates,
    member: Member,
    /// How many operations there are in the shorter of two runs.
    times: usize,
    /// A part of the names of the operations that are wanted.
    rows: String,
}

impl Counting {
    fn print_beside_the_record(&self) {
        let recorded = fs::read_to_string(RECORD).unwrap_or_default();
        println!("\nInstructions in user mode for each operation, by callgrind\n");
        println!("  {:<44}{:>12}{:>12}{:>10}", "", "now", "recorded", "");
        let mut record = String::new();
        for (mode, operation) in self.wanted() {
            let name = operation.name(mode);
            let each = total(&self.each(Tool::Callgrind, Contestant::Pronk, mode, operation));
            let before = recorded.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<f64>().ok());
            let [before, change] = before.map_or_else(Default::default, |before| {
                [before.to_string(), format!("{:+.1} %", (each / before - 1.0) * 100.0)]
            });
            println!("  {name:<44}{each:>12.0}{before:>12}{change:>10}");
            writeln!(record, "{name:<44}{each:>12.0}").unwrap();
        }
        if env::var_os("BENCH_RECORD").is_some() {
            assert!(self.rows.is_empty(), "a record has all operations, so BENCH_ROWS cannot choose some");
            fs::write(RECORD, record).unwrap();
        }
    }

    fn compare(&self) {
        let only = env::var("BENCH_ONLY").unwrap_or_default();
        let mut contestants = Contestant::present("");
        contestants.push(Contestant::Bare);
        contestants.retain(|contestant| contestant.is_named_by(&only));
        let tools = env::var("BENCH_TOOLS").unwrap_or_default();
        for tool in Tool::ALL.into_iter().filter(|tool| tool.as_str().contains(&tools) && tool.is_here()) {
            let names = self.print_table(tool, &contestants);
            if tool == Tool::Strace {
                println!("\n{names}");
            }
        }
    }

    /// Prints the counts of one tool, and returns them by name.
    fn print_table(&self, tool: Tool, contestants: &[Contestant]) -> String {
        let heads: String = contestants.iter().map(|it| format!("{it:>14}")).collect();
        println!("\n  {:<44}{heads}", tool.describe());
        let mut names = String::new();
        for (mode, operation) in self.wanted() {
            let name = operation.name(mode);
            print!("  {name:<44}");
            for contestant in contestants {
                if !operation.is_of(*contestant, mode) {
                    print!("{:>14}", "");
                    continue;
                }
                let each = self.each(tool, *contestant, mode, operation);
                print!("{:>14.*}", usize::from(tool != Tool::Callgrind), total(&each));
                writeln!(names, "  {name}, {contestant}: {}", by_name(&each)).unwrap();
            }
            println!();
        }
        names
    }

    fn wanted(&self) -> impl Iterator<Item = (Mode, Operation)> {
        OPERATIONS.into_iter().filter(|(mode, operation)| operation.name(*mode).contains(&self.rows))
    }

    /// Returns what a contestant takes for one operation, by name.
    fn each(&self, tool: Tool, contestant: Contestant, mode: Mode, operation: Operation) -> BTreeMap<String, f64> {
        // What starting and ending takes is in both.
        let few = self.run(tool, contestant, mode, operation, self.times);
        let many = self.run(tool, contestant, mode, operation, 3 * self.times);
        let each = |(name, many): (String, u64)| {
            let few = few.get(&name).copied().unwrap_or_default();
            (name, (many as f64 - few as f64) / (2 * self.times) as f64)
        };
        many.into_iter().map(each).collect()
    }

    /// Returns what a contestant takes that does something so many times, from its start to its end.
    fn run(&self, tool: Tool, contestant: Contestant, mode: Mode, operation: Operation, times: usize) -> Count {
        let out = self.certificates.path("count");
        let start = Start {
            under: Some(tool.command(&out)),
            more_members: if operation == Operation::AmongMembers { MEMBERS - 1 } else { 0 },
            ..Start::default()
        };
        let proxy = Proxy::start_as(contestant, &self.certificates, &self.member, start);
        operation.repeat(&proxy, mode, times);
        proxy.end();
        let count = tool.read(&out);
        fs::remove_file(&out).unwrap();
        count
    }
}

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

fn total(each: &BTreeMap<String, f64>) -> f64 {
    // What is hardly more than nothing may be less.
    each.values().sum::<f64>().max(0.0)
}

/// Returns names with their counts, the greatest first, without those that operations hardly take.
fn by_name(each: &BTreeMap<String, f64>) -> String {
    let mut names: Vec<_> = each.iter().filter(|(_, count)| **count >= 0.05).collect();
    names.sort_by(|one, other| other.1.total_cmp(one.1));
    names.iter().map(|(name, count)| format!("{name} {count:.1}")).collect::<Vec<_>>().join(", ")
}

impl Operation {
    fn name(self, mode: Mode) -> String {
        let operation = match self {
            Self::Connection => "connection",
            Self::Resumed => "connection, resumed",
            Self::AmongMembers => "connection, a pool of 1,000",
            Self::Request => "request",
            Self::MiBDown => "MiB down",
            Self::MiBUp => "MiB up",
        };
        format!("{}, {operation}", mode.as_str())
    }

    /// Returns whether a contestant can do it, and does it as well as it can be done.
    fn is_of(self, contestant: Contestant, mode: Mode) -> bool {
        match self {
            Self::AmongMembers => matches!(contestant, Contestant::Pronk | Contestant::Before),
            Self::Connection | Self::Resumed => contestant != Contestant::Bare || mode == Mode::Passthrough,
            Self::Request | Self::MiBDown | Self::MiBUp => true,
        }
    }

    fn repeat(self, proxy: &Proxy, mode: Mode, times: usize) {
        let (address, small) = (proxy.address(mode), proxy.small_address(mode));
        match self {
            Self::Connection | Self::AmongMembers => (0..times).for_each(|_| connect(small, mode, config())),
            Self::Resumed => {
                let config = resuming_config();
                (0..times).for_each(|_| connect(proxy.resuming_address(mode), mode, &config));
            }
            Self::Request => {
                let mut connection = Connection::open(small, mode).unwrap();
                (0..times).for_each(|_| connection.exchange(&mut [0; 128]).unwrap());
                connection.close().unwrap();
            }
            Self::MiBDown => {
                let mut connection = Connection::open(address, mode).unwrap();
                connection.ask((times << 20) as u64).unwrap();
                connection.discard(times << 20).unwrap();
                connection.close().unwrap();
            }
            Self::MiBUp => {
                let mut connection = Connection::open(address, mode).unwrap();
                connection.ask(SINK).unwrap();
                (0..times).for_each(|_| connection.send(pattern()).unwrap());
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
