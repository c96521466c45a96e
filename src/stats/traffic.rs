//! Bytes and packets that passed.

use super::counter::Counter;

/// What passed, seen from the client: `in` is toward the member, `out` is from it.
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
