//! Health monitors, resolving the names of nodes, and discovery of members.
//!
//! An [`Assignment`] is one member under one monitor, and [`run`] is its task. What one probe found is an `Outcome`.
//! `rise_fall` turns outcomes into verdicts as time passes, and the member's live state takes the verdicts.
//! `control` decides which tasks run.
//!
//! A new kind of monitor is a file in `probe/` and a line in `kind.rs`.

mod active;
mod ask;
mod assignment;
mod authorization;
mod discover;
mod inband;
mod kind;
mod member_gone;
mod member_probe;
mod outcome;
mod probe;
mod resolve;
mod rise_fall;
#[cfg(test)]
mod rise_fall_simulation;
#[cfg(test)]
mod shortage_tests;
mod task;
#[cfg(test)]
mod test_assignment;

pub use ask::{NoAnswer, PortAnswer, ask_port, probe_once, sasl_login};
pub use assignment::Assignment;
pub use authorization::authorization;
pub use discover::{FoundHost, Search, keep_asking, node_of};
pub use probe::{How, ping_refused};
pub use resolve::{keep_resolving, note_resolved, resolve_once};
pub use task::run;
