//! Explains a decision in words, all of them of the moment at which it was made.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Instant;

use super::arrival::Arrival;
use super::asker::Asker;
use super::by_persistence::{Lookup, RecordOutcome};
use super::candidate::Candidate;
use super::decision::Decision;
use super::look::Sighting;
use super::methods::{self, Preference};
use super::no_member::NoMember;
use super::refusal::{Refusal, Refused};
use super::row::View;
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
        let mut sightings: Vec<Option<Sighting>> = Vec::new();
        sightings.resize_with(self.members.len(), || None);
        let (decision, arrival) = {
            let _turn = self.live.shared.turnstile.lock();
            let mut table = self.live.standings.lock();
            // At all of them, as a table keeps no words.
            self.look(&mut table, asker, now, true, |index, sighting| sightings[index] = Some(sighting));
            let reasons = |index: usize| sightings[index].as_ref()?.by.clone();
            let mut report =
                |sticky: &Sticky, found: Lookup<'_>| persistence.push(self.explain_lookup(asker.client, sticky, found));
            let waiting = self.live.queued();
            let has_room = self.config.queue.has_room(waiting);
            let decision = self.decide(&table, asker, has_room, now, &reasons, &mut report);
            let queue = || has_room.then_some(waiting);
            let arrival = Arrival::decide(self.config.queue, self.live.ahead(), || decision.chosen, queue);
            (decision, arrival)
        };
        let seen = Seen::of(&decision, sightings);
        let mut steps = Vec::new();
        if let Err(NoMember::TooFew { up, needed }) = decision.chosen {
            steps
                .push(format!("pool {} has {up} members up and must have {needed} (min-up-members)", self.config.name));
            return (steps, arrival);
        }
        self.explain_members(&seen, &mut steps);
        self.explain_groups(&decision, &seen, &mut steps);
        if asker.persistence.is_empty() {
            steps.push("the virtual server has no persistence".to_owned());
        }
        steps.extend(persistence);
        // Where others go first, the method is not asked yet.
        if decision.persisted.is_none() && matches!(arrival, Arrival::Served(_)) {
            self.explain_method(&decision, &seen, &mut steps);
        }
        (steps, arrival)
    }

    fn name(&self, index: usize) -> String {
        self.members[index].key.to_string()
    }

    fn explain_members(&self, seen: &Seen, steps: &mut Vec<Step>) {
        let (all, pool) = (self.members.len(), &self.config.name);
        let able = all - seen.refused.len();
        steps.push(format!("pool {pool} has {all} members, of which {able} can be chosen"));
        for (index, refusal) in seen.refused.iter().take(NAMED) {
            steps.push(format!("{} cannot: it {}", self.name(*index), self.why(*index, refusal)));
        }
        if let Some(more @ 1..) = seen.refused.len().checked_sub(NAMED) {
            steps.push(format!("{more} more members cannot"));
        }
        for (index, suspected) in seen.last_resort.iter().take(NAMED) {
            let (name, reason) = (self.name(*index), suspected.reason().unwrap_or_default());
            steps.push(format!("{name} is suspect ({reason}), and can be chosen only because no other can"));
        }
    }

    /// Returns why a member is passed over, in words that fit "it …".
    fn why(&self, index: usize, refusal: &Refusal) -> String {
        let why = refusal.why.as_str();
        let detail = match refusal.why {
            Refused::Disabled | Refused::Offline => Some(self.members[index].state_in_words()),
            _ => refusal.reason().map(Cow::into_owned),
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

    fn explain_groups(&self, decision: &Decision, seen: &Seen, steps: &mut Vec<Step>) {
        let Some(lowest) = decision.rule.lowest_group else { return };
        let (active, least) = (seen.serving.len(), self.config.min_active_members);
        steps.push(format!(
            "priority groups from {lowest} up serve: {active} of their members can be chosen, and {least} must be \
             (min-active-members)"
        ));
        if !seen.standby.is_empty() {
            let names: Vec<_> = seen.standby.iter().take(NAMED).map(|index| self.name(*index)).collect();
            steps.push(format!("standing by in lower groups: {}", names.join(", ")));
        }
    }

    fn explain_method(&self, decision: &Decision, seen: &Seen, steps: &mut Vec<Step>) {
        let method = self.config.load_balancing_mode;
        let lacks_measurements = decision.unmeasured.is_some();
        if lacks_measurements {
            steps.push(format!(
                "{}: a member has not reported its load recently; {}",
                method.as_str(),
                methods::instead(method)
            ));
        }
        let in_force = methods::in_force(method, lacks_measurements);
        for (candidate, view) in seen.serving.iter().take(NAMED) {
            let figures = match decision.preference {
                Preference::Turns(weight) => turns(method, candidate, weight.of(view)),
                Preference::Lowest(_) => figures(in_force, candidate),
            };
            let ramp = match candidate.ramp {
                full if full >= 1.0 => String::new(),
                part => format!(", and ramps up with {:.0} % of its share", part * 100.0),
            };
            steps.push(format!("{}: {} {figures}{ramp}", in_force.as_str(), self.name(candidate.index)));
        }
        if let Some(more @ 1..) = seen.serving.len().checked_sub(NAMED) {
            steps.push(format!("and {more} more members"));
        }
        if let Ok(index) = decision.chosen {
            let why = match decision.preference {
                Preference::Turns(_) => "it is its turn",
                Preference::Lowest(_) => "it has the least, or waits longest of those",
            };
            steps.push(format!("{} is chosen: {why}", self.name(index)));
        }
    }
}

/// What was seen of all members, sorted by what that meant for the decision.
struct Seen {
    /// Those that may be chosen and whose priority group serves.
    serving: Vec<(Candidate, View)>,
    /// Those that may not.
    refused: Vec<(usize, Refusal)>,
    /// Those that are suspect and serve for want of others.
    last_resort: Vec<(usize, Refusal)>,
    /// Those that may, and whose priority group is standby.
    standby: Vec<usize>,
}

impl Seen {
    fn of(decision: &Decision, sightings: Vec<Option<Sighting>>) -> Self {
        let mut seen = Self { serving: Vec::new(), refused: Vec::new(), last_resort: Vec::new(), standby: Vec::new() };
        for (index, sighting) in sightings.into_iter().enumerate() {
            let Some(Sighting { view, candidate, by, .. }) = sighting else { continue };
            if let Some(why) = decision.rule.refused(&view) {
                seen.refused.push((index, Refusal { why, by }));
                continue;
            }
            if decision.rule.uses_suspects() {
                seen.last_resort.push((index, Refusal { why: Refused::Suspect, by }));
            }
            match candidate.filter(|_| decision.rule.has(&view)) {
                Some(candidate) => seen.serving.push((candidate, view)),
                None => seen.standby.push(index),
            }
        }
        seen
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
