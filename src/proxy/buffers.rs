//! Buffers on loan. A connection borrows one while bytes pass and gives it back when its sockets fall silent, so an
//! idle connection holds none.

use std::cell::RefCell;

/// How much is read at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Size {
    /// 16 KiB: questions and small answers.
    #[default]
    Talk,
    /// 256 KiB: results in bulk, where system calls decide.
    Bulk,
}

impl Size {
    const fn bytes(self) -> usize {
        match self {
            Self::Talk => 16 << 10,
            Self::Bulk => 256 << 10,
        }
    }

    /// Buffers that a thread keeps for the next borrower.
    const fn kept(self) -> usize {
        match self {
            Self::Talk => 32,
            Self::Bulk => 4,
        }
    }
}

/// A borrowed buffer; the bytes from `start` to `end` are filled and wait to be written.
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
    pub fn borrow(size: Size) -> Self {
        let spare = SPARE.with(|spare| spare[size as usize].borrow_mut().pop());
        let bytes = spare.unwrap_or_else(|| vec![0; size.bytes()].into_boxed_slice());
        Self { size, bytes, start: 0, end: 0 }
    }

    /// Room to read into.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    pub fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// What waits to be written.
    pub fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub fn written(&mut self, count: usize) {
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
