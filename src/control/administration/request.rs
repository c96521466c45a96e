//! What administrators ask to be set, and the answer.

use super::change::Change;
use super::target::{Target, TargetKind};
use crate::model::SetBy;

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// Sets the state or the ratio of what has this name.
    Set { kind: TargetKind, name: String, change: Change, by: SetBy },
    /// Forgets what was set of what has this name, or everything, so that the file counts again.
    Clear { target: Option<(TargetKind, String)>, who: String },
}

/// What was changed.
#[derive(Clone, Debug)]
pub struct Administered {
    pub targets: Vec<Target>,
    /// Why it is not kept for the next start, if it should be.
    pub not_kept: Option<String>,
}
