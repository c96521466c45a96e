//! The far end of the queue: a thread that writes the lines.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::line_writer::{Batch, LineWriter};
use super::output::Output;
use super::reopen::Reopening;
use super::state::LogState;
use crate::reading::os_reason;

/// Writes the lines of the queue, those that wait together. It never fails: lines that cannot be written are counted.
#[derive(Debug)]
pub(super) struct Sink {
    writer: LineWriter<Output>,
    batch: Batch,
    /// How many lines were taken from the queue since the last were written, empty ones among them.
    taken: u64,
    state: Arc<LogState>,
}

impl Sink {
    pub(super) fn new(output: Output, state: Arc<LogState>) -> Self {
        let writer = LineWriter::new(output, Arc::clone(&state));
        Self { writer, batch: Batch::default(), taken: 0, state }
    }

    fn write_batch(&mut self) {
        self.reopen_if_moved();
        self.writer.write_batch(&self.batch);
        self.batch.clear();
        self.state.handled.fetch_add(std::mem::take(&mut self.taken), Relaxed);
    }

    /// Reopens the log file if that was requested or if it was moved.
    fn reopen_if_moved(&mut self) {
        let requested = self.state.reopen.swap(false, Relaxed);
        let reopened = self.writer.out.reopen_if_moved(requested, Instant::now());
        if matches!(reopened, Ok(Reopening::Another)) {
            self.writer.abandon_partial();
        }
        let log_file = self.writer.out.path().map(|path| tracing::field::display(path.display()));
        match reopened {
            Ok(Reopening::NotNeeded) => {}
            Ok(Reopening::Same | Reopening::Another) => tracing::info!(log_file, "log file reopened"),
            Err(error) => tracing::error!(
                log_file,
                error = %os_reason(&error),
                "cannot reopen the log file, and lines still go to the old one; check that its folder exists and that \
                 pronk may write there"
            ),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    /// Takes one whole line. An empty one only wakes the thread.
    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.taken += 1;
        if !line.is_empty() {
            self.batch.push(line);
        }
        if self.batch.len() >= MOST_BYTES {
            self.write_batch();
        }
        Ok(())
    }

    /// Is called when there are no more lines. The next ones gather for a moment, so that waking this thread and writing
    /// are not paid for with every line.
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this thread does nothing else"))]
    fn flush(&mut self) -> io::Result<()> {
        self.write_batch();
        thread::sleep(GATHERING);
        Ok(())
    }
}

/// How long a line may wait for others.
const GATHERING: Duration = Duration::from_millis(5);
/// Lines of so many bytes are written, even if more wait.
const MOST_BYTES: usize = 64 << 10;
