//! Counters of what passes through, cheap to add to and summed when they are read.

mod atomic;
mod baseline;
mod connections;
mod histogram;
#[cfg(test)]
mod tests;
mod traffic;

pub use baseline::{Baseline, Counts};
pub use connections::{ConnectionCounts, Connections};
pub use histogram::{Histogram, HistogramCounts};
pub use traffic::{Traffic, TrafficCounts};
