//! The far end of the queue: writing lines to an output that may be moved.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::line_writer::{Batch, LineWriter};
use super::output::Output;
use super::reopen::Reopening;
use super::state::LogState;
use crate::reading::os_reason;

/// Writes lines. It never fails: lines that cannot be written are counted.
#[derive(Debug)]
pub(super) struct Sink {
    writer: LineWriter<Output>,
    state: Arc<LogState>,
}

impl Sink {
    pub(super) fn new(output: Output, state: Arc<LogState>) -> Self {
        Self { writer: LineWriter::new(output, Arc::clone(&state)), state }
    }

    /// Writes the lines, if there are any, and the report of lost lines that waits.
    pub(super) fn write(&mut self, batch: &Batch) {
        self.reopen_if_moved();
        if batch.count() == 0 {
            self.writer.write_report();
        }
        for lines in batch.pieces() {
            self.writer.write_lines(lines);
            self.reopen_if_moved();
        }
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
