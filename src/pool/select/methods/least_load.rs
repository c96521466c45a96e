//! Least load: by what members report of their queries and memory.

use super::least_connections;
use crate::model::Scope;
use crate::pool::select::candidate::Candidate;

/// Returns the load that the next connection is expected to find.
pub(super) fn score(candidate: &Candidate) -> f64 {
    let by_connections = || least_connections::score(Scope::Node, candidate);
    candidate.load.map_or_else(by_connections, |load| load.expected(candidate.node_got))
}
