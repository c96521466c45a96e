//! What is left in pronk after exchanges: open connections, file descriptors, and what its log tells.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::exchange::Outcome;
use super::member::TICKET;
use super::plan::{Finish, Mode};
use crate::support::lb::Pronk;

/// What pronk had before the first client, and what its log is to tell of each.
pub struct Aftermath {
    descriptors: usize,
    pipes: usize,
    /// The exchanges by the addresses of the client and of the virtual server, as a client's port comes again.
    records: HashMap<(String, String), VecDeque<Recorded>>,
}

/// What the record of an exchange is to tell.
struct Recorded {
    number: u64,
    /// The bytes in and out, where both sides ended in order.
    bytes: Option<(u64, u64)>,
}

impl Aftermath {
    /// Begins before the first client.
    pub fn of(pronk: &Pronk) -> Self {
        // The admin socket's own connection comes and goes.
        pronk.stats();
        let [descriptors, pipes] = descriptors(pronk);
        Self { descriptors, pipes, records: HashMap::new() }
    }

    /// Takes an exchange through the virtual server at `destination`.
    pub fn note(&mut self, outcome: &Outcome, destination: SocketAddr) {
        let Some(address) = outcome.client_address else { return };
        let plan = &outcome.plan;
        let in_order = |finish| matches!(finish, Finish::Fin | Finish::Truncate);
        let clean = outcome.is_right() && in_order(plan.client.finish) && in_order(plan.member.finish);
        let (client, member) = (&outcome.client, outcome.member.as_ref());
        // The end of a drain may have cut what the two were to send.
        let whole = member.is_some_and(|it| it.sent == client.received && it.received == client.sent);
        // Of TLS that passes through, pronk counts the ciphertext.
        let bytes =
            (clean && whole && plan.mode != Mode::Through).then_some((client.sent + TICKET as u64, client.received));
        self.records
            .entry((address.to_string(), destination.to_string()))
            .or_default()
            .push_back(Recorded { number: plan.number, bytes });
    }

    /// Returns what is left although every client and member has gone.
    pub fn leftovers(&self, pronk: &Pronk) -> Vec<String> {
        soon(|| {
            let mut left = open_connections(&pronk.stats(), true);
            let [descriptors, pipes] = descriptors(pronk);
            if descriptors > self.descriptors {
                left.push(format!("{} file descriptors more than before", descriptors - self.descriptors));
            }
            if pipes > self.pipes + SPARE_PIPES * pronk.connection_threads() {
                left.push(format!("{} ends of pipes more than before", pipes - self.pipes));
            }
            left.into_iter().map(|it| format!("{SOON:?} after the last exchange: {it}")).collect()
        })
    }

    /// Returns the places that members have not got back although every member has gone.
    pub fn taken_places(&self, pronk: &Pronk) -> Vec<String> {
        soon(|| {
            let left = open_connections(&pronk.stats(), false).into_iter();
            left.map(|it| format!("{SOON:?} after the members have gone: {it}")).collect()
        })
    }

    /// Returns what the log tells that it should not, and what it does not tell soon.
    pub fn log_faults(&self, pronk: &Pronk) -> Vec<String> {
        let exchanges: usize = self.records.values().map(VecDeque::len).sum();
        let deadline = Instant::now() + SOON;
        while records(&pronk.log()).count() < exchanges && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = pronk.log();
        let is_fault = |line: &&Value| line["level"] == "ERROR" || line.to_string().contains("panic");
        let mut faults: Vec<_> = log.iter().filter(is_fault).map(|line| format!("the log says: {line}")).collect();
        // Ports come again, and records are in order.
        let mut due: HashMap<_, VecDeque<_>> =
            self.records.iter().map(|(addresses, exchanges)| (addresses.clone(), exchanges.iter().collect())).collect();
        for line in records(&log) {
            let address = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let addresses = (address("client_address"), address("destination_address"));
            let Some(exchange) = due.get_mut(&addresses).and_then(VecDeque::pop_front) else { continue };
            let Recorded { number, bytes: Some((bytes_in, bytes_out)) } = exchange else { continue };
            if line["bytes_in"] != *bytes_in || line["bytes_out"] != *bytes_out {
                faults.push(format!("exchange {number}: {bytes_in} bytes in and {bytes_out} out, but the log: {line}"));
            }
        }
        let missing = due.into_values().flatten();
        faults.extend(missing.map(|it| format!("exchange {} has no record in the log", it.number)));
        faults
    }
}

/// The records of connections.
fn records(log: &[Value]) -> impl Iterator<Item = &Value> {
    log.iter().filter(|line| line["message"] == "connection closed")
}

/// Asks until nothing is left, for a while.
fn soon(left: impl Fn() -> Vec<String>) -> Vec<String> {
    let deadline = Instant::now() + SOON;
    loop {
        let left = left();
        if left.is_empty() || Instant::now() >= deadline {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The pools and members that have open connections, and perhaps the virtual servers.
fn open_connections(stats: &Value, virtual_servers: bool) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut rows = if virtual_servers { list(&stats["virtual_servers"]) } else { Vec::new() };
    for pool in list(&stats["pools"]) {
        rows.extend(list(&pool["members"]));
        rows.push(pool);
    }
    assert!(!rows.is_empty(), "{stats}");
    let open = rows.iter().filter(|row| row["connections"]["current"] != 0);
    open.map(|row| format!("{} has {} open connections", row["name"], row["connections"]["current"])).collect()
}

/// Returns how many there are that are no pipes, and how many are ends of pipes.
fn descriptors(pronk: &Pronk) -> [usize; 2] {
    let all = fs::read_dir(format!("/proc/{}/fd", pronk.pid())).unwrap().flatten();
    let is_pipe = |it: fs::DirEntry| fs::read_link(it.path()).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"));
    let pipes: Vec<_> = all.map(is_pipe).collect();
    [false, true].map(|wanted| pipes.iter().filter(|is| **is == wanted).count())
}

/// Ends of pipes that a thread of pronk keeps for the next large results.
const SPARE_PIPES: usize = 8;

/// How soon pronk forgets connections that are over.
const SOON: Duration = Duration::from_secs(2);
