//! The log: lines leave the threads that carry connections through a bounded queue, and one thread writes them.
//!
//! Logging never blocks. A log that nobody reads, or that cannot be written, costs lines and nothing else: lost lines
//! are counted, and one line reports how many when lines are written again.
//!
//! The way of a line: `layer` makes it of an event, as `text_line` or `json_line` → `lossy_queue` (full: the line is
//! dropped and counted), whose thread hands all that is `unwritten` to `sink` → `line_writer` → `output`, which is standard error or
//! a file that is reopened (`reopen`) when logrotate moves it. `loss_report` decides what is reported of lost lines.
//! A connection hands its record over as it is (`log_later`), and the thread of the queue makes the line (`deferred`).

mod deferred;
mod handle;
mod json_line;
mod layer;
mod line_writer;
mod loss_report;
mod lossy_queue;
mod options;
mod output;
mod panic_hook;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a thread of its own writes the lines"))]
mod reopen;
mod sink;
mod start;
mod state;
mod text_line;
mod timestamp;
mod unwritten;

pub use handle::{FlushGuard, Log, log_later};
#[cfg(test)]
pub(crate) use layer::logged;
pub use options::{Format, Options, Target};
pub(crate) use panic_hook::MORE_THREADS;
pub use start::{StartError, start};

/// Letters of a field at most. A certificate's subject and a reason have some hundreds.
pub(crate) const MOST_LETTERS: usize = 4000;

#[cfg(test)]
mod tests;
