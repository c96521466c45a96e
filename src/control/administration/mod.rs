//! What administrators set while pronk runs: a layer over the configuration, kept in a file.

mod change;
mod layer;
mod request;
mod state_file;
mod target;

pub use change::Change;
pub use layer::{Administration, Entry};
pub use request::{Administered, DrainPlan, Request};
pub(super) use state_file::{StateFile, export, import, read};
pub(super) use target::NotFound;
pub use target::{Target, TargetKind};
