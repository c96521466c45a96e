//! Counters of what passes through, cheap to add to and summed when they are read.

mod atomic;
mod connections;
#[cfg(test)]
mod tests;
mod traffic;

pub use connections::{ConnectionCounts, Connections};
pub use traffic::{Traffic, TrafficCounts};
