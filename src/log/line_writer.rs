//! Writing lines whole or not at all, many at a time, and counting what became of each.

use std::io::{self, Write};
use std::sync::Arc;

use super::state::{LineKind, LogState};

/// Writes lines, and counts what became of each. A line of which only a part could be written is completed before the
/// next.
#[derive(Debug)]
pub(super) struct LineWriter<W> {
    pub out: W,
    state: Arc<LogState>,
    partial: Option<PartialLine>,
}

/// Where lines are written.
pub(super) trait LineOutput: Write {
    /// Returns whether the output does not end with what was written last, so that the end of a line would not follow its
    /// beginning.
    fn is_interrupted(&mut self) -> bool;
}

/// Lines that follow one another.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Batch {
    pub(super) fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// Returns how many lines there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Returns how many bytes all lines have.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns a line by its number.
    pub(super) fn line(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[number]]
    }

    /// Forgets the lines, and keeps the memory of an ordinary number of them.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(TOGETHER);
        self.ends.clear();
        self.ends.shrink_to(TOGETHER / 512);
    }

    /// Returns the lines in pieces that are written at once: some KiB, or one line that is longer.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Lines<'_>> {
        self.pieces_of(TOGETHER)
    }

    /// Returns the lines in pieces of so many bytes, or of one line that is longer.
    pub(super) fn pieces_of(&self, most: usize) -> impl Iterator<Item = Lines<'_>> {
        let (mut start, mut ends) = (0, &self.ends[..]);
        std::iter::from_fn(move || {
            let first = *ends.first()?;
            let count = ends.partition_point(|end| *end <= first.max(start + most));
            let (together, rest) = ends.split_at(count);
            let piece = Lines { bytes: &self.bytes, start, ends: together };
            (start, ends) = (*together.last()?, rest);
            Some(piece)
        })
    }
}

/// Some of the lines of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'a> {
    /// The bytes of the whole batch.
    bytes: &'a [u8],
    /// Where the first line starts.
    start: usize,
    /// Where each line ends.
    ends: &'a [usize],
}

impl<'a> Lines<'a> {
    pub(super) fn bytes(&self) -> &'a [u8] {
        &self.bytes[self.start..self.ends.last().map_or(self.start, |end| *end)]
    }
}

/// A line of which a part was written.
#[derive(Debug)]
struct PartialLine {
    kind: LineKind,
    rest: Vec<u8>,
}

impl<W: LineOutput> LineWriter<W> {
    pub(super) fn new(out: W, state: Arc<LogState>) -> Self {
        Self { out, state, partial: None }
    }

    /// Writes lines and, if the last was written, the report of lost lines that waits.
    pub(super) fn write_lines(&mut self, lines: Lines<'_>) {
        let written = lines.start + if self.complete_partial() { self.write_some(lines.bytes()) } else { 0 };
        let Lines { bytes, mut start, ends } = lines;
        let mut is_written = true;
        for &end in ends {
            is_written = end <= written;
            if is_written {
                self.state.finished(LineKind::Ordinary, true);
            } else if start < written {
                self.partial = Some(PartialLine { kind: LineKind::Ordinary, rest: bytes[written..end].to_vec() });
            } else {
                // There may be room again.
                is_written = self.write(LineKind::Ordinary, &bytes[start..end]);
            }
            start = end;
        }
        if is_written {
            self.write_report();
        }
    }

    /// Writes the report of lost lines, if one waits.
    pub(super) fn write_report(&mut self) {
        let report = self.state.reports().take_line();
        if let Some(report) = report {
            self.write(LineKind::LossReport, &report);
        }
    }

    /// Returns whether a line is partly written.
    #[cfg(test)]
    pub(super) fn has_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// Abandons a partly written line, because its end would not follow its beginning.
    pub(super) fn abandon_partial(&mut self) {
        if let Some(partial) = self.partial.take() {
            self.state.finished(partial.kind, false);
        }
    }

    /// Writes a line of this kind. Returns whether it was written whole.
    fn write(&mut self, kind: LineKind, bytes: &[u8]) -> bool {
        if !self.complete_partial() {
            self.state.finished(kind, false);
            return false;
        }
        let count = self.write_some(bytes);
        if 0 < count && count < bytes.len() {
            self.partial = Some(PartialLine { kind, rest: bytes[count..].to_vec() });
        } else {
            self.state.finished(kind, count > 0);
        }
        count == bytes.len()
    }

    /// Completes a partly written line. Returns whether there is none left.
    fn complete_partial(&mut self) -> bool {
        if self.partial.is_some() && self.out.is_interrupted() {
            self.abandon_partial();
        }
        let Some(mut partial) = self.partial.take() else { return true };
        let count = self.write_some(&partial.rest);
        partial.rest.drain(..count);
        if partial.rest.is_empty() {
            self.state.finished(partial.kind, true);
            return true;
        }
        self.partial = Some(partial);
        false
    }

    /// Writes until an error, which is noted. Returns how many bytes were written.
    fn write_some(&mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        while count < bytes.len() {
            match self.out.write(&bytes[count..]) {
                Ok(0) => return count,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.state.note_error(&error);
                    return count;
                }
            }
        }
        count
    }
}

/// Bytes of lines that are written at once, if none is longer.
pub(super) const TOGETHER: usize = 64 << 10;
