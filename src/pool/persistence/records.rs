//! Persistence records: which client goes back to which member, until its record expires.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::client::{Client, bits, key};
use super::record_target::RecordTarget;
use super::table::{RecordView, Table};
use crate::model::profile::{Persistence, PersistenceKind};

/// Persistence records: which member serves which client.
///
/// Every choice of a member asks here. So the records are spread over tables that are small and have a lock each: none
/// is held for longer than it takes to go through one of them, not even while all are listed, deleted or swept, or
/// while a table grows.
#[derive(Debug)]
pub struct Records {
    shards: Box<[Mutex<Table>]>,
    /// Decides which client's record is in which shard. It is secret, so that nobody can fill one.
    hasher: RandomState,
    most: usize,
    /// Records in all shards.
    count: AtomicUsize,
    /// By the profile that asked last, in nanoseconds; the greatest is for ever.
    timeout: AtomicU64,
    deletions: AtomicU64,
    /// Shards that were swept.
    swept: AtomicUsize,
    evicted: AtomicU64,
}

impl Default for Records {
    fn default() -> Self {
        Self::at_most(MOST_RECORDS)
    }
}

impl Records {
    /// Keeps so many records at most; beyond them those that were idle longest make room.
    pub fn at_most(most: usize) -> Self {
        Self::in_shards(most, most.div_ceil(SHARD))
    }

