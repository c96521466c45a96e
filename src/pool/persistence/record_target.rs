//! The member that persistence records name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::{MemberKey, Name};

/// A member of a pool, as persistence records name it, with the number of those.
#[derive(Debug)]
pub struct RecordTarget {
    pub pool: Name,
    pub member: MemberKey,
    records: AtomicU32,
}

impl RecordTarget {
    pub(in crate::pool) fn new(pool: Name, member: MemberKey) -> Arc<Self> {
        Arc::new(Self { pool, member, records: AtomicU32::new(0) })
    }

    pub fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
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
        Self { target: Arc::clone(target) }
    }
}

impl Drop for RecordGuard {
    fn drop(&mut self) {
        self.target.records.fetch_sub(1, Ordering::Relaxed);
    }
}
