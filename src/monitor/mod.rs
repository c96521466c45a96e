//! Watching members, and resolving the names of nodes.
//!
//! A [`Watch`] is one member under one monitor, and runs as one task. What a probe found is an `Outcome`; `state` makes
//! verdicts of outcomes as time passes, and the member's live state takes the verdicts.

mod authorization;
mod discover;
mod inband;
mod outcome;
mod probe;
mod resolve;
mod state;
mod task;
mod watches;

pub use authorization::authorization;
pub use discover::{FoundHost, Search, node_of};
pub use probe::ping_refused;
pub use resolve::resolve_once;
pub use task::Watch;
pub use watches::{Found, Monitors};
