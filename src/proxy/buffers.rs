//! Buffers for bytes on their way. A connection borrows one while bytes pass and returns it when there are no more, so
//! that an idle connection holds none.

use std::cell::RefCell;

/// The size of a buffer: how much is read at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Size {
    /// 16 KiB: requests and small results.
    #[default]
    Small,
    /// 256 KiB: large results, where the number of system calls decides the speed.
    Bulk,
}

impl Size {
    const fn bytes(self) -> usize {
        match self {
            Self::Small => 16 << 10,
            Self::Bulk => 256 << 10,
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

/// A borrowed buffer. The bytes from `start` to `end` were read and are still to be written.
#[derive(Debug)]
pub(super) struct Chunk {
    size: Size,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

thread_local! {
    static SPARE: [RefCell<Vec<Box<[u8]>>>; 2] = const { [RefCell::new(Vec::new()), RefCell::new(Vec::new())] };
}

impl Chunk {
    /// Borrows a buffer; it is returned when it is dropped.
    pub(super) fn borrow(size: Size) -> Self {
        let spare = SPARE.with(|spare| spare[size as usize].borrow_mut().pop());
        let bytes = spare.unwrap_or_else(|| vec![0; size.bytes()].into_boxed_slice());
        Self { size, bytes, start: 0, end: 0 }
    }

    /// Returns the room to read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// Marks bytes as read.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Returns the bytes that are still to be written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Marks bytes as written.
    pub(super) fn written(&mut self, count: usize) {
        self.start += count;
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
