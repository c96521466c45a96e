//! Dynamic ratio: turns in inverse proportion to the load that members report.

use crate::pool::select::candidate::Candidate;
use crate::pool::select::row::View;

/// Returns the dynamic ratio, as F5 has it, from 1 to 100, if the candidate has a measurement.
pub(super) fn ratio(candidate: &Candidate) -> Option<f64> {
    let load = candidate.load?.expected(candidate.node_got);
    Some((100.0 / load).clamp(1.0, 100.0))
}

/// Returns the average ratio of those that have a measurement, which the others take.
pub(super) fn mean<'a>(serving: impl Iterator<Item = &'a View>) -> f64 {
    let (sum, count) =
        serving.filter(|view| view.is_measured).fold((0.0, 0_u32), |(sum, count), it| (sum + it.own, count + 1));
    if count == 0 { 1.0 } else { sum / f64::from(count) }
}
