//! Counters of what passes through, cheap to add to and summed when they are read.

mod atomic;
mod connections;
mod counter;
#[cfg(test)]
mod tests;
mod traffic;

pub use connections::{ConnectionCounts, Connections};
pub use counter::Counter;
pub use traffic::{Traffic, TrafficCounts};
