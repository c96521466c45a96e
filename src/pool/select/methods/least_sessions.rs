//! Least sessions: by the persistence records that name a member.

use crate::pool::select::candidate::Candidate;

/// Returns the persistence records that the candidate would have with one more.
pub(super) fn score(candidate: &Candidate) -> f64 {
    f64::from(candidate.sessions) + 1.0
}
