//! Bytes and packets that passed, counted without a shared cache line.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// What passed, seen from the client: `in` is toward the member, `out` is from it. Each thread adds to a cell of its own,
/// so that no cache line is fought over. As long as nothing has passed there are no cells, as there may be thousands of
/// members.
#[derive(Debug, Default)]
pub struct Traffic(OnceLock<Box<[CachePadded<Cell>; CELLS]>>);

#[derive(Debug, Default)]
struct Cell {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    packets_in: AtomicU64,
    packets_out: AtomicU64,
}

impl Traffic {
    pub fn add(&self, more: &TrafficCounts) {
        let cell = &self.0.get_or_init(Box::default)[own_cell()];
        let counters = [
            (&cell.bytes_in, more.bytes_in),
            (&cell.bytes_out, more.bytes_out),
            (&cell.packets_in, more.packets_in),
            (&cell.packets_out, more.packets_out),
        ];
        for (counter, amount) in counters {
            if amount > 0 {
                counter.fetch_add(amount, Ordering::Relaxed);
            }
        }
    }

    pub fn read(&self) -> TrafficCounts {
        let cells = || self.0.get().into_iter().flat_map(|cells| cells.iter());
        let sum = |counter: fn(&Cell) -> &AtomicU64| cells().map(|cell| counter(cell).load(Ordering::Relaxed)).sum();
        TrafficCounts {
            bytes_in: sum(|cell| &cell.bytes_in),
            bytes_out: sum(|cell| &cell.bytes_out),
            packets_in: sum(|cell| &cell.packets_in),
            packets_out: sum(|cell| &cell.packets_out),
        }
    }
}

impl TrafficCounts {
    /// Returns what passed since these counts were read.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            bytes_in: self.bytes_in - before.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out,
            packets_in: self.packets_in - before.packets_in,
            packets_out: self.packets_out - before.packets_out,
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
        let traffic = Traffic::default();
        assert_eq!(traffic.read(), TrafficCounts::default());
        let one = TrafficCounts { bytes_in: 3, bytes_out: 0, packets_in: 1, packets_out: 2 };
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1000).for_each(|_| traffic.add(&one)));
            }
        });
        let all = TrafficCounts { bytes_in: 60_000, bytes_out: 0, packets_in: 20_000, packets_out: 40_000 };
        assert_eq!(traffic.read(), all);
    }
}
