//! How reloads went, for metrics.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::reload_report::ReloadReport;
use crate::config::Severity;

/// Counts the reloads since the start of the process. The first configuration is none.
#[derive(Debug, Default)]
pub struct ReloadCounts {
    succeeded: AtomicU64,
    failed: AtomicU64,
    last_failed: AtomicBool,
    /// When the configuration in force was applied, in seconds since 1970; 0 before the first.
    applied: AtomicI64,
    warnings: AtomicU64,
}

impl ReloadCounts {
    pub fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns whether the last reload was refused, so that the file has another configuration than what runs.
    pub fn has_last_failed(&self) -> bool {
        self.last_failed.load(Ordering::Relaxed)
    }

    /// Returns when the configuration in force was applied, in seconds since 1970.
    pub fn applied(&self) -> Option<i64> {
        Some(self.applied.load(Ordering::Relaxed)).filter(|applied| *applied > 0)
    }

    /// Returns how many warnings there were about the configuration in force.
    pub fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }

    pub(super) fn take_applied(&self, report: &ReloadReport, is_start: bool) {
        if !is_start {
            self.succeeded.fetch_add(1, Ordering::Relaxed);
        }
        self.last_failed.store(false, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        self.applied.store(now, Ordering::Relaxed);
        let warnings = report.notes.iter().filter(|note| note.severity == Severity::Warning).count();
        self.warnings.store(warnings as u64, Ordering::Relaxed);
    }

    pub(super) fn take_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.last_failed.store(true, Ordering::Relaxed);
    }
}
