use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// Threads beyond this many share cells, which costs speed and never correctness.
const CELLS: usize = 8;

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

/// What passed, seen from the client: `in` goes toward the member, `out` comes from it.
#[derive(Debug, Default)]
pub struct Traffic {
    pub bytes_in: Counter,
    pub bytes_out: Counter,
    pub packets_in: Counter,
    pub packets_out: Counter,
}

impl Traffic {
    pub fn add(&self, more: &TrafficCounts) {
        let cells = [
            (&self.bytes_in, more.bytes_in),
            (&self.bytes_out, more.bytes_out),
            (&self.packets_in, more.packets_in),
            (&self.packets_out, more.packets_out),
        ];
        for (counter, amount) in cells {
            if amount > 0 {
                counter.add(amount);
            }
        }
    }

    pub fn read(&self) -> TrafficCounts {
        TrafficCounts {
            bytes_in: self.bytes_in.sum(),
            bytes_out: self.bytes_out.sum(),
            packets_in: self.packets_in.sum(),
            packets_out: self.packets_out.sum(),
        }
    }
}

/// Figures read from [`Traffic`] or to be added to it. Bytes are those of the application, without TLS and headers;
/// packets are TCP segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficCounts {
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub packets_in: u64,
    pub packets_out: u64,
}

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
