//! Which member serves which client: records of it, and the score that needs none.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::live::locked;
use crate::model::profile::{Affinity, Persistence, PersistenceKind};
use crate::model::{MemberKey, Model, Name, VirtualServer};

/// A persistence profile of a virtual server, with the records that it keeps, if it does.
#[derive(Clone, Debug)]
pub struct Sticky {
    pub profile: Arc<Persistence>,
    pub records: Option<Arc<Records>>,
}

/// Who shares records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// One virtual server alone.
    VirtualServer(Name),
    /// Virtual servers with this address (`match-across-services`).
    Address(IpAddr),
    /// All whose profile has `match-across-virtuals`.
    All,
}

impl Sharing {
    /// With whom a virtual server shares its records.
    pub fn of(virtual_server: &VirtualServer, affinity: &Affinity) -> Self {
        match affinity {
            Affinity { match_across_virtuals: true, .. } => Self::All,
            Affinity { match_across_services: true, .. } => Self::Address(virtual_server.destination.ip()),
            _ => Self::VirtualServer(virtual_server.name.clone()),
        }
    }

    pub(super) fn is_among(&self, model: &Model) -> bool {
        match self {
            Self::VirtualServer(name) => model.virtual_servers.contains_key(name),
            Self::Address(address) => model.virtual_servers.values().any(|it| it.destination.ip() == *address),
            Self::All => true,
        }
    }
}

/// A member of a pool, as records name it, with the number of those.
#[derive(Debug)]
pub struct Place {
    pub pool: Name,
    pub member: MemberKey,
    records: AtomicU32,
}

impl Place {
    pub(super) fn new(pool: Name, member: MemberKey) -> Arc<Self> {
        Arc::new(Self { pool, member, records: AtomicU32::new(0) })
    }

    pub fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
    }
}

/// Which member serves which client.
#[derive(Debug)]
pub struct Records {
    table: Mutex<Table>,
    evicted: AtomicU64,
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

impl Default for Records {
    fn default() -> Self {
        Self::at_most(MOST_RECORDS)
    }
}

impl Records {
    /// A table of so many records; beyond them those that were idle longest make room.
    pub fn at_most(most: usize) -> Self {
        Self { table: Mutex::new(Table::new(most)), evicted: AtomicU64::new(0) }
    }

    /// The member that `client` goes back to, unless its record has expired.
    pub fn find(&self, profile: &Persistence, client: IpAddr, now: Instant) -> Option<Arc<Place>> {
        let PersistenceKind::SourceAddr(affinity) = profile.kind else { return None };
        let mut table = locked(&self.table);
        table.sweep(now);
        table.find(key(profile, client), affinity.timeout, now).cloned()
    }

    /// Records that `client` is served there, for as long as the hold lives and the timeout after that.
    pub fn hold(
        self: &Arc<Self>,
        profile: &Persistence,
        client: IpAddr,
        place: &Arc<Place>,
        now: Instant,
    ) -> Option<PersistenceHold> {
        let PersistenceKind::SourceAddr(affinity) = profile.kind else { return None };
        let client = key(profile, client);
        let evicts = locked(&self.table).hold(client, place, affinity.timeout, now);
        if evicts {
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        Some(PersistenceHold { records: Arc::clone(self), client, place: Arc::clone(place) })
    }

    /// Every record that has not expired, by client.
    pub fn list(&self, now: Instant) -> Vec<RecordView> {
        let table = locked(&self.table);
        let live = table.records.iter().filter(|(_, record)| !record.has_expired(table.timeout, now));
        let mut list: Vec<_> = live
            .map(|(client, record)| RecordView {
                client: address(*client),
                place: Arc::clone(&record.place),
                connections: record.connections,
                idle: now.saturating_duration_since(record.used),
            })
            .collect();
        drop(table);
        list.sort_unstable_by_key(|record| record.client);
        list
    }

    /// Deletes the records that `matches`, and tells how many those were. Connections go on.
    pub fn delete(&self, mut matches: impl FnMut(&RecordView) -> bool, now: Instant) -> usize {
        let doomed: Vec<_> = self.list(now).into_iter().filter(|record| matches(record)).collect();
        let mut table = locked(&self.table);
        doomed.iter().filter(|record| table.remove(bits(record.client))).count()
    }

    /// How long a record outlives its last connection, as it was asked for last.
    pub fn timeout(&self) -> Option<Duration> {
        locked(&self.table).timeout
    }

    /// Records that had to make room before they expired.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }
}

/// Keeps a record from expiring while a connection uses it.
#[derive(Debug)]
pub struct PersistenceHold {
    records: Arc<Records>,
    client: Client,
    place: Arc<Place>,
}

impl Drop for PersistenceHold {
    fn drop(&mut self) {
        locked(&self.records.table).release(self.client, &self.place, Instant::now());
    }
}

/// How well a client and a node fit, by the client's address under the profile's mask: everybody who computes it finds
/// the same, and the highest score wins (rendezvous hashing; F5's `carp`). A member with a higher ratio wins as many more
/// clients.
pub(super) fn score(profile: &Persistence, client: IpAddr, member: &MemberKey, ratio: u32) -> f64 {
    let client = key(profile, client);
    let mut hash = FNV_BASIS;
    for byte in client.into_iter().chain(member.node.as_str().bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    }
    // FNV leaves the high bits alike for texts that differ at their end.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    // In (0, 1), as evenly as 53 bits allow.
    let even = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    f64::from(ratio) / -even.ln()
}

/// An address in 16 bytes; IPv4 mapped into IPv6.
type Client = [u8; 16];

fn key(profile: &Persistence, client: IpAddr) -> Client {
    bits(profile.mask.apply(client))
}

fn bits(client: IpAddr) -> Client {
    match client {
        IpAddr::V4(client) => client.to_ipv6_mapped().octets(),
        IpAddr::V6(client) => client.octets(),
    }
}

fn address(client: Client) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(client)).to_canonical()
}

