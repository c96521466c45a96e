//! The load-balancing methods. Each either gives candidates turns in proportion to a weight, or scores them and chooses
//! the lowest.

use std::time::Instant;

use super::turns;
use super::{Candidate, Figures};
use crate::model::{LoadBalancing, Scope};

/// Chooses among the candidates, which are at least one unless there is no choice.
pub(super) fn pick(method: LoadBalancing, candidates: &mut [Candidate]) -> Option<usize> {
    match weights(method, candidates) {
        Some(weights) => turns::pick(candidates, &weights),
        None => {
            let method = in_force(method, candidates);
            let least = |&at: &usize| (score(method, &candidates[at]), candidates[at].turn);
            (0..candidates.len()).min_by(|one, other| {
                let ((one, one_turn), (other, other_turn)) = (least(one), least(other));
                one.total_cmp(&other).then(one_turn.cmp(&other_turn))
            })
        }
    }
}

/// The method that decides: least-load goes by connections while a candidate has told nothing lately, as what is not
/// known cannot be compared.
pub(super) fn in_force(method: LoadBalancing, candidates: &[Candidate]) -> LoadBalancing {
    match method {
        LoadBalancing::LeastLoad if is_blind(method, candidates) => LoadBalancing::LeastConnections(Scope::Node),
        method => method,
    }
}

/// Whether the method goes by measurements and some are wanting.
pub(super) fn is_blind(method: LoadBalancing, candidates: &[Candidate]) -> bool {
    method.needs_measurements() && candidates.iter().any(|candidate| candidate.load.is_none())
}

/// What the candidates' turns are in proportion to; `None` for methods that score.
pub(super) fn weights(method: LoadBalancing, candidates: &[Candidate]) -> Option<Vec<f64>> {
    let by = |weight: &dyn Fn(&Candidate) -> f64| {
        Some(candidates.iter().map(|candidate| weight(candidate) * candidate.ramp).collect())
    };
    match method {
        LoadBalancing::RoundRobin => by(&|_| 1.0),
        LoadBalancing::Ratio(scope) => by(&|it| f64::from(figures(scope, it).ratio)),
        LoadBalancing::Observed(scope) => {
            let all: u64 = candidates.iter().map(|it| u64::from(figures(scope, it).connections)).sum();
            let count = candidates.len() as u64;
            by(&|it| if u64::from(figures(scope, it).connections) * count < all { 3.0 } else { 2.0 })
        }
        LoadBalancing::Predictive(_) => by(&|it| f64::from(it.trend)),
        LoadBalancing::DynamicRatio(_) => {
            let known: Vec<_> =
                candidates.iter().filter_map(|it| it.load.map(|load| inverse(load.expected(it.node_got)))).collect();
            let mean = if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
            by(&|it| it.load.map_or(mean, |load| inverse(load.expected(it.node_got))))
        }
        LoadBalancing::LeastConnections(_)
        | LoadBalancing::RatioLeastConnections(_)
        | LoadBalancing::WeightedLeastConnections(_)
        | LoadBalancing::LeastSessions
        | LoadBalancing::LeastLoad => None,
    }
}

/// What the candidate would have with one connection more, for its share; the lowest is chosen.
pub(super) fn score(method: LoadBalancing, candidate: &Candidate) -> f64 {
    let with_one_more = |scope| f64::from(figures(scope, candidate).connections) + 1.0;
    let score = match method {
        LoadBalancing::RatioLeastConnections(scope) => {
            with_one_more(scope) / f64::from(figures(scope, candidate).ratio.max(1))
        }
        LoadBalancing::WeightedLeastConnections(scope) => {
            with_one_more(scope) / f64::from(figures(scope, candidate).limit.unwrap_or(u32::MAX).max(1))
        }
        LoadBalancing::LeastSessions => f64::from(candidate.sessions) + 1.0,
        LoadBalancing::LeastLoad => {
            candidate.load.map_or_else(|| with_one_more(Scope::Node), |load| load.expected(candidate.node_got))
        }
        LoadBalancing::LeastConnections(scope) => with_one_more(scope),
        _ => 1.0,
    };
    score / candidate.ramp
}

/// The ratio under the predictive methods after a second in which the connections changed so: they rise, it falls.
pub(super) fn trend(before: u32, connections_before: u32, connections: u32) -> u32 {
    let before = if before == 0 { TREND.1 / 2 } else { before };
    match connections.cmp(&connections_before) {
        std::cmp::Ordering::Greater => (before - 1).max(TREND.0),
        std::cmp::Ordering::Less => (before + 1).min(TREND.1),
        std::cmp::Ordering::Equal => before,
    }
}

/// How far a member has come that began to take connections then: its part of its full share.
pub(super) fn ramp(since: Option<Instant>, time: std::time::Duration, now: Instant) -> f64 {
    let Some(since) = since.filter(|_| !time.is_zero()) else { return 1.0 };
    let part = now.saturating_duration_since(since).as_secs_f64() / time.as_secs_f64();
    part.clamp(FIRST_STEP, 1.0)
}

pub(super) fn figures(scope: Scope, candidate: &Candidate) -> Figures {
    match scope {
        Scope::Member => candidate.of_member,
        Scope::Node => candidate.of_node,
    }
}

/// A dynamic ratio, as F5 has it, from 1 to 100.
fn inverse(load: f64) -> f64 {
    (100.0 / load).clamp(1.0, 100.0)
}

/// The least and the greatest ratio under the predictive methods.
const TREND: (u32, u32) = (1, 4);
/// The share with which a member begins: small, so that it gets something to show whether it works.
const FIRST_STEP: f64 = 0.01;
