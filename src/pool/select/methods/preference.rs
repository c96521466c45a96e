//! Which load-balancing method prefers which members. Each method either gives them turns in proportion to a weight, or
//! scores them and chooses the lowest.

use super::observed::Average;
use super::{dynamic_ratio, least_connections, least_load, least_sessions, predictive, round_robin};
use crate::model::{LoadBalancing, Scope};
use crate::pool::select::candidate::Candidate;
use crate::pool::select::row::{Row, View, share};
use crate::pool::select::serving::Serving;

/// What a method goes by, given all that serve.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool::select) enum Preference {
    /// They take turns in proportion to a weight.
    Turns(Weight),
    /// The one with the lowest score is chosen.
    Lowest(Score),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::pool::select) enum Weight {
    /// The member's own.
    Own,
    /// The same, and this one for those that are not measured.
    OwnOr(f64),
    ByAverage(Average),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::pool::select) enum Score {
    /// The member's own.
    Own,
    Connections,
}

/// Returns the method's own weight or score of a candidate, where that follows from this one alone.
pub(in crate::pool::select) fn own(method: LoadBalancing, candidate: &Candidate) -> f64 {
    match method {
        LoadBalancing::RoundRobin => 1.0,
        LoadBalancing::Ratio(scope) => f64::from(candidate.figures(scope).ratio),
        LoadBalancing::Predictive(_) => predictive::weight(candidate),
        LoadBalancing::DynamicRatio(_) => dynamic_ratio::ratio(candidate).unwrap_or_default(),
        LoadBalancing::LeastConnections(scope) => least_connections::score(candidate.figures(scope).connections),
        LoadBalancing::RatioLeastConnections(scope) => least_connections::ratio_score(candidate.figures(scope)),
        LoadBalancing::WeightedLeastConnections(scope) => least_connections::weighted_score(candidate.figures(scope)),
        LoadBalancing::LeastSessions => least_sessions::score(candidate),
        LoadBalancing::LeastLoad => least_load::score(candidate).unwrap_or_default(),
        LoadBalancing::Observed(_) => 0.0,
    }
}

/// Returns the connections of a candidate that the method goes by.
pub(in crate::pool::select) fn connections(method: LoadBalancing, candidate: &Candidate) -> u32 {
    let scope = match method {
        LoadBalancing::Observed(scope) => scope,
        _ => Scope::Node,
    };
    candidate.figures(scope).connections
}

impl Preference {
    pub(in crate::pool::select) fn of(method: LoadBalancing, lacks_measurements: bool, serving: Serving<'_>) -> Self {
        match in_force(method, lacks_measurements) {
            LoadBalancing::Observed(_) => Self::Turns(Weight::ByAverage(Average::of(serving.views()))),
            LoadBalancing::DynamicRatio(_) if lacks_measurements => {
                Self::Turns(Weight::OwnOr(dynamic_ratio::mean(serving.views())))
            }
            LoadBalancing::RoundRobin
            | LoadBalancing::Ratio(_)
            | LoadBalancing::Predictive(_)
            | LoadBalancing::DynamicRatio(_) => Self::Turns(Weight::Own),
            // By its connections, whatever it has measured itself.
            in_force if in_force != method => Self::Lowest(Score::Connections),
            LoadBalancing::LeastConnections(_)
            | LoadBalancing::RatioLeastConnections(_)
            | LoadBalancing::WeightedLeastConnections(_)
            | LoadBalancing::LeastSessions
            | LoadBalancing::LeastLoad => Self::Lowest(Score::Own),
        }
    }

    /// Chooses among those that serve.
    pub(in crate::pool::select) fn pick(self, serving: Serving<'_>) -> Option<usize> {
        match self {
            Self::Turns(weight) => round_robin::pick(serving.rows(), |row| weight.share(row)),
            Self::Lowest(score) => lowest(serving.rows(), |row| score.of(&row.view)),
        }
    }

    /// Counts the turn that a chosen row takes, where members take turns.
    pub(in crate::pool::select) fn charge(self, rows: &mut [Row], serves: impl Fn(&Row) -> bool, chosen: usize) {
        if let Self::Turns(weight) = self {
            round_robin::charge(rows, serves, |row| weight.share(row), chosen);
        }
    }
}

impl Weight {
    /// Returns the weight of a member. One that ramps up gets a part of its share.
    pub(in crate::pool::select) fn of(self, view: &View) -> f64 {
        let full = match self {
            Self::OwnOr(weight) if !view.is_measured => weight,
            Self::Own | Self::OwnOr(_) => view.own,
            Self::ByAverage(average) => average.weight(view),
        };
        full * view.ramp
    }

    /// Returns what a member earns with each turn.
    fn share(self, row: &Row) -> i64 {
        match self {
            Self::OwnOr(weight) if !row.view.is_measured => share(weight * row.view.ramp),
            Self::Own | Self::OwnOr(_) => row.share,
            Self::ByAverage(average) => average.share(&row.view),
        }
    }
}

impl Score {
    /// Returns the score of a member. One that ramps up has a higher one.
    fn of(self, view: &View) -> f64 {
        let full = match self {
            Self::Own => view.own,
            Self::Connections => least_connections::score(view.connections),
        };
        full / view.ramp
    }
}

/// Returns the row with the lowest score; of those with the same, the one that was chosen the longest ago.
fn lowest<'a>(serving: impl Iterator<Item = (usize, &'a Row)>, score: impl Fn(&Row) -> f64) -> Option<usize> {
    let mut lowest: Option<((f64, u64), usize)> = None;
    for (index, row) in serving {
        let rank = (score(row), row.turn);
        if lowest.is_none_or(|(least, _)| rank < least) {
            lowest = Some((rank, index));
        }
    }
    lowest.map(|(_, index)| index)
}

/// Returns the method that decides: least-load goes by connections while a candidate lacks a fresh measurement, as what
/// is not known cannot be compared.
pub(in crate::pool::select) fn in_force(method: LoadBalancing, lacks_measurements: bool) -> LoadBalancing {
    match method {
        LoadBalancing::LeastLoad if lacks_measurements => LoadBalancing::LeastConnections(Scope::Node),
        method => method,
    }
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
