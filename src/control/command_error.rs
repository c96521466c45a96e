//! Why a command of the controller is refused or fails.

use std::fmt;

use super::phase::Phase;
use crate::config::Diagnostics;

/// Why a command failed.
#[derive(Clone, Debug)]
pub enum CommandError {
    /// The command is not allowed in the phase of the process.
    WrongPhase { what: &'static str, phase: Phase },
    /// Everything that is wrong with the configuration file, its certificates or its destinations.
    Configuration(Diagnostics),
    /// There is nothing of that name.
    Unknown(String),
    /// It is not clear what is meant.
    Unclear(String),
    /// It cannot be done, for this reason; nothing has changed.
    Refused(String),
    /// It took too long.
    TimedOut(&'static str),
    /// An internal error; nothing has changed.
    Internal(String),
    /// An internal error in the middle of a change.
    PartlyApplied(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPhase { what, phase: Phase::Draining | Phase::Stopped } => {
                write!(
                    f,
                    "{what} is refused: this process drains its connections, as it was told to stop or another has taken \
                     over; ask that one, or start pronk again"
                )
            }
            Self::WrongPhase { what, phase } => {
                write!(f, "{what} is refused: pronk is {}; ask again in a moment", phase.as_str())
            }
            Self::Configuration(wrong) => f.write_str(&wrong.render(false)),
            Self::Unknown(what) | Self::Unclear(what) | Self::Refused(what) => f.write_str(what),
            Self::TimedOut(why) => write!(f, "timed out: {why}; nothing changed"),
            Self::Internal(what) => write!(f, "internal error: {what}; nothing changed"),
            Self::PartlyApplied(what) => {
                write!(f, "internal error: {what}; the change is partly in force: reload or restart pronk")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_refused_and_why() {
        let refused = CommandError::WrongPhase { what: "a reload", phase: Phase::Draining };
        let text = "a reload is refused: this process drains its connections, as it was told to stop or another has taken \
                    over; ask that one, or start pronk again";
        assert_eq!(refused.to_string(), text);
    }
}
