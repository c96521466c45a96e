//! The decision: which priority groups serve, whom persistence names, whom the method prefers. Pure, so that a choice
//! and its explanation are the same.

use super::methods::Preference;
use super::no_member::NoMember;
use super::refusal::Refused;
use super::serving::{Rule, Serving};
use super::standings::Standings;
use crate::model::{LoadBalancing, Queueing};

/// The settings of a pool that decide beside its members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub method: LoadBalancing,
    pub min_up_members: u32,
    pub min_active_members: u32,
    pub ignore_persisted_weight: bool,
    pub queueing: Queueing,
    /// Whether the connection may join the queue, or is in it.
    pub has_room: bool,
}

/// The member that persistence names for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persisted {
    /// A record names the member.
    Record(usize),
    /// Hashing prefers it.
    Hash(usize),
}

impl Persisted {
    /// Returns the member, which may be used, by its index in the pool.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Record(index) | Self::Hash(index) => index,
        }
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    /// The member that was chosen, by its index in the pool.
    pub chosen: Result<usize, NoMember>,
    /// Which members it was chosen among.
    pub rule: Rule,
    /// What the method goes by.
    pub preference: Preference,
    pub persisted: Option<Persisted>,
    /// Whether the method counts this choice as a turn of the member.
    pub takes_turn: bool,
    /// Whether anybody serves, beside whom persistence may name.
    pub anybody_serves: bool,
    /// The first of those that serve of which the method lacks a fresh measurement.
    pub unmeasured: Option<usize>,
}

/// Decides by a table that is up to date. `persisted` is asked with those that serve.
pub(super) fn decide(
    policy: Policy,
    table: &Standings,
    persisted: impl FnOnce(Serving<'_>) -> Option<Persisted>,
) -> Decision {
    let may_wait = || policy.has_room && NoMember::of(table.refusals()).may_wait(policy.queueing);
    let serving = Serving::of(table, policy.min_active_members, may_wait);
    let (up, needed) = (table.up(), policy.min_up_members);
    let persisted = if up < needed { None } else { persisted(serving) };
    let unmeasured = if policy.method.needs_measurements() { serving.unmeasured() } else { None };
    let preference = Preference::of(policy.method, unmeasured.is_some(), serving);
    let chosen = match persisted {
        _ if up < needed => Err(NoMember::TooFew { up, needed }),
        Some(persisted) => Ok(persisted.index()),
        None => preference.pick(serving).ok_or_else(|| none_of(serving, table)),
    };
    let is_counted = persisted.is_none() || !policy.ignore_persisted_weight;
    let takes_turn = is_counted && chosen.is_ok_and(|index| serving.rule.has(serving.view(index)));
    let anybody_serves = table.candidates() > 0 || serving.rule.uses_suspects();
    Decision { chosen, rule: serving.rule, preference, persisted, takes_turn, anybody_serves, unmeasured }
}

/// Returns why nobody serves.
fn none_of(serving: Serving<'_>, table: &Standings) -> NoMember {
    let suspect = (table.suspects() > 0 && !serving.rule.uses_suspects()).then_some(Refused::Suspect);
    NoMember::of(table.refusals().chain(suspect))
}
