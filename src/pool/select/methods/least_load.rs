//! Least load: by what members report of their queries and memory.

use crate::pool::select::candidate::Candidate;

/// Returns the load that the next connection is expected to find, if the candidate has a measurement.
pub(super) fn score(candidate: &Candidate) -> Option<f64> {
    Some(candidate.load?.expected(candidate.node_got))
}
