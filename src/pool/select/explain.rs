//! A decision in plain words.

use std::time::Instant;

use super::decision::{Decision, Persisted};
use super::methods;
use super::{Asker, Candidate, NoMember, Pool, Refused};
use crate::model::profile::PersistenceKind;
use crate::model::{LoadBalancing, Scope};

/// One step of an explanation, in words.
pub type Step = String;

/// Members that a step names one by one; the others are counted.
const NAMED: usize = 20;

impl Pool {
    /// Why `asker` would go where [`choose`](Self::choose) would send it at this moment; nothing is counted.
    pub fn explain(&self, asker: Asker<'_>, now: Instant) -> (Vec<Step>, Result<usize, NoMember>) {
        let decision = {
            let _turn = self.live.turnstile.lock();
            self.decide(asker, now)
        };
        let mut steps = Vec::new();
        if let Err(NoMember::TooFew { up, needed }) = decision.chosen {
            steps
                .push(format!("pool {} has {up} members up and must have {needed} (min-up-members)", self.config.name));
            return (steps, decision.chosen);
        }
        self.explain_members(&decision, &mut steps);
        self.explain_groups(&decision, &mut steps);
        self.explain_persistence(asker, &decision, now, &mut steps);
        if decision.persisted.is_none() && decision.chosen.is_ok() {
            self.explain_method(&decision, &mut steps);
        }
        (steps, decision.chosen)
    }

    fn name(&self, index: usize) -> String {
        self.members[index].key.to_string()
    }

    fn explain_members(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let (all, pool) = (self.members.len(), &self.config.name);
        let able = all - decision.refused.len();
        steps.push(format!("pool {pool} has {all} members, of which {able} can be chosen"));
        for (index, why) in decision.refused.iter().take(NAMED) {
            let reason = match why {
                Refused::Down | Refused::Disabled | Refused::Unavailable => {
                    format!(" ({})", self.member_status(*index).reason)
                }
                _ => String::new(),
            };
            steps.push(format!("{} cannot: it {}{reason}", self.name(*index), why.as_str()));
        }
        if let Some(more @ 1..) = decision.refused.len().checked_sub(NAMED) {
            steps.push(format!("{more} more members cannot"));
        }
    }

    fn explain_persistence(&self, asker: Asker<'_>, decision: &Decision, now: Instant, steps: &mut Vec<Step>) {
        if asker.persistence.is_empty() {
            steps.push("the virtual server has no persistence".to_owned());
        }
        for sticky in asker.persistence {
            let (name, key) = (&sticky.profile.name, sticky.profile.mask.apply(asker.client));
            if sticky.profile.kind == PersistenceKind::Hash {
                if let Some(Persisted::Hash(index)) = decision.persisted {
                    let member = self.name(index);
                    steps.push(format!("profile {name}: of those that can be chosen, {key} fits {member} best"));
                    return;
                }
                continue;
            }
            let place = sticky.records.as_ref().and_then(|records| records.find(&sticky.profile, asker.client, now));
            let Some(place) = place else {
                steps.push(format!("profile {name}: there is no record of {key}"));
                continue;
            };
            let recorded = format!("profile {name}: a record sends {key} to {} of pool {}", place.member, place.pool);
            match self.recorded(asker, sticky, now) {
                Some(index) => {
                    steps.push(format!("{recorded}, so it goes to {}", self.name(index)));
                    return;
                }
                None => steps.push(format!("{recorded}, which cannot be used")),
            }
        }
    }

    fn explain_groups(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let Some(lowest) = decision.lowest_group else { return };
        let (active, least) = (decision.candidates.len(), self.config.min_active_members);
        steps.push(format!(
            "priority groups from {lowest} up serve: {active} of their members can be chosen, and {least} must be \
             (min-active-members)"
        ));
        if !decision.standing_by.is_empty() {
            let names: Vec<_> = decision.standing_by.iter().take(NAMED).map(|index| self.name(*index)).collect();
            steps.push(format!("standing by in lower groups: {}", names.join(", ")));
        }
    }

    fn explain_method(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let method = self.config.load_balancing_mode;
        if decision.is_blind {
            steps.push(format!("{}: a member has told nothing lately; {}", method.as_str(), instead(method)));
        }
        let in_force = methods::in_force(method, &decision.candidates);
        let weights = methods::weights(method, &decision.candidates);
        for (at, candidate) in decision.candidates.iter().enumerate().take(NAMED) {
            let figures = match &weights {
                Some(weights) => turns(method, candidate, weights[at]),
                None => figures(in_force, candidate),
            };
            let ramp = match candidate.ramp {
                full if full >= 1.0 => String::new(),
                part => format!(", and ramps up with {:.0} % of its share", part * 100.0),
            };
            steps.push(format!("{}: {} {figures}{ramp}", in_force.as_str(), self.name(candidate.index)));
        }
        if let Some(more @ 1..) = decision.candidates.len().checked_sub(NAMED) {
            steps.push(format!("and {more} more members"));
        }
        if let Ok(index) = decision.chosen {
            let why = if weights.is_some() { "it is its turn" } else { "it has the least, or waits longest of those" };
            steps.push(format!("{} is chosen: {why}", self.name(index)));
        }
    }
}

fn turns(method: LoadBalancing, candidate: &Candidate, weight: f64) -> String {
    match method {
        LoadBalancing::RoundRobin => "takes turns".to_owned(),
        LoadBalancing::Observed(scope) | LoadBalancing::Predictive(scope) => {
            format!("has {} and takes turns in a ratio of {weight:.2}", connections(scope, candidate))
        }
        _ => format!("takes turns in a ratio of {weight:.2}"),
    }
}

fn figures(method: LoadBalancing, candidate: &Candidate) -> String {
    match method {
        LoadBalancing::LeastConnections(scope) => format!("has {}", connections(scope, candidate)),
        LoadBalancing::RatioLeastConnections(scope) => {
            let ratio = methods::figures(scope, candidate).ratio;
            format!("has {} for a ratio of {ratio}", connections(scope, candidate))
        }
        LoadBalancing::WeightedLeastConnections(scope) => {
            let limit = methods::figures(scope, candidate).limit.unwrap_or_default();
            format!("has {} of a limit of {limit}", connections(scope, candidate))
        }
        LoadBalancing::LeastSessions => format!("has {} persistence records", candidate.sessions),
        _ => match candidate.load {
            Some(load) => format!(
                "has work for {:.1} queries with a pressure of {:.1} for memory, and is expected at {:.1}",
                load.work,
                load.pressure,
                load.expected(candidate.node_got)
            ),
            None => "has told nothing lately".to_owned(),
        },
    }
}

fn connections(scope: Scope, candidate: &Candidate) -> String {
    let count = methods::figures(scope, candidate).connections;
    match scope {
        Scope::Member => format!("{count} connections"),
        Scope::Node => format!("{count} connections on its node"),
    }
}

/// What decides while measurements are wanting.
pub(in crate::pool) fn instead(method: LoadBalancing) -> &'static str {
    match method {
        LoadBalancing::LeastLoad => "least-connections-node decides until every member is measured",
        _ => "members without a measurement take an average share",
    }
}
