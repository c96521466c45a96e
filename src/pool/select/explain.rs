//! Explains a decision in words, all of them of the moment at which it was made.

use std::net::IpAddr;
use std::time::Instant;

use super::arrival::Arrival;
use super::asker::Asker;
use super::by_persistence::{Lookup, RecordOutcome};
use super::candidate::Candidate;
use super::decision::Decision;
use super::methods::{self, Preference};
use super::no_member::NoMember;
use super::refusal::{Refusal, Refused};
use crate::model::{LoadBalancing, Scope};
use crate::pool::persistence::Sticky;
use crate::pool::pool::Pool;

/// One step of an explanation, in words.
pub type Step = String;

impl Pool {
    /// Explains why `asker` would be served where [`arrive`](Self::arrive) would serve it at this moment, or would not.
    /// Returns the steps, and the member's index in the pool or how many wait before it. Nothing is counted.
    pub fn explain(&self, asker: Asker<'_>, now: Instant) -> (Vec<Step>, Arrival<usize, usize>) {
        let mut persistence = Vec::new();
        let (decision, arrival) = {
            let _turn = self.live.shared.turnstile.lock();
            let mut report =
                |sticky: &Sticky, found: Lookup<'_>| persistence.push(self.explain_lookup(asker.client, sticky, found));
            let waiting = self.live.queued();
            let has_room = self.config.queue.has_room(waiting);
            let decision = self.decide(asker, has_room, now, &mut report);
            let queue = || has_room.then_some(waiting);
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
        // Where others go first, the method is not asked yet.
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
        for (index, suspicion) in decision.last_resort.iter().take(NAMED) {
            let (name, reason) = (self.name(*index), suspicion.reason());
            steps.push(format!("{name} is suspect ({reason}), and can be chosen only because no other can"));
        }
    }

    /// Returns why a member is passed over, in words that fit "it …".
    fn why(&self, index: usize, refusal: &Refusal) -> String {
        let why = refusal.why.as_str();
        let detail = match refusal.why {
            Refused::Disabled | Refused::Offline => Some(self.members[index].state_in_words()),
            Refused::NoThread { threads } => Some(format!("all of its {threads} service threads are in use")),
            _ => refusal.reason().map(ToOwned::to_owned),
        };
        detail.map_or_else(|| why.to_owned(), |detail| format!("{why} ({detail})"))
    }

    /// Returns what a persistence profile finds for a client.
    fn explain_lookup(&self, client: IpAddr, sticky: &Sticky, found: Lookup<'_>) -> Step {
        let (profile, key) = (&sticky.profile.name, sticky.profile.mask.apply(client));
        let (target, outcome) = match found {
            Lookup::NoRecord => return format!("profile {profile}: there is no record of {key}"),
            Lookup::Hash(index) => {
                return format!("profile {profile}: of those that can be chosen, {key} fits {} best", self.name(index));
            }
            Lookup::Record(target, outcome) => (target, outcome),
        };
        let record = format!("profile {profile}: a record sends {key} to {} of pool {}", target.member, target.pool);
        match outcome {
            RecordOutcome::Usable(index) => format!("{record}, so it goes to {}", self.name(index)),
            RecordOutcome::Refused(index, refusal) => {
                format!("{record}, and {} cannot be used: it {}", self.name(index), self.why(index, &refusal))
            }
            RecordOutcome::Absent => format!("{record}, which pool {} does not have", self.config.name),
        }
    }

    fn explain_groups(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let Some(lowest) = decision.lowest_group else { return };
        let (active, least) = (decision.candidates.len(), self.config.min_active_members);
        steps.push(format!(
            "priority groups from {lowest} up serve: {active} of their members can be chosen, and {least} must be \
             (min-active-members)"
        ));
        if !decision.standby.is_empty() {
            let names: Vec<_> = decision.standby.iter().take(NAMED).map(|index| self.name(*index)).collect();
            steps.push(format!("standing by in lower groups: {}", names.join(", ")));
        }
    }

    fn explain_method(&self, decision: &Decision, steps: &mut Vec<Step>) {
        let method = self.config.load_balancing_mode;
        if decision.lacks_measurements {
            steps.push(format!(
                "{}: a member has not reported its load recently; {}",
                method.as_str(),
                methods::instead(method)
            ));
        }
        let in_force = methods::in_force(method, &decision.candidates);
        let preference = methods::preference(method, &decision.candidates);
        for (at, candidate) in decision.candidates.iter().enumerate().take(NAMED) {
            let figures = match &preference {
                Preference::Turns(weights) => turns(method, candidate, weights[at]),
                Preference::Lowest(_) => figures(in_force, candidate),
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
            let why = match preference {
                Preference::Turns(_) => "it is its turn",
                Preference::Lowest(_) => "it has the least, or waits longest of those",
            };
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
            let ratio = candidate.figures(scope).ratio;
            format!("has {} for a ratio of {ratio}", connections(scope, candidate))
        }
        LoadBalancing::WeightedLeastConnections(scope) => {
            let limit = candidate.figures(scope).limit.unwrap_or_default();
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
            None => "has no recent load report".to_owned(),
        },
    }
}

fn connections(scope: Scope, candidate: &Candidate) -> String {
    let count = candidate.figures(scope).connections;
    match scope {
        Scope::Member => format!("{count} connections"),
        Scope::Node => format!("{count} connections on its node"),
    }
}

/// Members that a step names one by one; the others are counted.
const NAMED: usize = 20;
