//! What waits to be written, in order.

use super::deferred::Deferred;
use super::line_writer::Batch;

/// Lines, and records of which lines are yet to be made, in the order in which they were logged.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    lines: Batch,
    /// Each with the number of lines that are before it.
    deferred: Vec<(usize, Deferred)>,
}

impl Unwritten {
    /// Returns how many lines and records there are.
    pub(super) fn count(&self) -> usize {
        self.lines.count() + self.deferred.len()
    }

    /// Returns how many bytes the lines have.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        self.lines.push(line);
    }

    pub(super) fn push_deferred(&mut self, deferred: Deferred) {
        self.deferred.push((self.lines.count(), deferred));
    }

    /// Has all lines written, in as many batches as it takes and in one at least, and forgets them. Lines of records are
    /// made in `batch`, which is empty before and after: its memory is used again. It is written once it has so many bytes.
    pub(super) fn write(&mut self, batch: &mut Batch, most: usize, mut write: impl FnMut(&Batch)) {
        if self.deferred.is_empty() {
            write(&self.lines);
        } else {
            let mut write_if_longer = |batch: &mut Batch, most| {
                if batch.len() > most {
                    write(batch);
                    batch.clear();
                }
            };
            let mut deferred = self.deferred.drain(..).peekable();
            for line in 0..=self.lines.count() {
                while let Some((_, record)) = deferred.next_if(|(before, _)| *before == line) {
                    record.write(batch);
                    write_if_longer(batch, most);
                }
                if line < self.lines.count() {
                    batch.push(self.lines.line(line));
                    write_if_longer(batch, most);
                }
            }
            write_if_longer(batch, 0);
        }
        self.lines.clear();
        self.deferred.shrink_to(KEPT);
    }
}

/// How many places of records are kept for the next.
const KEPT: usize = 128;
