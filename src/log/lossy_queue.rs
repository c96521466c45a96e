//! The bounded queue of log lines. A line that finds it full is dropped and counted, so that logging never blocks.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::loss_report::Lost;
use super::state::{LineKind, LogState};

/// The target of the report of lost lines.
pub(super) const LOSS_TARGET: &str = "pronk::log::lost";

/// The near end of the queue, to which threads that log give their lines.
#[derive(Clone, Debug)]
pub(super) struct LossyQueue {
    lines: NonBlocking,
    capacity: u64,
    pub state: Arc<LogState>,
}

impl LossyQueue {
    /// Starts the thread that takes lines from the queue to the sink.
    pub(super) fn start(
        capacity: usize,
        state: Arc<LogState>,
        sink: impl Write + Send + 'static,
    ) -> (Self, WorkerGuard) {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(capacity).thread_name("log");
        let (lines, worker) = builder.finish(sink);
        (Self { lines, capacity: capacity as u64, state }, worker)
    }

    /// Returns how many lines were lost since the start.
    pub(super) fn lost(&self) -> Lost {
        let dropped = self.lines.error_counter().dropped_lines() as u64;
        Lost { dropped, failed: self.state.failed.load(Relaxed) }
    }

    /// Returns how many lines wait or are being written.
    pub(super) fn backlog(&self) -> u64 {
        let gone = self.state.handled.load(Relaxed) + self.lost().dropped;
        self.state.offered.load(Relaxed).saturating_sub(gone)
    }

    /// Wakes the thread that writes, also when there is no line.
    pub(super) fn wake(&self) {
        // In a nearly full queue it could be counted as a lost line; the lines there wake the thread as well.
        if self.backlog() < self.capacity / 2 {
            self.push(b"");
        }
    }

    /// Gives a whole line to the queue.
    pub(super) fn give(&self, kind: LineKind, line: &[u8]) {
        match kind {
            LineKind::Ordinary => self.push(line),
            LineKind::LossReport => {
                self.state.reports().set_line(line);
                self.wake();
            }
        }
    }

    fn push(&self, line: &[u8]) {
        self.state.offered.fetch_add(1, Relaxed);
        // A full queue drops the line and counts it.
        let _ = self.lines.clone().write(line);
    }
}
