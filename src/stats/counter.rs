//! A counter that every thread adds to without a shared cache line.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// A count that only grows. Each thread adds to a cell of its own, so no cache line is fought over.
#[derive(Debug, Default)]
pub struct Counter([CachePadded<AtomicU64>; CELLS]);

impl Counter {
    pub fn add(&self, amount: u64) {
        self.0[own_cell()].fetch_add(amount, Ordering::Relaxed);
    }

    pub fn sum(&self) -> u64 {
        self.0.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
    }
}

fn own_cell() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static CELL: usize = NEXT.fetch_add(1, Ordering::Relaxed) % CELLS);
    CELL.with(|cell| *cell)
}

/// Threads beyond this many share cells, which costs speed and never correctness.
const CELLS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_every_thread_added() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(3)));
            }
        });
        assert_eq!(counter.sum(), 20 * 1000 * 3);
    }
}
