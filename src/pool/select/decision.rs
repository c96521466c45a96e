//! The decision: which priority groups serve, whom persistence names, whom the method prefers. Pure, so that a choice
//! and its explanation are the same.

use std::sync::Arc;

use super::candidate::Candidate;
use super::methods;
use super::no_member::NoMember;
use super::refusal::Refusal;
use crate::model::{LoadBalancing, Queueing};
use crate::pool::member::Suspicion;

/// The settings of a pool that decide beside its members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub method: LoadBalancing,
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

/// What was decided, and what it was decided from.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    /// Those that may be chosen and whose priority group serves.
    pub candidates: Vec<Candidate>,
    /// Those that may not, in the order of the pool.
    pub refused: Vec<(usize, Refusal)>,
    /// Those that are suspect and are candidates for want of others.
    pub last_resort: Vec<(usize, Arc<Suspicion>)>,
    /// Those that may, and whose priority group is standby.
    pub standby: Vec<usize>,
    /// The lowest priority group that serves, where there are groups.
    pub lowest_group: Option<u32>,
    pub persisted: Option<Persisted>,
    /// Whether the method lacks fresh measurements.
    pub lacks_measurements: bool,
    /// The member that was chosen, by its index in the pool.
    pub chosen: Result<usize, NoMember>,
}

impl Decision {
    /// No member is chosen; the reason concerns the whole pool.
    pub(super) fn none(reason: NoMember) -> Self {
        Self {
            candidates: Vec::new(),
            refused: Vec::new(),
            last_resort: Vec::new(),
            standby: Vec::new(),
            lowest_group: None,
            persisted: None,
            lacks_measurements: false,
            chosen: Err(reason),
        }
    }
}

/// The members that a decision is made from.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub candidates: Vec<Candidate>,
    /// Those that could be chosen and are suspect.
    pub suspects: Vec<(Candidate, Arc<Suspicion>)>,
    /// In the order of the pool.
    pub refused: Vec<(usize, Refusal)>,
}

impl Sorted {
    /// Makes suspects candidates if there is no other and the connection may not wait for one, else refuses them.
    /// Returns those that are candidates.
    fn settle_suspects(&mut self, may_wait: impl FnOnce(NoMember) -> bool) -> Vec<(usize, Arc<Suspicion>)> {
        let suspects = std::mem::take(&mut self.suspects);
        if suspects.is_empty() {
            return Vec::new();
        }
        if self.candidates.is_empty() && !may_wait(NoMember::of(&self.refused)) {
            let used = suspects.iter().map(|(candidate, why)| (candidate.index, Arc::clone(why))).collect();
            self.candidates = suspects.into_iter().map(|(candidate, _)| candidate).collect();
            return used;
        }
        self.refused.extend(suspects.into_iter().map(|(it, why)| (it.index, Refusal::suspect(why))));
        self.refused.sort_unstable_by_key(|(index, _)| *index);
        Vec::new()
    }
}

/// Decides. `persisted` is asked with the candidates of the groups that serve and those that are refused. The credits
/// of the candidates are those after the choice.
pub(super) fn decide(
    policy: Policy,
    mut members: Sorted,
    persisted: impl FnOnce(&[Candidate], &[(usize, Refusal)]) -> Option<Persisted>,
) -> Decision {
    let last_resort = members.settle_suspects(|none| policy.has_room && none.may_wait(policy.queueing));
    let Sorted { mut candidates, refused, .. } = members;
    let (lowest_group, standby) = serve_by_group(policy.min_active_members, &mut candidates);
    let persisted = persisted(&candidates, &refused);
    let lacks_measurements = methods::lacks_measurements(policy.method, &candidates);
    let chosen = match persisted {
        Some(persisted) => {
            let at = candidates.iter().position(|candidate| candidate.index == persisted.index());
            if let (false, Some(at)) = (policy.ignore_persisted_weight, at) {
                methods::charge(policy.method, &mut candidates, at);
            }
            Some(persisted.index())
        }
        None => methods::pick(policy.method, &mut candidates).map(|at| candidates[at].index),
    };
    let chosen = chosen.ok_or_else(|| NoMember::of(&refused));
    Decision { candidates, refused, last_resort, standby, lowest_group, persisted, lacks_measurements, chosen }
}

/// Keeps the candidates of the highest priority groups that together have at least so many. Returns the lowest of those
/// groups, and who is standby. With 0 everybody serves.
fn serve_by_group(least: u32, candidates: &mut Vec<Candidate>) -> (Option<u32>, Vec<usize>) {
    if least == 0 {
        return (None, Vec::new());
    }
    let mut groups: Vec<_> = candidates.iter().map(|candidate| candidate.priority_group).collect();
    groups.sort_unstable_by_key(|group| std::cmp::Reverse(*group));
    // The group of the last member that is needed serves as a whole.
    let lowest = groups.get(least as usize - 1).or_else(|| groups.last()).copied();
    let serves = |candidate: &Candidate| lowest.is_none_or(|lowest| candidate.priority_group >= lowest);
    let standby = candidates.iter().filter(|it| !serves(it)).map(|it| it.index).collect();
    candidates.retain(serves);
    (lowest, standby)
}