#[derive(Debug)]
struct Table {
    records: IndexMap<Client, Record>,
    most: usize,
    timeout: Option<Duration>,
    /// Where the last look for expired records ended, and when it was.
    swept: (usize, Option<Instant>),
}

#[derive(Debug)]
struct Record {
    place: Arc<Place>,
    used: Instant,
    connections: u32,
}

impl Record {
    fn has_expired(&self, timeout: Option<Duration>, now: Instant) -> bool {
        let idle = now.saturating_duration_since(self.used);
        self.connections == 0 && timeout.is_some_and(|timeout| idle >= timeout)
    }
}

impl Table {
    fn new(most: usize) -> Self {
        Self { records: IndexMap::new(), most: most.max(1), timeout: None, swept: (0, None) }
    }

    fn find(&self, client: Client, timeout: Option<Duration>, now: Instant) -> Option<&Arc<Place>> {
        let record = self.records.get(&client)?;
        (!record.has_expired(timeout, now)).then_some(&record.place)
    }

    /// Tells whether another record had to go.
    fn hold(&mut self, client: Client, place: &Arc<Place>, timeout: Option<Duration>, now: Instant) -> bool {
        self.timeout = timeout;
        match self.records.entry(client) {
            Entry::Occupied(mut record) => {
                let record = record.get_mut();
                let same = Arc::ptr_eq(&record.place, place);
                record.connections = if same { record.connections + 1 } else { 1 };
                record.used = now;
                if !same {
                    record.place.records.fetch_sub(1, Ordering::Relaxed);
                    place.records.fetch_add(1, Ordering::Relaxed);
                    record.place = Arc::clone(place);
                }
                false
            }
            Entry::Vacant(_) => {
                let evicts = self.records.len() >= self.most;
                if evicts {
                    self.evict();
                }
                place.records.fetch_add(1, Ordering::Relaxed);
                self.records.insert(client, Record { place: Arc::clone(place), used: now, connections: 1 });
                evicts
            }
        }
    }

    /// The record may by now be of another member, where the client was sent since.
    fn release(&mut self, client: Client, place: &Arc<Place>, now: Instant) {
        if let Some(record) = self.records.get_mut(&client).filter(|record| Arc::ptr_eq(&record.place, place)) {
            record.connections = record.connections.saturating_sub(1);
            record.used = now;
        }
    }

    fn remove(&mut self, client: Client) -> bool {
        let removed = self.records.swap_remove(&client);
        removed.is_some_and(|record| record.place.records.fetch_sub(1, Ordering::Relaxed) > 0)
    }

    /// Removes what of a few was idle longest; those in use only when all of the few are.
    fn evict(&mut self) {
        let sample = (0..SAMPLE).filter_map(|_| self.records.get_index(fastrand::usize(..self.records.len())));
        let oldest = sample.min_by_key(|(_, record)| (record.connections > 0, record.used)).map(|(client, _)| *client);
        oldest.map(|client| self.remove(client));
    }

    /// Removes expired records, some of them at a time, so that nobody waits for all.
    fn sweep(&mut self, now: Instant) {
        let (mut at, last) = self.swept;
        if last.is_some_and(|last| now.saturating_duration_since(last) < SWEEP_EVERY) {
            return;
        }
        let looks = (self.records.len() / SWEEPS_FOR_ALL).max(SWEEP_AT_LEAST).min(self.records.len());
        for _ in 0..looks {
            if at >= self.records.len() {
                at = 0;
            }
            match self.records.get_index(at) {
                Some((client, record)) if record.has_expired(self.timeout, now) => {
                    let client = *client;
                    // The last record takes its index, and is looked at next.
                    self.remove(client);
                }
                Some(_) => at += 1,
                None => break,
            }
        }
        self.swept = (at, Some(now));
    }
}

