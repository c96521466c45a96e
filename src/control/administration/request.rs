//! What administrators ask to be set, and the answer.

use std::time::Duration;

use super::change::Change;
use super::target::{Target, TargetKind};
use crate::model::SetBy;

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// Sets the state or the ratio of what has this name.
    Set { kind: TargetKind, name: String, change: Change, by: SetBy },
    /// Forces what has this name offline, and ends what is left of its connections as the plan says.
    Drain { kind: TargetKind, name: String, plan: DrainPlan, by: SetBy },
    /// Forgets what was set of what has this name, or everything, so that the file counts again.
    Clear { target: Option<(TargetKind, String)>, who: String },
}

/// What becomes of the connections of something that is forced offline; nothing, unless a field says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainPlan {
    /// All that are left after this time are ended.
    pub deadline: Option<Duration>,
    /// Those that are idle for so long are ended.
    pub idle_for: Option<Duration>,
}

/// What was changed.
#[derive(Clone, Debug)]
pub struct Administered {
    pub targets: Vec<Target>,
    /// Why it is not kept for the next start, if it should be.
    pub not_kept: Option<String>,
}
