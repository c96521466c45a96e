//! Lines that are made by the thread that writes them. Making the line of a connection costs more than handing over what
//! it tells, and costs less where many are made in a row.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use super::line_writer::Batch;

/// What logs a line, and when it was handed over.
pub(super) struct Deferred {
    since: SystemTime,
    log: Box<dyn FnOnce() + Send>,
}

impl Deferred {
    pub(super) fn new(log: impl FnOnce() + Send + 'static) -> Self {
        Self { since: SystemTime::now(), log: Box::new(log) }
    }

    /// Adds the lines that are logged to others. A panic is logged as well, by the hook of panics.
    pub(super) fn write(self, lines: &mut Batch) {
        MAKING.set(Some(Making { since: self.since, lines: std::mem::take(lines) }));
        let _ = catch_unwind(AssertUnwindSafe(self.log));
        *lines = MAKING.take().map(|making| making.lines).unwrap_or_default();
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").field("since", &self.since).finish_non_exhaustive()
    }
}

struct Making {
    since: SystemTime,
    lines: Batch,
}

thread_local! {
    /// What this thread logs later, if it is at that.
    static MAKING: RefCell<Option<Making>> = const { RefCell::new(None) };
}

/// Returns the time of what this thread logs.
pub(super) fn time() -> SystemTime {
    while_making(|making| making.since).unwrap_or_else(SystemTime::now)
}

/// Keeps a line of what this thread logs later. Returns whether it is at that.
pub(super) fn keep(line: &[u8]) -> bool {
    while_making(|making| making.lines.push(line)).is_some()
}

fn while_making<T>(act: impl FnOnce(&mut Making) -> T) -> Option<T> {
    // At the end of a thread its memory is gone.
    MAKING.try_with(|making| making.borrow_mut().as_mut().map(act)).ok().flatten()
}
