//! What waits to be written, in order.

use super::deferred::Deferred;
use super::line_writer::{Batch, TOGETHER};

/// Lines, and what logs some later, in the order in which they were logged.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    lines: Batch,
    /// Each with the number of lines that are before it.
    deferred: Vec<(usize, Deferred)>,
}

impl Unwritten {
    /// Returns how many lines there will be.
    pub(super) fn count(&self) -> usize {
        self.lines.count() + self.deferred.len()
    }

    /// Returns how many bytes those lines have that are made.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        self.lines.push(line);
    }

    pub(super) fn push_deferred(&mut self, deferred: Deferred) {
        self.deferred.push((self.lines.count(), deferred));
    }

    /// Has all lines written, in as many batches as it takes and in one at least, and forgets them. `made` is memory that is
    /// used again.
    pub(super) fn write(&mut self, made: &mut Batch, mut write: impl FnMut(&Batch)) {
        if self.deferred.is_empty() {
            write(&self.lines);
        } else {
            let mut next = 0;
            for (before, deferred) in self.deferred.drain(..) {
                (next..before).for_each(|line| made.push(self.lines.line(line)));
                next = before;
                deferred.write(made);
                if made.len() >= TOGETHER {
                    write(made);
                    made.clear();
                }
            }
            (next..self.lines.count()).for_each(|line| made.push(self.lines.line(line)));
            write(made);
            made.clear();
        }
        self.lines.clear();
        self.deferred.shrink_to(KEPT);
    }
}

/// How many places of deferred lines are kept for the next.
const KEPT: usize = 128;
