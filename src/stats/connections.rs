//! Connections that are open, exact across threads, so that a limit is one.

use super::atomic::{AtomicU32, AtomicU64, Ordering};

/// Connections of a virtual server, pool, member or node. The current count is exact across threads, so that a limit
/// is one.
#[derive(Debug, Default)]
pub struct Connections {
    current: AtomicU32,
    maximum: AtomicU32,
    total: AtomicU64,
}

impl Connections {
    /// Counts one connection in, unless `limit` are there already. Returns whether it was counted.
    pub fn try_enter(&self, limit: Option<u32>) -> bool {
        let limit = limit.unwrap_or(u32::MAX);
        let entered = self
            .current
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < limit).then(|| now.saturating_add(1)));
        match entered {
            Ok(before) => {
                self.maximum.fetch_max(before.saturating_add(1), Ordering::Relaxed);
                self.total.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(_) => false,
        }
    }

    /// Counts one connection into both, or into neither when either has as many as its limit. Returns whether it was
    /// counted.
    pub fn try_enter_both(one: (&Self, Option<u32>), other: (&Self, Option<u32>)) -> bool {
        if !one.0.try_enter(one.1) {
            return false;
        }
        let both = other.0.try_enter(other.1);
        if !both {
            one.0.take_back();
        }
        both
    }

    /// Undoes an entry that came to nothing.
    fn take_back(&self) {
        self.total.fetch_sub(1, Ordering::Relaxed);
        self.leave();
    }

    /// Counts one connection out; for the `Drop` of the guard that counted it in.
    pub fn leave(&self) {
        self.current.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns how many are open.
    pub fn current(&self) -> u32 {
        self.current.load(Ordering::Acquire)
    }

    /// Returns how many ever entered.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub fn read(&self) -> ConnectionCounts {
        ConnectionCounts { current: self.current(), maximum: self.maximum.load(Ordering::Relaxed), total: self.total() }
    }
}

/// Figures read from [`Connections`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    pub current: u32,
    /// The most there ever were at once.
    pub maximum: u32,
    pub total: u64,
}