    fn in_shards(most: usize, shards: usize) -> Self {
        Self {
            shards: (0..shards.max(1)).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            most: most.max(1),
            count: AtomicUsize::new(0),
            timeout: AtomicU64::new(FOR_EVER),
            deletions: AtomicU64::new(0),
            swept: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// Returns the member that `client` goes back to, unless its record has expired.
    pub fn find(&self, profile: &Persistence, client: IpAddr, now: Instant) -> Option<Arc<RecordTarget>> {
        let PersistenceKind::SourceAddr(affinity) = profile.kind else { return None };
        let client = key(profile, client);
        self.shard(client).lock().find(client, affinity.timeout, now).cloned()
    }

    /// Records that `client` is served by `target`, for as long as the hold lives and the timeout after that.
    pub fn hold(
        self: &Arc<Self>,
        profile: &Persistence,
        client: IpAddr,
        target: &Arc<RecordTarget>,
        now: Instant,
    ) -> Option<PersistenceHold> {
        let PersistenceKind::SourceAddr(affinity) = profile.kind else { return None };
        let timeout = affinity.timeout.and_then(|timeout| u64::try_from(timeout.as_nanos()).ok());
        self.timeout.store(timeout.unwrap_or(FOR_EVER), Ordering::Relaxed);
        let client = key(profile, client);
        let is_full = self.count.load(Ordering::Relaxed) >= self.most;
        let held = self.change(self.shard(client), |table| table.hold(client, target, is_full, now));
        if held.evicts {
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        Some(PersistenceHold { records: Arc::clone(self), client, serial: held.serial })
    }

    /// Takes a record that another process has kept, last used at `used`. `client` is what remains under the profile's
    /// mask. What is told later is newer; one that connections of this process use stays.
    pub(in crate::pool) fn begin_with(&self, client: IpAddr, target: &Arc<RecordTarget>, used: Instant) {
        let client = bits(client);
        let is_full = self.count.load(Ordering::Relaxed) >= self.most;
        self.change(self.shard(client), |table| table.begin_with(client, target, is_full, used));
    }

    /// Returns the records that `matches` and that have not expired, by client. One that is there all the time is
    /// listed once, whatever becomes of others meanwhile. No lock is held while `matches` runs.
    pub fn list(&self, mut matches: impl FnMut(&RecordView) -> bool, now: Instant) -> Vec<RecordView> {
        let (mut list, mut views) = (Vec::new(), Vec::with_capacity(SHARD));
        for shard in &self.shards {
            self.view(shard, &mut views, now);
            list.extend(views.drain(..).filter(&mut matches));
        }
        list.sort_unstable_by_key(|record| record.client);
        list
    }

    /// Deletes the records that `matches`, and returns how many those were. Connections go on. No lock is held while
    /// `matches` runs.
    pub fn delete(&self, mut matches: impl FnMut(&RecordView) -> bool, now: Instant) -> usize {
        self.deletions.fetch_add(1, Ordering::Relaxed);
        let (mut deleted, mut matching) = (0, Vec::with_capacity(SHARD));
        for shard in &self.shards {
            self.view(shard, &mut matching, now);
            matching.retain(&mut matches);
            let remove = |table: &mut Table, it: &RecordView| table.remove(bits(it.client), &it.target);
            deleted += self.change(shard, |table| matching.iter().filter(|it| remove(table, it)).count());
        }
        deleted
    }

    /// Returns how often records were deleted.
    pub fn deletions(&self) -> u64 {
        self.deletions.load(Ordering::Relaxed)
    }

    /// Removes the expired ones of a sixtieth of the records: once a second, it gets to all of them within a minute.
    pub fn sweep(&self, now: Instant) {
        let timeout = self.timeout();
        for shard in self.next_shards() {
            self.change(shard, |table| table.sweep(timeout, now));
        }
    }

    /// Removes a sixtieth of the records, and returns whether none is left.
    pub(super) fn discard(&self) -> bool {
        for shard in self.next_shards() {
            drop(self.change(shard, std::mem::take));
        }
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Returns how long a record outlives its last connection, by the profile that asked last.
    pub fn timeout(&self) -> Option<Duration> {
        let timeout = self.timeout.load(Ordering::Relaxed);
        (timeout != FOR_EVER).then_some(Duration::from_nanos(timeout))
    }

    /// Returns how many records there are, with those that have expired and are not swept yet.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns how many records had to make room before they expired.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn shard(&self, client: Client) -> &Mutex<Table> {
        &self.shards[self.hasher.hash_one(client) as usize % self.shards.len()]
    }

    /// Returns those whose turn it is to be swept.
    fn next_shards(&self) -> impl Iterator<Item = &Mutex<Table>> {
        let next = || self.swept.fetch_add(1, Ordering::Relaxed) % self.shards.len();
        (0..self.shards.len().div_ceil(SWEEPS_FOR_ALL)).map(move |_| &self.shards[next()])
    }

    /// Changes a shard, and counts its records anew.
    fn change<T>(&self, shard: &Mutex<Table>, act: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = shard.lock();
        let before = table.len();
        let done = act(&mut table);
        // Wraps around where there are fewer, and so does the sum.
        self.count.fetch_add(table.len().wrapping_sub(before), Ordering::Relaxed);
        done
    }

    fn view(&self, shard: &Mutex<Table>, views: &mut Vec<RecordView>, now: Instant) {
        let timeout = self.timeout();
        views.clear();
        views.extend(shard.lock().views(timeout, now));
    }
}

/// Keeps a record from expiring while a connection uses it.
#[derive(Debug)]
pub struct PersistenceHold {
    records: Arc<Records>,
    client: Client,
    serial: u32,
}

impl Drop for PersistenceHold {
    fn drop(&mut self) {
        self.records.shard(self.client).lock().release(self.client, self.serial, Instant::now());
    }
}

const MOST_RECORDS: usize = 1_000_000;
/// Records of a shard when there are as many as may be: a few microseconds' work, and few enough for a hash table of
/// 512, which takes up to 448, though chance sends more to some shards than to others.
const SHARD: usize = 375;
const SWEEPS_FOR_ALL: usize = 60;
const FOR_EVER: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;
    use crate::model::profile::{Affinity, SourceMask};
    use crate::model::{MemberKey, Name};

    const TIMEOUT: Duration = Duration::from_secs(180);

    fn profile() -> Persistence {
        let kind = PersistenceKind::SourceAddr(Affinity {
            timeout: Some(TIMEOUT),
            match_across_services: false,
            match_across_virtuals: false,
            match_across_pools: false,
        });
        Persistence { name: Name::from("sticky"), kind, mask: SourceMask::HOST, override_connection_limit: false }
    }

    fn target(node: &str) -> Arc<RecordTarget> {
        let member = MemberKey { node: Name::from(node), port: 21050 };
        RecordTarget::new(Name::from("pool"), member, Arc::default())
    }

    fn client(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn deleted_records_are_gone_and_their_connections_go_on() {
        let (now, a, profile) = (Instant::now(), target("a"), profile());
        let records = Arc::new(Records::at_most(10));
        let hold = records.hold(&profile, client(1), &a, now);
        let _other = records.hold(&profile, client(2), &a, now);
        assert_eq!(records.list(|_| true, now).len(), 2);
        assert_eq!(records.delete(|record| record.client == client(1), now), 1);
        assert!(records.find(&profile, client(1), now).is_none() && records.find(&profile, client(2), now).is_some());
        drop(hold);
        assert_eq!(a.records(), 1);
    }

    #[test]
    fn record_that_moved_meanwhile_is_not_deleted_for_where_it_was() {
        let (now, a, b, profile) = (Instant::now(), target("a"), target("b"), profile());
        let records = Arc::new(Records::at_most(10));
        let mut holds = vec![records.hold(&profile, client(1), &a, now)];
        let deleted = records.delete(
            |record| {
                holds.push(records.hold(&profile, client(1), &b, now));
                record.target.member == a.member
            },
            now,
        );
        assert_eq!((deleted, a.records(), b.records()), (0, 0, 1));
    }

    #[test]
    fn expired_records_are_swept_away_within_a_minute() {
        let (start, a, profile) = (Instant::now(), target("a"), profile());
        let records = Arc::new(Records::at_most(100_000));
        let stays = records.hold(&profile, client(u32::MAX), &a, start);
        for number in 0..5000 {
            drop(records.hold(&profile, client(number), &a, start));
        }
        let later = Instant::now() + TIMEOUT;
        let mut used = BTreeSet::new();
        for _ in 0..SWEEPS_FOR_ALL {
            let number = fastrand::u32(..5000);
            drop(records.hold(&profile, client(number), &a, later));
            used.insert(number);
            records.sweep(later);
        }
        assert_eq!(a.records() as usize, 1 + used.len(), "those that were used meanwhile, and the one in use");
        for _ in 0..SWEEPS_FOR_ALL {
            records.sweep(later + TIMEOUT);
        }
        assert_eq!((a.records(), records.count.load(Ordering::Relaxed)), (1, 1));
        drop(stays);
    }

    #[test]
    fn records_of_all_shards_together_are_at_most_so_many() {
        let (now, a, profile) = (Instant::now(), target("a"), profile());
        let records = Arc::new(Records::in_shards(1000, 10));
        for number in 0..1500 {
            drop(records.hold(&profile, client(number), &a, now));
        }
        assert_eq!((records.list(|_| true, now).len(), a.records(), records.evicted()), (1000, 1000, 500));
        assert!((0..SWEEPS_FOR_ALL).any(|_| records.discard()));
        assert_eq!((records.list(|_| true, now).len(), a.records()), (0, 0));
    }

    const CLIENTS: u32 = 64;

    /// What happens to the records of a few clients while all are listed.
    #[derive(Clone, Debug)]
    enum Event {
        /// Here for the first time, again, or from the other target.
        Arrives(u32, usize),
        Deleted(u32),
        Swept,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            3 => (0..CLIENTS, 0..2_usize).prop_map(|(client, target)| Event::Arrives(client, target)),
            2 => (0..CLIENTS).prop_map(Event::Deleted),
            1 => Just(Event::Swept),
        ]
    }

    proptest! {
        /// Whether or not others arrive, leave, are evicted or swept while shards are looked at.
        #[test]
        fn record_that_is_there_all_the_time_is_listed_once(
            before in proptest::collection::vec(0..CLIENTS, 0..100),
            meanwhile in proptest::collection::vec(proptest::collection::vec(event(), 0..6), 24),
            most in 8_usize..80,
            shards in 1_usize..12,
        ) {
            let (start, targets, profile) = (Instant::now(), ["a", "b"].map(target), profile());
            let records = Arc::new(Records::in_shards(most, shards));
            for number in before {
                drop(records.hold(&profile, client(number), &targets[0], start));
            }
            let there = |number: &u32| records.find(&profile, client(*number), start).is_some();
            let mut throughout: BTreeSet<u32> = (0..CLIENTS).filter(there).collect();
            let mut ever = throughout.clone();
            let mut meanwhile = meanwhile.into_iter();
            let list = records.list(
                |_| {
                    for event in meanwhile.next().into_iter().flatten() {
                        match event {
                            Event::Arrives(number, target) => {
                                drop(records.hold(&profile, client(number), &targets[target], start));
                                ever.insert(number);
                            }
                            Event::Deleted(number) => {
                                records.delete(|record| record.client == client(number), start);
                            }
                            Event::Swept => records.sweep(start),
                        }
                        throughout.retain(there);
                    }
                    true
                },
                start,
            );
            prop_assert!(list.is_sorted_by_key(|record| record.client));
            let mut times: HashMap<IpAddr, u32> = HashMap::new();
            for record in &list {
                *times.entry(record.client).or_default() += 1;
            }
            for number in &throughout {
                prop_assert_eq!(times.get(&client(*number)), Some(&1), "client {}", number);
            }
            prop_assert!(times.values().all(|times| *times == 1), "somebody is listed twice");
            prop_assert!(times.keys().all(|listed| ever.iter().any(|number| client(*number) == *listed)));
            let after = records.list(|_| true, start).len();
            prop_assert_eq!((targets[0].records() + targets[1].records()) as usize, after, "the counts follow");
            prop_assert!(after <= most + shards, "and are bounded");
        }
    }
}
