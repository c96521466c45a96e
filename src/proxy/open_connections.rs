//! The connections that are open, for lists of them and for ending some of them.
//!
//! A connection is entered when it is accepted and taken out when it has ended. Between, nothing that passes bytes
//! touches the table: what changes is in the record of each connection.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection_record::ConnectionRecord;
use super::open_connection::{OpenConnection, Remaining, Selection, SortBy};
use super::stop::Stop;

/// The open connections of the process, by number.
#[derive(Debug, Default)]
pub struct OpenConnections {
    shards: [Mutex<Shard>; SHARDS],
    last_id: AtomicU64,
    /// Whether connections that come now are to end at once, as the drain is over.
    closing: AtomicBool,
}

type Shard = BTreeMap<u64, Arc<ConnectionRecord>>;

impl OpenConnections {
    /// Enters a connection, whose record is made with its number, until what is returned is dropped.
    pub(super) fn add(self: Arc<Self>, record: impl FnOnce(u64) -> ConnectionRecord) -> Listed {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let record = Arc::new(record(id));
        self.shard(id).lock().insert(id, Arc::clone(&record));
        // Whoever closes all of them sets this first, and looks at the table then.
        if self.closing.load(Ordering::SeqCst) {
            record.stop(Stop::Drained, None);
        }
        Listed { open: self, record }
    }

    /// Has numbers begin behind those of another process, which go up to `last`: with a million that no process has used,
    /// as the other one may give out some more.
    pub fn begin_behind(&self, last: u64) {
        let begin = last.saturating_add(STILL_GIVEN_OUT).div_ceil(NUMBERS).saturating_mul(NUMBERS);
        self.last_id.fetch_max(begin, Ordering::Relaxed);
    }

    /// Returns the number that was given out last.
    pub fn last_id(&self) -> u64 {
        self.last_id.load(Ordering::Relaxed)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the connection of this number, while it is open.
    pub fn find(&self, id: u64) -> Option<OpenConnection> {
        let record = self.shard(id).lock().get(&id).map(Arc::clone)?;
        Some(record.view(Instant::now()))
    }

    /// Returns the numbers of those that are meant, in order.
    pub fn sorted(&self, selection: &Selection, by: SortBy) -> Vec<u64> {
        let mut found = Vec::new();
        self.each(selection, |connection| {
            let weight = match by {
                SortBy::Age => connection.age.as_nanos() as u64,
                SortBy::Idle => connection.idle.as_nanos() as u64,
                SortBy::Bytes => connection.bytes_in.saturating_add(connection.bytes_out),
            };
            found.push((std::cmp::Reverse(weight), connection.id));
        });
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Calls `look` with each of those that are meant.
    pub fn each(&self, selection: &Selection, mut look: impl FnMut(OpenConnection)) {
        let now = Instant::now();
        self.records(selection, |record| look(record.view(now)));
    }

    /// Returns how many are left of those that are meant.
    pub fn remaining(&self, selection: &Selection) -> Remaining {
        let mut remaining = Remaining::default();
        self.each(selection, |connection| remaining.add(&connection));
        remaining
    }

    /// Ends those that are meant, for a reason in words, and returns how many. With `idle_for` only those that have been
    /// idle for so long, and of which nothing is under way.
    pub fn stop(&self, selection: &Selection, stop: Stop, why: &Arc<str>, idle_for: Option<Duration>) -> usize {
        let (now, mut stopped) = (Instant::now(), 0);
        self.records(selection, |record| {
            if idle_for.is_none_or(|least| record.is_idle(least, now)) {
                stopped += usize::from(record.stop(stop, Some(Arc::clone(why))));
            }
        });
        stopped
    }

    /// Ends all connections, those that come later too: as the drain of the process does, in any order and evenly over
    /// a time.
    pub(super) async fn close_over(&self, time: Duration) {
        self.closing.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        self.records(&Selection::default(), |record| all.push(Arc::downgrade(record)));
        fastrand::shuffle(&mut all);
        let (begun, count) = (Instant::now(), all.len().max(1) as u32);
        for (turn, record) in (0..).zip(all) {
            if !time.is_zero() {
                tokio::time::sleep_until(begun + time / count * turn).await;
            }
            if let Some(record) = record.upgrade() {
                record.stop(Stop::Drained, None);
            }
        }
    }

    /// Ends all connections at once, those that come later too.
    pub(super) fn close_at_once(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.records(&Selection::default(), |record| {
            record.stop(Stop::Drained, None);
        });
    }

    /// Calls `look` with the records of those that are meant, a few at a time, so that no lock is held for long and none
    /// while it is called.
    fn records(&self, selection: &Selection, mut look: impl FnMut(&Arc<ConnectionRecord>)) {
        if let Some(id) = selection.id {
            let record = self.shard(id).lock().get(&id).map(Arc::clone);
            return record.iter().filter(|record| record.matches(selection)).for_each(look);
        }
        let mut some: Vec<Arc<ConnectionRecord>> = Vec::with_capacity(AT_ONCE);
        for shard in &self.shards {
            let mut next = 0;
            loop {
                some.extend(shard.lock().range(next..).take(AT_ONCE).map(|(_, record)| Arc::clone(record)));
                let Some(last) = some.last() else { break };
                next = last.id + 1;
                some.drain(..).filter(|record| record.matches(selection)).for_each(|record| look(&record));
            }
        }
    }

    fn shard(&self, id: u64) -> &Mutex<Shard> {
        &self.shards[(id % SHARDS as u64) as usize]
    }
}

/// A connection's place in the table, and its record.
#[derive(Debug)]
pub(super) struct Listed {
    open: Arc<OpenConnections>,
    record: Arc<ConnectionRecord>,
}

impl Deref for Listed {
    type Target = ConnectionRecord;

    fn deref(&self) -> &ConnectionRecord {
        &self.record
    }
}

impl Listed {
    /// Takes the connection out of the table, and returns its record.
    pub(super) fn take_out(self) -> Arc<ConnectionRecord> {
        Arc::clone(&self.record)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let id = self.record.id;
        let removed = self.open.shard(id).lock().remove(&id);
        // What the record holds is given back without the lock.
        drop(removed);
    }
}

/// Parts of the table with a lock each, so that threads seldom meet at one.
const SHARDS: usize = 16;
/// Records that are copied under a lock at once.
const AT_ONCE: usize = 64;
/// The numbers of a process that takes over begin with a multiple of this.
const NUMBERS: u64 = 1_000_000;
/// The most that a process gives out after it has handed over: to clients in the queues of sockets that nobody serves then.
const STILL_GIVEN_OUT: u64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_processes_do_not_meet() {
        let mut last = 4711;
        for expected in [1_000_000, 2_000_000, 3_000_000] {
            let open = OpenConnections::default();
            open.begin_behind(last);
            assert_eq!(open.last_id(), expected);
            last = open.last_id() + 7;
        }
        let open = OpenConnections::default();
        open.begin_behind(999_999);
        assert_eq!(open.last_id(), 2_000_000, "the other process has room for more");
        open.begin_behind(0);
        assert_eq!(open.last_id(), 2_000_000, "none is given out twice");
    }
}
