//! Which load-balancing method prefers which candidates. Each method either gives them turns in proportion to a weight,
//! or scores them and chooses the lowest.

use super::{dynamic_ratio, least_connections, least_load, least_sessions, observed, predictive, round_robin};
use crate::model::{LoadBalancing, Scope};
use crate::pool::select::candidate::Candidate;

/// What a method makes of the candidates, one number for each.
#[derive(Debug)]
pub(in crate::pool::select) enum Preference {
    /// They take turns in proportion to these weights.
    Turns(Vec<f64>),
    /// The one with the lowest of these scores is chosen.
    Lowest(Vec<f64>),
}

/// Chooses among the candidates; returns its position among them, or `None` where there is none.
pub(in crate::pool::select) fn pick(method: LoadBalancing, candidates: &mut [Candidate]) -> Option<usize> {
    match preference(method, candidates) {
        Preference::Turns(weights) => round_robin::pick(candidates, &weights),
        // Of those with the same score, the one that was chosen the longest ago.
        Preference::Lowest(scores) => (0..candidates.len()).min_by(|&one, &other| {
            scores[one].total_cmp(&scores[other]).then(candidates[one].turn.cmp(&candidates[other].turn))
        }),
    }
}

/// Counts a turn that was taken past the method, as persistence does.
pub(in crate::pool::select) fn charge(method: LoadBalancing, candidates: &mut [Candidate], chosen: usize) {
    if has_turns(method)
        && let Preference::Turns(weights) = preference(method, candidates)
    {
        round_robin::charge(candidates, &weights, chosen);
    }
}

/// Returns whether candidates take turns under a method, so that turns are to be counted.
fn has_turns(method: LoadBalancing) -> bool {
    match method {
        LoadBalancing::RoundRobin
        | LoadBalancing::Ratio(_)
        | LoadBalancing::Observed(_)
        | LoadBalancing::Predictive(_)
        | LoadBalancing::DynamicRatio(_) => true,
        LoadBalancing::LeastConnections(_)
        | LoadBalancing::RatioLeastConnections(_)
        | LoadBalancing::WeightedLeastConnections(_)
        | LoadBalancing::LeastSessions
        | LoadBalancing::LeastLoad => false,
    }
}

/// Returns what the method makes of the candidates. One that ramps up gets a part of its share.
pub(in crate::pool::select) fn preference(method: LoadBalancing, candidates: &[Candidate]) -> Preference {
    let turns = |weight: &dyn Fn(&Candidate) -> f64| {
        Preference::Turns(candidates.iter().map(|it| weight(it) * it.ramp).collect())
    };
    let lowest = |score: &dyn Fn(&Candidate) -> f64| {
        Preference::Lowest(candidates.iter().map(|it| score(it) / it.ramp).collect())
    };
    match in_force(method, candidates) {
        LoadBalancing::RoundRobin => turns(&|_| 1.0),
        LoadBalancing::Ratio(scope) => turns(&|it| f64::from(it.figures(scope).ratio)),
        LoadBalancing::Observed(scope) => turns(&observed::weight(scope, candidates)),
        LoadBalancing::Predictive(_) => turns(&predictive::weight),
        LoadBalancing::DynamicRatio(_) => turns(&dynamic_ratio::weight(candidates)),
        LoadBalancing::LeastConnections(scope) => lowest(&|it| least_connections::score(scope, it)),
        LoadBalancing::RatioLeastConnections(scope) => lowest(&|it| least_connections::ratio_score(scope, it)),
        LoadBalancing::WeightedLeastConnections(scope) => lowest(&|it| least_connections::weighted_score(scope, it)),
        LoadBalancing::LeastSessions => lowest(&least_sessions::score),
        LoadBalancing::LeastLoad => lowest(&least_load::score),
    }
}

/// Returns the method that decides: least-load goes by connections while a candidate lacks a fresh measurement, as what
/// is not known cannot be compared.
pub(in crate::pool::select) fn in_force(method: LoadBalancing, candidates: &[Candidate]) -> LoadBalancing {
    match method {
        LoadBalancing::LeastLoad if lacks_measurements(method, candidates) => {
            LoadBalancing::LeastConnections(Scope::Node)
        }
        method => method,
    }
}

/// Returns whether the method goes by measurements and a candidate lacks a fresh one.
pub(in crate::pool::select) fn lacks_measurements(method: LoadBalancing, candidates: &[Candidate]) -> bool {
    method.needs_measurements() && candidates.iter().any(|candidate| candidate.load.is_none())
}

/// Returns in words what decides while measurements are lacking.
pub(in crate::pool) fn instead(method: LoadBalancing) -> &'static str {
    match method {
        LoadBalancing::LeastLoad => "least-connections-node decides until every member is measured",
        LoadBalancing::RoundRobin
        | LoadBalancing::Ratio(_)
        | LoadBalancing::LeastConnections(_)
        | LoadBalancing::RatioLeastConnections(_)
        | LoadBalancing::WeightedLeastConnections(_)
        | LoadBalancing::Observed(_)
        | LoadBalancing::Predictive(_)
        | LoadBalancing::DynamicRatio(_)
        | LoadBalancing::LeastSessions => "members without a measurement take an average share",
    }
}
