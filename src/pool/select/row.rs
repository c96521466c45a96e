//! A row of the table of choices: what a choice sees of one member.

use std::time::Instant;

use super::refusal::Refused;

/// A member in the table of choices.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pool) struct Row {
    pub view: View,
    /// When it was last chosen; 0 is never.
    pub turn: u64,
    /// What the methods with turns owe it.
    pub credit: i64,
    /// What its own weight earns with each turn.
    pub share: i64,
}

/// A member as it was when it was last looked at: all that decides about it but what the choices remember themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::pool) struct View {
    pub standing: Standing,
    /// Whether it counts for `min-up-members`, where the pool has that.
    pub is_up: bool,
    /// Whether it reported its load lately; `true` where the method does not ask.
    pub is_measured: bool,
    pub priority_group: u32,
    pub ratio: u32,
    /// Its connections, in the scope of the method.
    pub connections: u32,
    /// The method's weight or score of it, where that follows from this member alone.
    pub own: f64,
    /// How much of its share it may have, above 0 and at most 1.
    pub ramp: f64,
}

impl View {
    /// Returns whether the other one counts in the same way among all members.
    pub(super) fn counts_like(&self, other: &Self) -> bool {
        (self.standing, self.is_up, self.priority_group) == (other.standing, other.is_up, other.priority_group)
    }
}

/// Whether a member may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pool) enum Standing {
    Candidate,
    /// It could be, and others are tried first.
    Suspect,
    Refused(Refused),
}

impl Default for Standing {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self::Refused(Refused::Down)
    }
}

/// For how long a member is what was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pool) enum Holds {
    /// Until something changes it, which marks it.
    UntilMarked,
    /// Until then, if nothing changes it before.
    Until(Instant),
    /// For this choice: it depends on who asks, or changes all the time.
    Once,
}

/// Returns what a weight earns with each turn, at least something.
pub(in crate::pool) fn share(weight: f64) -> i64 {
    ((weight * UNIT + 0.5) as i64).max(1)
}

/// Weights are counted in parts as fine as this.
const UNIT: f64 = 1000.0;
