//! The log: lines leave the threads that carry connections through a bounded queue, and one thread writes them.
//!
//! Whoever logs never waits. A log that nobody reads, or that cannot be written, costs lines and nothing else: what is
//! lost is counted, and one line tells how much once lines are written again.
//!
//! `lossy_queue` is the near end and `sink` the far one; `loss_report` decides what is told of lost lines; `output` is standard
//! error, or a file that is followed when logrotate moves it.

mod line_writer;
mod loss_report;
mod lossy_queue;
mod output;
mod panic_hook;
mod sink;
mod start;
mod state;

pub use start::{FlushGuard, Format, Log, Options, StartError, Target, start};

#[cfg(test)]
mod tests;
