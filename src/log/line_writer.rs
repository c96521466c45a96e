use std::io::{self, Write};
use std::sync::Arc;

use super::state::{LineKind, LogState};

/// Writes lines one by one, and counts what became of each. A line is written whole or not at all: one whose beginning
/// alone could be written is finished before anything else is.
#[derive(Debug)]
pub(super) struct LineWriter<W> {
    pub out: W,
    shared: Arc<LogState>,
    partial: Option<PartialLine>,
}

/// An entry whose beginning was written.
#[derive(Debug)]
struct PartialLine {
    entry: LineKind,
    rest: Vec<u8>,
}

impl<W: Write> LineWriter<W> {
    pub fn new(out: W, shared: Arc<LogState>) -> Self {
        Self { out, shared, partial: None }
    }

    /// Writes a line and, if that went well, what is to be told of lost ones. An empty line is none, and goes well.
    pub fn write_line(&mut self, line: &[u8]) {
        if !line.is_empty() && !self.write(LineKind::Ordinary, line) {
            return;
        }
        let report = self.shared.reports().take();
        if let Some(report) = report {
            self.write(LineKind::LossReport, &report);
        }
    }

    /// Returns whether a line is written in part.
    pub fn has_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// Gives up the line that is written in part, because its end would not follow its beginning.
    pub fn abandon_partial(&mut self) {
        if let Some(partial) = self.partial.take() {
            self.shared.finished(partial.entry, false);
        }
    }

    /// Returns whether all was written.
    fn write(&mut self, entry: LineKind, bytes: &[u8]) -> bool {
        if !self.finish() {
            self.shared.finished(entry, false);
            return false;
        }
        let count = self.write_some(bytes);
        if 0 < count && count < bytes.len() {
            self.partial = Some(PartialLine { entry, rest: bytes[count..].to_vec() });
        } else {
            self.shared.finished(entry, count > 0);
        }
        count == bytes.len()
    }

    /// Returns whether nothing is left of a partial line.
    fn finish(&mut self) -> bool {
        let Some(mut partial) = self.partial.take() else { return true };
        let count = self.write_some(&partial.rest);
        partial.rest.drain(..count);
        if partial.rest.is_empty() {
            self.shared.finished(partial.entry, true);
            return true;
        }
        self.partial = Some(partial);
        false
    }

    /// Writes until an error, which is noted, and returns how much was written.
    fn write_some(&mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        while count < bytes.len() {
            match self.out.write(&bytes[count..]) {
                Ok(0) => return count,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.shared.note_error(&error);
                    return count;
                }
            }
        }
        count
    }
}
