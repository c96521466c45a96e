//! The member that persistence records name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::{MemberKey, Name};
use crate::pool::marks::Changed;
use crate::pool::shared::PoolShared;

/// A member of a pool, as persistence records name it, with the number of those.
#[derive(Debug)]
pub struct RecordTarget {
    pub pool: Name,
    pub member: MemberKey,
    records: AtomicU32,
    pub(in crate::pool) shared: Arc<PoolShared>,
    /// Its position in the table of choices, for [`Marks`](crate::pool::marks::Marks).
    pub(in crate::pool) position: AtomicU32,
}

impl RecordTarget {
    pub(in crate::pool) fn new(pool: Name, member: MemberKey, shared: Arc<PoolShared>) -> Arc<Self> {
        Arc::new(Self { pool, member, records: AtomicU32::new(0), shared, position: AtomicU32::new(u32::MAX) })
    }

    pub fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
    }

    /// Lets the next choice look at the member, of which anything but the number of records has changed.
    pub(in crate::pool) fn mark(&self, changed: Changed) {
        self.shared.marks.mark(&self.position, changed);
    }
}

/// Counts one record of a member for as long as it lives.
#[derive(Debug)]
pub(super) struct RecordGuard {
    pub target: Arc<RecordTarget>,
}

impl RecordGuard {
    pub(super) fn new(target: &Arc<RecordTarget>) -> Self {
        target.records.fetch_add(1, Ordering::Relaxed);
        target.shared.marks.mark_records(&target.position, Changed::now());
        Self { target: Arc::clone(target) }
    }
}

impl Drop for RecordGuard {
    fn drop(&mut self) {
        self.target.records.fetch_sub(1, Ordering::Relaxed);
        self.target.shared.marks.mark_records(&self.target.position, Changed::now());
    }
}
