//! Weighted round robin: members take turns, some more than others. Round robin and the methods by ratio go by it.

use crate::pool::select::candidate::Candidate;

/// Returns the candidate whose turn it is. Turns are in proportion to the weights and spread evenly: each candidate
/// earns its weight, the richest is chosen and pays what all have earned. Where all weigh the same and nobody ramps up,
/// this is plain round robin. A member that was away takes no turns that it missed.
pub(super) fn pick(candidates: &mut [Candidate], weights: &[f64]) -> Option<usize> {
    let earned = earn(candidates, weights);
    // `max_by_key` prefers the last of equals; of those whose credit is the same, the one that waits longest goes
    // first, and then the first in the file's order.
    let richest = (0..candidates.len()).rev().max_by_key(|&at| {
        let candidate = &candidates[at];
        (candidate.credit, std::cmp::Reverse(candidate.turn))
    })?;
    candidates[richest].credit -= earned;
    Some(richest)
}

/// Counts a turn that was taken past the method, as persistence does.
pub(super) fn charge(candidates: &mut [Candidate], weights: &[f64], chosen: usize) {
    let earned = earn(candidates, weights);
    if let Some(chosen) = candidates.get_mut(chosen) {
        chosen.credit -= earned;
    }
}

fn earn(candidates: &mut [Candidate], weights: &[f64]) -> i64 {
    let mut earned = 0;
    for (candidate, weight) in candidates.iter_mut().zip(weights) {
        let share = (weight * UNIT).round().max(1.0) as i64;
        candidate.credit += share;
        earned += share;
    }
    earned
}

/// Weights are counted in parts as fine as this.
const UNIT: f64 = 1000.0;
