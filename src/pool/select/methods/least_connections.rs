//! Least connections, and its variants by ratio and by connection limit.

use crate::model::Scope;
use crate::pool::select::candidate::Candidate;

/// Returns the connections that the candidate would have with one more.
pub(super) fn score(scope: Scope, candidate: &Candidate) -> f64 {
    f64::from(candidate.figures(scope).connections) + 1.0
}

/// Returns the same for its ratio (ratio-least-connections).
pub(super) fn ratio_score(scope: Scope, candidate: &Candidate) -> f64 {
    score(scope, candidate) / f64::from(candidate.figures(scope).ratio.max(1))
}

/// Returns the same for its connection limit (weighted-least-connections).
pub(super) fn weighted_score(scope: Scope, candidate: &Candidate) -> f64 {
    score(scope, candidate) / f64::from(candidate.figures(scope).limit.unwrap_or(u32::MAX).max(1))
}
