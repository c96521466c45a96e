//! The audit log: who asked for which change, when, why, and what came of it.
//!
//! A record is one line of JSON. Lines are appended to a file by a thread of its own, through a bounded queue, so that a
//! disk that hangs holds nobody up. A record that the file does not take goes to the ordinary log as an error, and so does
//! the reason; without a file every record goes to the ordinary log.

mod audit_log;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a thread of its own writes the lines"))]
mod file;
mod line_queue;
mod record;

pub use audit_log::AuditLog;
pub use record::{Outcome, Record, Source};
