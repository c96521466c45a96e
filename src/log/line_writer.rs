use std::io::{self, Write};
use std::sync::Arc;

use super::state::{Entry, Shared};

/// Writes lines one by one, and counts what became of each. A line is written whole or not at all: one whose beginning
/// alone could be written is finished before anything else is.
#[derive(Debug)]
pub(super) struct Lines<W> {
    pub out: W,
    shared: Arc<Shared>,
    begun: Option<Begun>,
}

/// An entry whose beginning was written.
#[derive(Debug)]
struct Begun {
    entry: Entry,
    rest: Vec<u8>,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W, shared: Arc<Shared>) -> Self {
        Self { out, shared, begun: None }
    }

    /// Writes a line and, if that went well, what is to be told of lost ones. An empty line is none, and goes well.
    pub fn put(&mut self, line: &[u8]) {
        if !line.is_empty() && !self.write(Entry::Line, line) {
            return;
        }
        let telling = self.shared.losses().take();
        if let Some(telling) = telling {
            self.write(Entry::Telling, &telling);
        }
    }

    /// Returns whether a line is written in part.
    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Gives up the line that is written in part, because its end would not follow its beginning.
    pub fn give_up(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.shared.settle(begun.entry, false);
        }
    }

    /// Returns whether all was written.
    fn write(&mut self, entry: Entry, bytes: &[u8]) -> bool {
        if !self.finish() {
            self.shared.settle(entry, false);
            return false;
        }
        let count = self.write_some(bytes);
        if 0 < count && count < bytes.len() {
            self.begun = Some(Begun { entry, rest: bytes[count..].to_vec() });
        } else {
            self.shared.settle(entry, count > 0);
        }
        count == bytes.len()
    }

    /// Returns whether nothing is left that was begun.
    fn finish(&mut self) -> bool {
        let Some(mut begun) = self.begun.take() else { return true };
        let count = self.write_some(&begun.rest);
        begun.rest.drain(..count);
        if begun.rest.is_empty() {
            self.shared.settle(begun.entry, true);
            return true;
        }
        self.begun = Some(begun);
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
