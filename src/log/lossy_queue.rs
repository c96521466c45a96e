use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::Metadata;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use super::loss_report::Lost;
use super::state::{Entry, Shared};

/// The target of the line that tells of lost ones.
pub(super) const TELLING: &str = "pronk::log::lost";

/// The near end of the queue, which whoever logs brings lines to. It never waits.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    lines: NonBlocking,
    capacity: u64,
    pub shared: Arc<Shared>,
}

impl Queue {
    /// Starts the thread that takes lines from the queue to the sink.
    pub fn start(capacity: usize, shared: Arc<Shared>, sink: impl Write + Send + 'static) -> (Self, WorkerGuard) {
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

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Intake<'a>;

    fn make_writer(&'a self) -> Intake<'a> {
        Intake { queue: self, entry: Entry::Line }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Intake<'a> {
        let entry = if metadata.target() == TELLING { Entry::Telling } else { Entry::Line };
        Intake { queue: self, entry }
    }
}

/// Takes one entry, in one piece.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    queue: &'a Queue,
    entry: Entry,
}

impl Write for Intake<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.entry {
            Entry::Line => self.queue.push(line),
            Entry::Telling => {
                self.queue.shared.losses().ready(line);
                self.queue.wake();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
