use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::line_writer::LineWriter;
use super::output::{Found, Output};
use super::state::LogState;

/// The queue's far end, on a thread of its own. It never fails: what cannot be written is counted.
#[derive(Debug)]
pub(super) struct Sink {
    lines: LineWriter<Output>,
    shared: Arc<LogState>,
}

impl Sink {
    pub fn new(output: Output, shared: Arc<LogState>) -> Self {
        Self { lines: LineWriter::new(output, Arc::clone(&shared)), shared }
    }

    fn follow(&mut self) {
        let asked = self.shared.reopen.swap(false, Relaxed);
        let found = self.lines.out.follow(asked, Instant::now());
        if matches!(found, Found::Another) || (self.lines.has_partial() && self.lines.out.is_cut()) {
            self.lines.abandon_partial();
        }
        let log_file = self.lines.out.path().map(|path| tracing::field::display(path.display()));
        match found {
            Found::Same => {}
            Found::Another => tracing::info!(log_file, "log file reopened"),
            Found::Refused(error) => tracing::error!(
                log_file,
                %error,
                "cannot reopen the log file, and lines go on to the old one; see that its folder exists and that pronk \
                 may write there"
            ),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    /// Takes one line whole. An empty one only makes it look for what else is to be done.
    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.follow();
        self.lines.write_line(line);
        self.shared.handled.fetch_add(1, Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
