//! A decision in plain words, all of them of the moment at which it was made.

use std::net::IpAddr;
use std::time::Instant;

use super::decision::Decision;
use super::methods;
use super::persisted::{Recorded, Said};
use super::{Arrival, Asker, Candidate, NoMember, Pool, Refusal, Refused};
use crate::model::{LoadBalancing, Scope};
use crate::pool::persistence::Sticky;

/// One step of an explanation, in words.
pub type Step = String;

/// Members that a step names one by one; the others are counted.
const NAMED: usize = 20;

impl Pool {
    /// Why `asker` would be served where [`arrive`](Self::arrive) would serve it at this moment, or would not: the
    /// steps, and the member by its place in the pool or how many wait before it. Nothing is counted.
    pub fn explain(&self, asker: Asker<'_>, now: Instant) -> (Vec<Step>, Arrival<usize, usize>) {
        let mut persistence = Vec::new();
        let (decision, arrival) = {
            let _turn = self.live.turnstile.lock();
            let mut said = |sticky: &Sticky, said: Said<'_>| persistence.push(self.say(asker.client, sticky, said));
            let decision = self.decide(asker, now, &mut said);
            let waiting = self.live.queued();
            let queue = || self.config.queue.has_room(waiting).then_some(waiting);
            let arrival = Arrival::decide(self.config.queue, self.live.ahead(), || decision.chosen, queue);
            (decision, arrival)
        };
        let mut steps = Vec::new();
        if let Err(NoMember::TooFew { up, needed }) = decision.chosen {
            steps
                .push(format!("pool {} has {up} members up and must have {needed} (min-up-members)", self.config.name));
            return (steps, arrival);
        }
        self.explain_members(&decision, &mut steps);
        self.explain_groups(&decision, &mut steps);
        if asker.persistence.is_empty() {
            steps.push("the virtual server has no persistence".to_owned());
        }
        steps.extend(persistence);
        // Where others come first, the method is not asked yet.
        if decision.persisted.is_none() && matches!(arrival, Arrival::Served(_)) {
            self.explain_method(&decision, &mut steps);
        }
        (steps, arrival)
    }

    fn name(&self, index: usize) -> String {
        self.members[index].key.to_string()
    }

    fn explain_members(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let (all, pool) = (self.members.len(), &self.config.name);
        let able = all - decision.refused.len();
        steps.push(format!("pool {pool} has {all} members, of which {able} can be chosen"));
        for (index, refusal) in decision.refused.iter().take(NAMED) {
            steps.push(format!("{} cannot: it {}", self.name(*index), self.why(*index, refusal)));
        }
        if let Some(more @ 1..) = decision.refused.len().checked_sub(NAMED) {
            steps.push(format!("{more} more members cannot"));
        }
    }

    /// Why a member is passed over, in words that fit "it …".
    fn why(&self, index: usize, refusal: &Refusal) -> String {
        let why = refusal.why.as_str();
        let detail = match refusal.why {
            Refused::Disabled | Refused::Offline => Some(self.members[index].state_in_words()),
            Refused::NoThread { threads } => Some(format!("all of its {threads} service threads are in use")),
            _ => refusal.health.as_ref().and_then(|health| health.reason()).map(ToOwned::to_owned),
        };
        detail.map_or_else(|| why.to_owned(), |detail| format!("{why} ({detail})"))
    }

    /// What a persistence profile has to say of a client.
    fn say(&self, client: IpAddr, sticky: &Sticky, said: Said<'_>) -> Step {
        let (profile, key) = (&sticky.profile.name, sticky.profile.mask.apply(client));
        let (place, recorded) = match said {
            Said::NoRecord => return format!("profile {profile}: there is no record of {key}"),
            Said::Hash(index) => {
                return format!("profile {profile}: of those that can be chosen, {key} fits {} best", self.name(index));
            }
            Said::Record(place, recorded) => (place, recorded),
        };
        let record = format!("profile {profile}: a record sends {key} to {} of pool {}", place.member, place.pool);
        match recorded {
            Recorded::Usable(index) => format!("{record}, so it goes to {}", self.name(index)),
            Recorded::Refused(index, refusal) => {
                format!("{record}, and {} cannot be used: it {}", self.name(index), self.why(index, &refusal))
            }
            Recorded::Absent => format!("{record}, which pool {} does not have", self.config.name),
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
