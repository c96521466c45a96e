//! Watching members, and resolving the names of nodes.
//!
//! An [`Assignment`] is one member under one monitor, and [`run`] is its task. What a probe found is an `Outcome`; `state`
//! makes verdicts of outcomes as time passes, and the member's live state takes the verdicts. Which tasks there are is
//! for `control` to say.

mod active;
mod assignment;
mod authorization;
mod discover;
mod inband;
mod outcome;
mod probe;
mod resolve;
mod rise_fall;
#[cfg(test)]
mod scarcity;

pub use active::run;
pub use assignment::Assignment;
pub use authorization::authorization;
pub use discover::{FoundHost, Search, keep_asking, node_of};
pub use probe::ping_refused;
pub use resolve::{keep_resolving, resolve_once};
