use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::model::{MemberKey, Name};

/// A member of a pool, as records name it, with the number of those.
#[derive(Debug)]
pub struct Place {
    pub pool: Name,
    pub member: MemberKey,
    records: AtomicU32,
}

impl Place {
    pub(in crate::pool) fn new(pool: Name, member: MemberKey) -> Arc<Self> {
        Arc::new(Self { pool, member, records: AtomicU32::new(0) })
    }

    pub fn records(&self) -> u32 {
        self.records.load(Ordering::Relaxed)
    }
}

/// Counts one record of a place for as long as it lives.
#[derive(Debug)]
pub(super) struct RecordGuard {
    pub place: Arc<Place>,
}

impl RecordGuard {
    pub fn new(place: &Arc<Place>) -> Self {
        place.records.fetch_add(1, Ordering::Relaxed);
        Self { place: Arc::clone(place) }
    }
}

impl Drop for RecordGuard {
    fn drop(&mut self) {
        self.place.records.fetch_sub(1, Ordering::Relaxed);
    }
}
