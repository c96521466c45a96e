//! Records that are made into lines by the thread that writes them. Making the line of a connection costs more than handing
//! over what it tells, and costs less where many are made in a row.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use super::line_writer::Batch;

/// What logs a line, and when it was handed over.
pub(super) struct Deferred {
    handed_over: SystemTime,
    log: Box<dyn FnOnce() + Send>,
}

impl Deferred {
    pub(super) fn new(log: impl FnOnce() + Send + 'static) -> Self {
        Self { handed_over: SystemTime::now(), log: Box::new(log) }
    }

    /// Adds the line to others. If making it panics, it is the line of the panic, from the hook of panics.
    pub(super) fn write(self, lines: &mut Batch) {
        MAKING.set(Some(Making { handed_over: self.handed_over, lines: std::mem::take(lines) }));
        let _ = catch_unwind(AssertUnwindSafe(self.log));
        *lines = MAKING.take().map(|making| making.lines).unwrap_or_default();
    }

    /// Logs the line as any other.
    pub(super) fn log_now(self) {
        (self.log)();
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").field("handed_over", &self.handed_over).finish_non_exhaustive()
    }
}

struct Making {
    handed_over: SystemTime,
    lines: Batch,
}

thread_local! {
    /// Where the line of a deferred record goes, while this thread makes one.
    static MAKING: RefCell<Option<Making>> = const { RefCell::new(None) };
}

/// Returns the time of the event that this thread is making a line of.
pub(super) fn time() -> SystemTime {
    while_making(|making| making.handed_over).unwrap_or_else(SystemTime::now)
}

/// Takes a line that was made of a deferred record. Returns whether it is of one.
pub(super) fn take_line(line: &[u8]) -> bool {
    while_making(|making| making.lines.push(line)).is_some()
}

fn while_making<T>(act: impl FnOnce(&mut Making) -> T) -> Option<T> {
    // At the end of a thread its memory is gone.
    MAKING.try_with(|making| making.borrow_mut().as_mut().map(act)).ok().flatten()
}
