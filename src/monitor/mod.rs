//! Watching members, and resolving the names of nodes.

mod probe;
mod resolve;
mod state;
mod task;

pub use resolve::resolve_once;
pub use task::{Monitors, Watch};
