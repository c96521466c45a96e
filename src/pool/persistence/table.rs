use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::client::{Client, address};
use super::place::{Place, RecordGuard};

/// The records of some clients. What changes all of them takes time for each, and so they must be few.
#[derive(Debug, Default)]
pub(super) struct Table {
    records: IndexMap<Client, Record>,
}

#[derive(Debug)]
pub(super) struct Record {
    of: RecordGuard,
    used: Instant,
    connections: u32,
}

/// One client's record, to be looked at.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// The address that remains under the profile's mask.
    pub client: IpAddr,
    pub place: Arc<Place>,
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
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn find(&self, client: Client, timeout: Option<Duration>, now: Instant) -> Option<&Arc<Place>> {
        let record = self.records.get(&client)?;
        (!record.has_expired(timeout, now)).then_some(&record.of.place)
    }

    /// Counts a connection of `client` to `place`. A new record takes the room of another one where the table
    /// `is_full`; returns whether it did.
    pub fn hold(&mut self, client: Client, place: &Arc<Place>, is_full: bool, now: Instant) -> bool {
        if let Some(record) = self.records.get_mut(&client) {
            if Arc::ptr_eq(&record.of.place, place) {
                record.connections += 1;
            } else {
                record.of = RecordGuard::new(place);
                record.connections = 1;
            }
            record.used = now;
            return false;
        }
        let evicts = is_full && self.evict();
        self.records.insert(client, Record { of: RecordGuard::new(place), used: now, connections: 1 });
        evicts
    }

    /// The record may by now be of another member, where the client was sent since.
    pub fn release(&mut self, client: Client, place: &Arc<Place>, now: Instant) {
        if let Some(record) = self.records.get_mut(&client).filter(|record| Arc::ptr_eq(&record.of.place, place)) {
            record.connections = record.connections.saturating_sub(1);
            record.used = now;
        }
    }

    /// Removes a client's record, unless it names another place than this one; returns whether it did.
    pub fn remove(&mut self, client: Client, place: &Arc<Place>) -> bool {
        let names_it = self.records.get(&client).is_some_and(|record| Arc::ptr_eq(&record.of.place, place));
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
    pub fn sweep(&mut self, timeout: Option<Duration>, now: Instant) {
        self.records.retain(|_, record| !record.has_expired(timeout, now));
    }

    /// The records that have not expired.
    pub fn views(&self, timeout: Option<Duration>, now: Instant) -> impl Iterator<Item = RecordView> {
        let live = self.records.iter().filter(move |(_, record)| !record.has_expired(timeout, now));
        live.map(move |(client, record)| RecordView {
            client: address(*client),
            place: Arc::clone(&record.of.place),
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

    fn place(node: &str) -> Arc<Place> {
        Place::new(Name::from("pool"), MemberKey { node: Name::from(node), port: 21050 })
    }

    fn client(number: u32) -> Client {
        bits(IpAddr::from(number.to_be_bytes()))
    }

    fn node_of(found: Option<&Arc<Place>>) -> Option<&str> {
        found.map(|place| place.member.node.as_str())
    }

    #[test]
    fn record_outlives_its_last_connection_by_the_timeout() {
        let (start, a) = (Instant::now(), place("a"));
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::default();
        table.hold(client(1), &a, false, start);
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(10_000))), Some("a"), "a live connection keeps it");
        table.release(client(1), &a, after(1000));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1179))), Some("a"));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1180))), None);
        assert_eq!(node_of(table.find(client(1), None, after(99_999))), Some("a"), "indefinite");
    }

    #[test]
    fn client_that_moved_is_not_released_by_its_old_connection() {
        let (start, a, b) = (Instant::now(), place("a"), place("b"));
        let mut table = Table::default();
        table.hold(client(1), &a, false, start);
        table.hold(client(1), &b, false, start);
        assert_eq!((a.records(), b.records()), (0, 1));
        table.release(client(1), &a, start);
        let later = start + Duration::from_secs(1000);
        assert_eq!(node_of(table.find(client(1), TIMEOUT, later)), Some("b"));
        assert!(!table.remove(client(1), &a), "it was chosen for the place that it had");
        assert!(table.remove(client(1), &b) && !table.remove(client(1), &b));
        assert_eq!((b.records(), table.len()), (0, 0));
    }

    #[test]
    fn full_table_evicts_what_was_idle_longest() {
        let (start, a) = (Instant::now(), place("a"));
        let at = |seconds: u32| start + Duration::from_secs(u64::from(seconds));
        let mut table = Table::default();
        assert!(!table.hold(client(0), &a, true, start), "there is none to go");
        for number in 1..1000 {
            assert!(!table.hold(client(number), &a, false, at(number)));
            table.release(client(number), &a, at(number));
        }
        for number in 1000..1500 {
            assert!(table.hold(client(number), &a, true, at(5000)));
            table.release(client(number), &a, at(5000 + number));
        }
        assert_eq!((table.len(), a.records()), (1000, 1000));
        assert!(table.find(client(0), None, start).is_some(), "it is in use");
        let newest = (1000..1500).filter(|number| table.find(client(*number), None, start).is_some()).count();
        assert!(newest > 450, "{newest} of 500: the oldest go first, or nearly");
    }
}
