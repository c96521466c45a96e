//! One table of persistence records: look-up, expiry and eviction. `Records` has many of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::client::{Client, address};
use super::record_target::{RecordGuard, RecordTarget};

/// The records of some clients. What changes all of them takes time for each, and so they must be few.
#[derive(Debug, Default)]
pub(super) struct Table {
    records: IndexMap<Client, Record>,
    /// How many records were made, wrapping.
    made: u32,
}

#[derive(Debug)]
pub(super) struct Record {
    of: RecordGuard,
    used: Instant,
    connections: u32,
    /// Which of the client's records it is: a connection that began with another one does not count here.
    serial: u32,
}

/// The result of holding a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// For [`Table::release`].
    pub serial: u32,
    /// Whether another record had to make room.
    pub evicts: bool,
}

/// One client's record, for display.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// The address that remains under the profile's mask.
    pub client: IpAddr,
    pub target: Arc<RecordTarget>,
    /// Connections that use it now.
    pub connections: u32,
    /// Since the last of them began or ended.
    pub idle: Duration,
}

impl Record {
    fn has_expired(&self, timeout: Option<Duration>, now: Instant) -> bool {
        let idle = now.saturating_duration_since(self.used);
        self.connections == 0 && timeout.is_some_and(|timeout| idle >= timeout)
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns where a client's record sends it, unless the record has expired.
    pub(super) fn find(&self, client: Client, timeout: Option<Duration>, now: Instant) -> Option<&Arc<RecordTarget>> {
        let record = self.records.get(&client)?;
        (!record.has_expired(timeout, now)).then_some(&record.of.target)
    }

    /// Counts a connection of `client` to `target`. A new record takes the room of another one where the table
    /// `is_full`.
    pub(super) fn hold(&mut self, client: Client, target: &Arc<RecordTarget>, is_full: bool, now: Instant) -> Held {
        let known = self.records.get_mut(&client);
        if let Some(record) = known.filter(|record| Arc::ptr_eq(&record.of.target, target)) {
            record.connections += 1;
            record.used = now;
            return Held { serial: record.serial, evicts: false };
        }
        let evicts = is_full && !self.records.contains_key(&client) && self.evict();
        let serial = self.made;
        self.made = self.made.wrapping_add(1);
        self.records.insert(client, Record { of: RecordGuard::new(target), used: now, connections: 1, serial });
        Held { serial, evicts }
    }

    /// Takes a record that no connection uses, unless one of the client's is in use.
    pub(super) fn begin_with(&mut self, client: Client, target: &Arc<RecordTarget>, is_full: bool, used: Instant) {
        let known = self.records.get(&client).map(|record| record.connections);
        if known.is_some_and(|connections| connections > 0) {
            return;
        }
        if is_full && known.is_none() {
            self.evict();
        }
        let serial = self.made;
        self.made = self.made.wrapping_add(1);
        self.records.insert(client, Record { of: RecordGuard::new(target), used, connections: 0, serial });
    }

    /// Ends a connection that held the record of this serial number. The client may by now have another one: of another
    /// member, where it was sent since, or of the same one again.
    pub(super) fn release(&mut self, client: Client, serial: u32, now: Instant) {
        if let Some(record) = self.records.get_mut(&client).filter(|record| record.serial == serial) {
            record.connections = record.connections.saturating_sub(1);
            record.used = now;
        }
    }

    /// Removes a client's record, unless it names another target than this one. Returns whether it did.
    pub(super) fn remove(&mut self, client: Client, target: &Arc<RecordTarget>) -> bool {
        let names_it = self.records.get(&client).is_some_and(|record| Arc::ptr_eq(&record.of.target, target));
        names_it && self.records.swap_remove(&client).is_some()
    }

    /// Removes what of a few was idle longest; those in use only when all of the few are. Returns whether there was
    /// any.
    fn evict(&mut self) -> bool {
        if self.records.is_empty() {
            return false;
        }
        let sample = (0..SAMPLE).map(|_| fastrand::usize(..self.records.len()));
        let oldest = sample.min_by_key(|at| self.records.get_index(*at).map(|(_, it)| (it.connections > 0, it.used)));
        oldest.is_some_and(|at| self.records.swap_remove_index(at).is_some())
    }

    /// Removes all records that have expired.
    pub(super) fn sweep(&mut self, timeout: Option<Duration>, now: Instant) {
        self.records.retain(|_, record| !record.has_expired(timeout, now));
    }

    /// Returns the records that have not expired.
    pub(super) fn views(&self, timeout: Option<Duration>, now: Instant) -> impl Iterator<Item = RecordView> {
        let live = self.records.iter().filter(move |(_, record)| !record.has_expired(timeout, now));
        live.map(move |(client, record)| RecordView {
            client: address(*client),
            target: Arc::clone(&record.of.target),
            connections: record.connections,
            idle: now.saturating_duration_since(record.used),
        })
    }
}

/// Records that are compared to find one that was idle long.
const SAMPLE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberKey, Name};
    use crate::pool::persistence::client::bits;

    const TIMEOUT: Option<Duration> = Some(Duration::from_secs(180));

    fn target(node: &str) -> Arc<RecordTarget> {
        let member = MemberKey { node: Name::from(node), port: 21050 };
        RecordTarget::new(Name::from("pool"), member, Arc::default())
    }

    fn client(number: u32) -> Client {
        bits(IpAddr::from(number.to_be_bytes()))
    }

    fn node_of(found: Option<&Arc<RecordTarget>>) -> Option<&str> {
        found.map(|target| target.member.node.as_str())
    }

    #[test]
    fn record_outlives_its_last_connection_by_the_timeout() {
        let (start, a) = (Instant::now(), target("a"));
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::default();
        let held = table.hold(client(1), &a, false, start);
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(10_000))), Some("a"), "a live connection keeps it");
        table.release(client(1), held.serial, after(1000));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1179))), Some("a"));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1180))), None);
        assert_eq!(node_of(table.find(client(1), None, after(99_999))), Some("a"), "indefinite");
    }

    /// Clients arrive, move, leave, and their records are deleted, in any order: a record is in use while a connection
    /// lives that began with it.
    #[test]
    fn record_is_in_use_while_a_connection_of_its_own_lives() {
        let (start, targets) = (Instant::now(), ["a", "b"].map(target));
        for seed in 0..200 {
            let mut order = fastrand::Rng::with_seed(seed);
            let (mut table, mut open) = (Table::default(), Vec::new());
            // The target and the serial number of the record, as the last to change it left it.
            let mut record: Option<(usize, u32)> = None;
            for _ in 0..60 {
                match order.u8(..5) {
                    0..2 => {
                        let at = order.usize(..2);
                        let held = table.hold(client(1), &targets[at], false, start);
                        assert_eq!(record.is_some_and(|(known, _)| known == at), record == Some((at, held.serial)));
                        record = Some((at, held.serial));
                        open.push(held.serial);
                    }
                    2..4 if !open.is_empty() => {
                        let serial = open.swap_remove(order.usize(..open.len()));
                        table.release(client(1), serial, start);
                    }
                    _ => {
                        let at = order.usize(..2);
                        if table.remove(client(1), &targets[at]) {
                            assert_eq!(record.take().map(|(known, _)| known), Some(at));
                        }
                    }
                }
                let uses = record.map(|(_, serial)| open.iter().filter(|it| **it == serial).count());
                let views: Vec<_> = table.views(TIMEOUT, start).map(|view| view.connections as usize).collect();
                assert_eq!(views, uses.into_iter().collect::<Vec<_>>(), "{seed}");
                let all: u32 = targets.iter().map(|target| target.records()).sum();
                assert_eq!(all as usize, table.len(), "{seed}");
            }
        }
    }

    #[test]
    fn full_table_evicts_what_was_idle_longest() {
        let (start, a) = (Instant::now(), target("a"));
        let at = |seconds: u32| start + Duration::from_secs(u64::from(seconds));
        let mut table = Table::default();
        assert!(!table.hold(client(0), &a, true, start).evicts, "there is none to go");
        for number in 1..1000 {
            let held = table.hold(client(number), &a, false, at(number));
            assert!(!held.evicts);
            table.release(client(number), held.serial, at(number));
        }
        for number in 1000..1500 {
            let held = table.hold(client(number), &a, true, at(5000));
            assert!(held.evicts);
            table.release(client(number), held.serial, at(5000 + number));
        }
        assert_eq!((table.len(), a.records()), (1000, 1000));
        assert!(table.find(client(0), None, start).is_some(), "it is in use");
        let newest = (1000..1500).filter(|number| table.find(client(*number), None, start).is_some()).count();
        assert!(newest > 450, "{newest} of 500: the oldest go first, or nearly");
    }
}
