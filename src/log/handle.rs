//! The handle of the log: logging later, reporting lost lines, reopening the file, flushing at the end.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::deferred::Deferred;
use super::lossy_queue::{LOSS_TARGET, LossyQueue};
use super::options::Target;

/// The handle of the log.
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) queue: LossyQueue,
    pub(super) target: Arc<Target>,
}

/// Has `log` run by the thread that writes the log, where it logs one line. The line has the place and the time that it
/// would have if it were logged now. Where there is no log, or its thread is behind, `log` runs at once.
pub fn log_later(log: impl FnOnce() + Send + 'static) {
    match QUEUE.get() {
        Some(queue) => queue.give_deferred(Deferred::new(log)),
        None => log(),
    }
}

/// The queue of the process's log.
pub(super) static QUEUE: OnceLock<LossyQueue> = OnceLock::new();

/// When dropped, waits until all lines are written, for a bounded time.
#[derive(Debug)]
#[must_use = "lines that are logged at the end are lost without it"]
pub struct FlushGuard {
    pub(super) log: Log,
}

impl Log {
    /// Returns the handle of a log that nothing is written to.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let queue = LossyQueue::start(1, Arc::default(), |_| ()).unwrap();
        Self { queue, target: Arc::new(Target::Stderr) }
    }

    /// Returns how many lines were lost since the start: the queue was full, or they could not be written.
    pub fn lost(&self) -> u64 {
        self.queue.lost().total()
    }

    /// Logs how many lines were lost since the last report, if lines were written since the last call. It does no I/O,
    /// and should be called about once a second.
    pub fn report_lost_lines(&self) {
        let state = &self.queue.state;
        let due = state.reports().due(self.queue.lost(), state.written.load(Relaxed));
        if let Some(lost) = due {
            tracing::warn!(target: LOSS_TARGET, lost = lost.total(), "{}", lost.describe(&state.last_error()));
        }
    }

    /// Reopens the log file at once, after logrotate has moved it.
    pub fn reopen(&self) {
        match *self.target {
            Target::Stderr => tracing::info!("the log goes to standard error, and there is no file to reopen"),
            Target::File(_) => {
                self.queue.state.reopen.store(true, Relaxed);
                self.queue.wake();
            }
        }
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        self.log.report_lost_lines();
        let deadline = Instant::now() + FLUSH;
        while self.log.queue.has_unwritten() && Instant::now() < deadline {
            #[cfg_attr(
                not(test),
                expect(clippy::disallowed_methods, reason = "the process ends, and its connections have")
            )]
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How long the end of the process waits for lines to be written.
pub(super) const FLUSH: Duration = Duration::from_millis(1500);
