//! Dynamic ratio: turns in inverse proportion to the load that members report.

use crate::pool::select::candidate::Candidate;

/// Returns the weight of each candidate, given all of them: one without a measurement takes an average share.
pub(super) fn weight(candidates: &[Candidate]) -> impl Fn(&Candidate) -> f64 + use<> {
    let known: Vec<_> = candidates.iter().filter_map(ratio).collect();
    let mean = if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
    move |it| ratio(it).unwrap_or(mean)
}

/// Returns the dynamic ratio, as F5 has it, from 1 to 100.
fn ratio(candidate: &Candidate) -> Option<f64> {
    let load = candidate.load?.expected(candidate.node_got);
    Some((100.0 / load).clamp(1.0, 100.0))
}
