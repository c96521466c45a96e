//! What can be set while pronk runs.

use std::fmt;

use crate::model::AdminState;

/// What can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    State(AdminState),
    /// Of a node or a member, at least 1.
    Ratio(u32),
}

impl Change {
    pub(in crate::control) fn is_state(self) -> bool {
        matches!(self, Self::State(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => f.write_str(state.as_str()),
            Self::Ratio(ratio) => write!(f, "ratio {ratio}"),
        }
    }
}
