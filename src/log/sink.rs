//! The far end of the queue: a thread that writes the lines.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::line_writer::LineWriter;
use super::output::Output;
use super::state::LogState;
use crate::reading::os_reason;

/// Writes the lines of the queue. It never fails: lines that cannot be written are counted.
#[derive(Debug)]
pub(super) struct Sink {
    writer: LineWriter<Output>,
    state: Arc<LogState>,
}

impl Sink {
    pub(super) fn new(output: Output, state: Arc<LogState>) -> Self {
        Self { writer: LineWriter::new(output, Arc::clone(&state)), state }
    }

    /// Reopens the log file if that was requested or if it was moved.
    fn reopen_if_moved(&mut self) {
        let requested = self.state.reopen.swap(false, Relaxed);
        let reopened = self.writer.out.reopen_if_moved(requested, Instant::now());
        if matches!(reopened, Ok(true)) || (self.writer.has_partial() && self.writer.out.is_truncated()) {
            self.writer.abandon_partial();
        }
        let log_file = self.writer.out.path().map(|path| tracing::field::display(path.display()));
        match reopened {
            Ok(false) => {}
            Ok(true) => tracing::info!(log_file, "log file reopened"),
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
        self.reopen_if_moved();
        self.writer.write_line(line);
        self.state.handled.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Is called when there are no more lines. The next ones gather for a moment, so that waking this thread is not paid
    /// for with every line.
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this thread does nothing else"))]
    fn flush(&mut self) -> io::Result<()> {
        thread::sleep(GATHERING);
        Ok(())
    }
}

/// How long a line may wait for others.
const GATHERING: Duration = Duration::from_millis(2);
