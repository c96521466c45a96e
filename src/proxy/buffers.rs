//! Buffers for bytes on their way. A connection borrows one while bytes pass and returns it when there are no more, so
//! that an idle connection holds none.

use std::cell::RefCell;

/// The size of buffers for requests and small results: what a TLS record holds.
pub(super) const SMALL: usize = 16 << 10;
/// The size of buffers for large results, where the number of system calls decides the speed.
pub(super) const BULK: usize = 256 << 10;

/// A borrowed buffer. The bytes from `start` to `end` were read and are still to be written. As many as `limit` are read.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Box<[u8]>,
    start: u32,
    end: u32,
    limit: u32,
}

impl Chunk {
    /// Borrows a buffer for so many bytes, [`BULK`] at most. It is returned when it is dropped.
    pub(super) fn borrow(limit: usize) -> Self {
        let spares = if limit <= SMALL { &SPARE_SMALL } else { &SPARE_BULK };
        let bytes = spares.with(Spares::take);
        Self { limit: limit.min(bytes.len()) as u32, bytes, start: 0, end: 0 }
    }

    /// Borrows a buffer with these bytes to be written, [`BULK`] at most.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut chunk = Self::borrow(bytes.len());
        chunk.room().copy_from_slice(bytes);
        chunk.filled(bytes.len());
        chunk
    }

    /// Returns the room to read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end as usize..self.limit as usize]
    }

    /// Marks bytes as read.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count as u32;
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == self.limit
    }

    /// Returns the bytes that are still to be written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }

    /// Marks bytes as written.
    pub(super) fn written(&mut self, count: usize) {
        self.start += count as u32;
    }

    /// Makes the chunk small, as it may be long until the receiver takes more: the bytes that are still to be written move
    /// to a buffer of just their size, if that saves half.
    pub(super) fn shrink(&mut self) {
        let unwritten = self.unwritten();
        if unwritten.len() <= self.bytes.len() / 2 {
            let (bytes, end) = (Box::from(unwritten), unwritten.len() as u32);
            *self = Self { bytes, start: 0, end, limit: end };
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        match bytes.len() {
            SMALL => SPARE_SMALL.with(|spares| spares.keep(bytes)),
            BULK => SPARE_BULK.with(|spares| spares.keep(bytes)),
            _ => {}
        }
    }
}

thread_local! {
    static SPARE_SMALL: Spares = const { Spares::new(SMALL, 32) };
    static SPARE_BULK: Spares = const { Spares::new(BULK, 4) };
}

/// Free buffers of one size that a thread keeps.
struct Spares {
    size: usize,
    most: usize,
    free: RefCell<Vec<Box<[u8]>>>,
}

impl Spares {
    const fn new(size: usize, most: usize) -> Self {
        Self { size, most, free: RefCell::new(Vec::new()) }
    }

    fn take(&self) -> Box<[u8]> {
        self.free.borrow_mut().pop().unwrap_or_else(|| vec![0; self.size].into_boxed_slice())
    }

    fn keep(&self, bytes: Box<[u8]>) {
        let mut free = self.free.borrow_mut();
        if free.len() < self.most {
            free.push(bytes);
        }
    }
}
