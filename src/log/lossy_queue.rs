use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::Metadata;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use super::loss_report::Lost;
use super::state::{LineKind, LogState};

/// The target of the line that tells of lost ones.
pub(super) const LOSS_TARGET: &str = "pronk::log::lost";

/// The near end of the queue, which whoever logs brings lines to. It never waits.
#[derive(Clone, Debug)]
pub(super) struct LossyQueue {
    lines: NonBlocking,
    capacity: u64,
    pub shared: Arc<LogState>,
}

impl LossyQueue {
    /// Starts the thread that takes lines from the queue to the sink.
    pub fn start(capacity: usize, shared: Arc<LogState>, sink: impl Write + Send + 'static) -> (Self, WorkerGuard) {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(capacity).thread_name("log");
        let (lines, worker) = builder.finish(sink);
        (Self { lines, capacity: capacity as u64, shared }, worker)
    }

    pub fn lost(&self) -> Lost {
        let dropped = self.lines.error_counter().dropped_lines() as u64;
        Lost { dropped, failed: self.shared.failed.load(Relaxed) }
    }

    /// How many lines wait or are being written.
    pub fn backlog(&self) -> u64 {
        let gone = self.shared.handled.load(Relaxed) + self.lost().dropped;
        self.shared.offered.load(Relaxed).saturating_sub(gone)
    }

    /// Has the sink look for what else is to be done, also when no line comes.
    pub fn wake(&self) {
        // In a queue that is nearly full it might be counted as a lost line; the lines there wake the sink as well.
        if self.backlog() < self.capacity / 2 {
            self.push(b"");
        }
    }

    fn push(&self, line: &[u8]) {
        self.shared.offered.fetch_add(1, Relaxed);
        // A full queue drops the line and counts it.
        let _ = self.lines.clone().write(line);
    }
}

impl<'a> MakeWriter<'a> for LossyQueue {
    type Writer = QueueWriter<'a>;

    fn make_writer(&'a self) -> QueueWriter<'a> {
        QueueWriter { queue: self, entry: LineKind::Ordinary }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> QueueWriter<'a> {
        let entry = if metadata.target() == LOSS_TARGET { LineKind::LossReport } else { LineKind::Ordinary };
        QueueWriter { queue: self, entry }
    }
}

/// Takes one entry, in one piece.
#[derive(Debug)]
pub(super) struct QueueWriter<'a> {
    queue: &'a LossyQueue,
    entry: LineKind,
}

impl Write for QueueWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.entry {
            LineKind::Ordinary => self.queue.push(line),
            LineKind::LossReport => {
                self.queue.shared.reports().ready(line);
                self.queue.wake();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
