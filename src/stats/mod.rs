//! Counters of what passes through, cheap to add to and summed when they are read.

mod atomic;
mod connections;
mod counter;

pub use connections::{ConnectionCounts, Connections};
pub use counter::{Counter, Traffic, TrafficCounts};

#[cfg(test)]
mod tests;
