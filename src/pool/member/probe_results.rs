//! How the probes of a member's monitors went, counted for metrics.

use crate::model::Name;

/// How a probe went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// The member answered as it should.
    Success,
    /// There was no good answer.
    Failure,
    /// No answer came in time.
    Timeout,
    /// The member reported that it drains, is full or serves no clients.
    Reported,
    /// pronk lacked a resource, so it was not made.
    NotMade,
}

/// How many probes went so, in the order of [`ProbeResult::ALL`].
pub(super) type ProbeCounts = [u64; ProbeResult::ALL.len()];

/// What one monitor concludes of a member, and how its probes went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorView {
    pub monitor: Name,
    /// Whether its verdict is good; `None` as long as it has none.
    pub is_up: Option<bool>,
    pub(super) probes: ProbeCounts,
}

impl ProbeResult {
    pub const ALL: [Self; 5] = [Self::Success, Self::Failure, Self::Timeout, Self::Reported, Self::NotMade];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Reported => "reported",
            Self::NotMade => "not-made",
        }
    }
}

impl MonitorView {
    /// Returns how many probes went so.
    pub fn probes(&self, result: ProbeResult) -> u64 {
        self.probes[result as usize]
    }
}
