//! Observed: members with fewer connections than the average take three turns to two of the others.

use crate::model::Scope;
use crate::pool::select::candidate::Candidate;

/// Returns the weight of each candidate, given all of them.
pub(super) fn weight(scope: Scope, candidates: &[Candidate]) -> impl Fn(&Candidate) -> f64 + use<> {
    let all: u64 = candidates.iter().map(|it| u64::from(it.figures(scope).connections)).sum();
    let count = candidates.len() as u64;
    move |it| if u64::from(it.figures(scope).connections) * count < all { 3.0 } else { 2.0 }
}
