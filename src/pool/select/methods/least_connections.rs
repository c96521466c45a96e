//! Least connections, and its variants by ratio and by connection limit.

use crate::pool::select::candidate::Figures;

/// Returns the connections that a member or node would have with one more.
pub(super) fn score(connections: u32) -> f64 {
    f64::from(connections) + 1.0
}

/// Returns the same for its ratio (ratio-least-connections).
pub(super) fn ratio_score(figures: Figures) -> f64 {
    score(figures.connections) / f64::from(figures.ratio.max(1))
}

/// Returns the same for its connection limit (weighted-least-connections).
pub(super) fn weighted_score(figures: Figures) -> f64 {
    score(figures.connections) / f64::from(figures.limit.unwrap_or(u32::MAX).max(1))
}
