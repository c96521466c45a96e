//! Buffers for bytes on their way. A connection borrows one while bytes pass and returns it when there are no more, so
//! that an idle connection holds none, and one whose receiver is slow holds a small one.

use std::cell::RefCell;

/// The size of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Small,
    Bulk,
}

/// How much is read at once of requests and small results, in bytes: what a TLS record holds.
pub(super) const SMALL: usize = 16 << 10;
/// How much is read at once of large results, where the number of system calls decides the speed.
pub(super) const BULK: usize = 256 << 10;

impl Size {
    const fn bytes(self) -> usize {
        match self {
            Self::Small => SMALL,
            Self::Bulk => BULK,
        }
    }

    /// Returns how many free buffers a thread keeps.
    const fn kept(self) -> usize {
        match self {
            Self::Small => 32,
            Self::Bulk => 4,
        }
    }
}

/// A borrowed buffer. The bytes from `start` to `end` were read and are still to be written. Up to `limit` may be read.
#[derive(Debug)]
pub(super) struct Chunk {
    size: Size,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    limit: usize,
}

thread_local! {
    static SPARE: [RefCell<Vec<Box<[u8]>>>; 2] = const { [RefCell::new(Vec::new()), RefCell::new(Vec::new())] };
}

impl Chunk {
    /// Borrows a buffer for so many bytes; it is returned when it is dropped.
    pub(super) fn borrow(limit: usize) -> Self {
        let size = if limit <= SMALL { Size::Small } else { Size::Bulk };
        let spare = SPARE.with(|spare| spare[size as usize].borrow_mut().pop());
        let bytes = spare.unwrap_or_else(|| vec![0; size.bytes()].into_boxed_slice());
        Self { size, limit: limit.min(bytes.len()), bytes, start: 0, end: 0 }
    }

    /// Returns the room to read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..self.limit]
    }

    /// Marks bytes as read.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == self.limit
    }

    /// Returns the bytes that are still to be written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Marks bytes as written.
    pub(super) fn written(&mut self, count: usize) {
        self.start += count;
    }

    /// Moves the bytes that are still to be written to a small buffer, if they fit.
    pub(super) fn shrink(&mut self) {
        let unwritten = self.unwritten();
        if self.size == Size::Bulk && unwritten.len() <= SMALL {
            let mut small = Self::borrow(unwritten.len());
            small.room().copy_from_slice(unwritten);
            small.filled(unwritten.len());
            *self = small;
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        SPARE.with(|spare| {
            let mut spare = spare[self.size as usize].borrow_mut();
            if spare.len() < self.size.kept() {
                spare.push(bytes);
            }
        });
    }
}
