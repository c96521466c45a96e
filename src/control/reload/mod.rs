//! The reload transaction: `queue` takes one reload at a time, `prepare` does all that can fail and changes nothing,
//! `commit` puts the result in force and cannot fail.

mod commit;
mod prepare;
mod queue;

pub use prepare::check;

pub(super) use commit::Running;
pub(super) use prepare::PrepareInput;
pub(super) use queue::{PrepareResult, Reload, ReloadQueue};
