//! How many connections to a member or a node persistence sent there.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts the connections that persistence sent to a member or a node.
#[derive(Debug, Default)]
pub(super) struct PersistedCount {
    own: AtomicU32,
    /// Those in processes that drain after an upgrade.
    elsewhere: AtomicU32,
}

impl PersistedCount {
    pub(super) fn enter(&self) {
        self.own.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.own.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns how many are open in this process.
    pub(super) fn current(&self) -> u32 {
        self.own.load(Ordering::Relaxed)
    }

    /// Returns how many are open in all processes.
    pub(super) fn everywhere(&self) -> u32 {
        self.current().saturating_add(self.elsewhere.load(Ordering::Relaxed))
    }

    /// Sets how many there are in other processes. Returns how many there were before.
    pub(super) fn set_elsewhere(&self, count: u32) -> u32 {
        self.elsewhere.swap(count, Ordering::Relaxed)
    }
}
