//! Connections that are open, exact across threads, so that a limit is one.

use super::atomic::{AtomicU32, AtomicU64, Ordering};

/// Connections of a virtual server, pool, member or node. The current count is exact across threads, so that a limit
/// is one.
#[derive(Debug, Default)]
pub struct Connections {
    current: AtomicU32,
    /// Those in other processes, which count toward limits.
    elsewhere: AtomicU32,
    maximum: AtomicU32,
    total: AtomicU64,
}

impl Connections {
    /// Counts one connection in, unless `limit` are there already. Returns whether it was counted.
    pub fn try_enter(&self, limit: Option<u32>) -> bool {
        let open = self.take_room(limit);
        if let Some(open) = open {
            self.count(open);
        }
        open.is_some()
    }

    /// Takes the room of one connection, unless `limit` have it already. Returns how many have it then.
    fn take_room(&self, limit: Option<u32>) -> Option<u32> {
        let limit = limit.map_or(u32::MAX, |limit| limit.saturating_sub(self.elsewhere()));
        let taken = self
            .current
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < limit).then(|| now.saturating_add(1)));
        taken.ok().map(|before| before.saturating_add(1))
    }

    /// Counts a connection that stays, when so many were open with it.
    fn count(&self, open: u32) {
        self.maximum.fetch_max(open, Ordering::Release);
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one connection into both, or into neither when either has as many as its limit. Returns whether it was
    /// counted.
    pub fn try_enter_both(one: (&Self, Option<u32>), other: (&Self, Option<u32>)) -> bool {
        let Some(open) = one.0.take_room(one.1) else { return false };
        let both = other.0.try_enter(other.1);
        if both {
            // Only now, as a total that falls again would be taken for one that began anew.
            one.0.count(open);
        } else {
            one.0.leave();
        }
        both
    }

    /// Lets the maximum begin anew with what is open.
    pub fn reset_maximum(&self) {
        self.maximum.swap(self.current(), Ordering::AcqRel);
        // Whoever entered in between may have set it just before, and is seen now.
        self.maximum.fetch_max(self.current(), Ordering::Relaxed);
    }

    /// Counts one connection out; for the `Drop` of the guard that counted it in.
    pub fn leave(&self) {
        self.current.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns how many are open in this process.
    pub fn current(&self) -> u32 {
        self.current.load(Ordering::Acquire)
    }

    /// Sets how many there are in other processes. Returns how many there were before.
    pub fn set_elsewhere(&self, count: u32) -> u32 {
        self.elsewhere.swap(count, Ordering::AcqRel)
    }

    /// Returns how many there are in other processes: those that drain after an upgrade.
    pub fn elsewhere(&self) -> u32 {
        self.elsewhere.load(Ordering::Acquire)
    }

    /// Returns how many are open in all processes.
    pub fn everywhere(&self) -> u32 {
        self.current().saturating_add(self.elsewhere())
    }

    /// Returns how many ever entered.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub fn read(&self) -> ConnectionCounts {
        ConnectionCounts {
            current: self.current(),
            elsewhere: self.elsewhere(),
            maximum: self.maximum.load(Ordering::Relaxed),
            total: self.total(),
        }
    }
}

/// Figures read from [`Connections`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    pub current: u32,
    /// Those in other processes, which drain after an upgrade.
    pub elsewhere: u32,
    /// The most there were at once, since the last reset of the statistics.
    pub maximum: u32,
    pub total: u64,
}