const MOST_RECORDS: usize = 1_000_000;
/// Records that are compared to find one that was idle long.
const SAMPLE: usize = 16;
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const SWEEPS_FOR_ALL: usize = 60;
const SWEEP_AT_LEAST: usize = 1024;
/// Of the Fowler-Noll-Vo hash with 64 bits (RFC 9923).
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::SourceMask;

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
        let mut table = Table::new(10);
        table.hold(client(1), &a, TIMEOUT, start);
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(10_000))), Some("a"), "a live connection keeps it");
        table.release(client(1), &a, after(1000));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1179))), Some("a"));
        assert_eq!(node_of(table.find(client(1), TIMEOUT, after(1180))), None);
        assert_eq!(node_of(table.find(client(1), None, after(99_999))), Some("a"), "indefinite");
    }

    #[test]
    fn client_that_moved_is_not_released_by_its_old_connection() {
        let (start, a, b) = (Instant::now(), place("a"), place("b"));
        let mut table = Table::new(10);
        table.hold(client(1), &a, TIMEOUT, start);
        table.hold(client(1), &b, TIMEOUT, start);
        assert_eq!((a.records(), b.records()), (0, 1));
        table.release(client(1), &a, start);
        let later = start + Duration::from_secs(1000);
        assert_eq!(node_of(table.find(client(1), TIMEOUT, later)), Some("b"));
    }

    #[test]
    fn expired_records_are_swept_away() {
        let (start, a) = (Instant::now(), place("a"));
        let mut table = Table::new(100_000);
        for number in 0..5000 {
            let now = start + Duration::from_secs(u64::from(number));
            table.sweep(now);
            table.hold(client(number), &a, TIMEOUT, now);
            table.release(client(number), &a, now);
        }
        assert!(table.records.len() <= 182, "{}", table.records.len());
        assert_eq!(a.records() as usize, table.records.len());
    }

    #[test]
    fn full_table_evicts_what_was_idle_longest() {
        let (start, a) = (Instant::now(), place("a"));
        let mut table = Table::new(1000);
        table.hold(client(0), &a, None, start);
        for number in 1..1000 {
            assert!(!table.hold(client(number), &a, None, start + Duration::from_secs(u64::from(number))));
            table.release(client(number), &a, start + Duration::from_secs(u64::from(number)));
        }
        for number in 1000..1500 {
            assert!(table.hold(client(number), &a, None, start + Duration::from_secs(5000)));
            table.release(client(number), &a, start + Duration::from_secs(5000 + u64::from(number)));
        }
        assert_eq!((table.records.len(), a.records()), (1000, 1000));
        assert!(table.records.contains_key(&client(0)), "it is in use");
        let newest = (1000..1500).filter(|number| table.records.contains_key(&client(*number))).count();
        assert!(newest > 450, "{newest} of 500: the oldest go first, or nearly");
    }

    #[test]
    fn deleted_records_are_gone_and_their_connections_go_on() {
        let (now, a) = (Instant::now(), place("a"));
        let kind = PersistenceKind::SourceAddr(Affinity {
            timeout: TIMEOUT,
            match_across_services: false,
            match_across_virtuals: false,
            match_across_pools: false,
        });
        let name = Name::from("source_addr");
        let profile = Persistence { name, kind, mask: SourceMask::HOST, override_connection_limit: false };
        let records = Arc::new(Records::at_most(10));
        let address = |last| IpAddr::from([10, 0, 0, last]);
        let hold = records.hold(&profile, address(1), &a, now);
        let _other = records.hold(&profile, address(2), &a, now);
        assert_eq!(records.list(now).len(), 2);
        assert_eq!(records.delete(|record| record.client == address(1), now), 1);
        assert!(records.find(&profile, address(1), now).is_none() && records.find(&profile, address(2), now).is_some());
        drop(hold);
        assert_eq!(a.records(), 1);
    }

    #[test]
    fn scores_are_even_and_the_same_everywhere() {
        let name = Name::from("hash");
        let mask = SourceMask::HOST;
        let profile = Persistence { name, kind: PersistenceKind::Hash, mask, override_connection_limit: false };
        let best = |client: u32, nodes: &[&str]| {
            let fit = |node: &&&str| {
                let member = MemberKey { node: Name::from(**node), port: 21050 };
                score(&profile, IpAddr::from(client.to_be_bytes()), &member, 1)
            };
            (*nodes.iter().max_by(|one, other| fit(one).total_cmp(&fit(other))).unwrap()).to_owned()
        };
        let clients = || 0x0a00_0000..0x0a00_0000 + 30_000;
        let (three, two) = (["n1", "n2", "n3"], ["n1", "n3"]);
        for node in three {
            let share = clients().filter(|client| best(*client, &three) == node).count();
            assert!((9_700..=10_300).contains(&share), "{node}: {share}");
        }
        let moved = clients().filter(|client| {
            let before = best(*client, &three);
            before != "n2" && before != best(*client, &two)
        });
        assert_eq!(moved.count(), 0, "only the clients of the one that left move");
        assert_eq!(best(0x0a00_0001, &three), "n3", "every build of pronk must find the same");
    }
}
