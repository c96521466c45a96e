//! What both ends of the queue share: counts of lines, the report of losses, and whether to reopen the file.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed};

use parking_lot::{Mutex, MutexGuard};

use super::loss_report::LossReports;

/// What both ends of the queue share. Counts are of lines since the start of the process.
#[derive(Debug, Default)]
pub(super) struct LogState {
    pub written: AtomicU64,
    pub failed: AtomicU64,
    /// The number of the last error of writing; 0 before the first.
    error: AtomicI32,
    /// Whether the log file is to be reopened.
    pub reopen: AtomicBool,
    reports: Mutex<LossReports>,
}

/// The kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Ordinary,
    /// The report of lost lines, which does not count as a line itself.
    LossReport,
}

impl LogState {
    /// Counts a line that was written or lost.
    pub(super) fn finished(&self, kind: LineKind, written: bool) {
        let count = match kind {
            LineKind::LossReport => return self.reports().set_written(written),
            LineKind::Ordinary if written => &self.written,
            LineKind::Ordinary => &self.failed,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn note_error(&self, error: &io::Error) {
        self.error.store(error.raw_os_error().unwrap_or_default(), Relaxed);
    }

    pub(super) fn last_error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.error.load(Relaxed))
    }

    /// Locks the reports of losses. The lock is never held while a line is written or logged.
    pub(super) fn reports(&self) -> MutexGuard<'_, LossReports> {
        self.reports.lock()
    }
}
