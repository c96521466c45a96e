//! The decision: who may be chosen, what persistence says, which priority groups serve, whom the method prefers. Pure,
//! so that a choice and its explanation are the same.

use super::methods;
use super::{Candidate, NoMember, Refusal};
use crate::model::LoadBalancing;

/// The rules of a pool that decide beside its members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub method: LoadBalancing,
    pub min_active_members: u32,
    pub ignore_persisted_weight: bool,
}

/// What persistence says of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persisted {
    /// A record names the member.
    Record(usize),
    /// Hashing prefers it.
    Hash(usize),
}

impl Persisted {
    /// The member, which may be used, by its place in the pool.
    pub fn index(self) -> usize {
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
    /// Those that may, and whose priority group stands by.
    pub standing_by: Vec<usize>,
    /// The lowest priority group that serves, where there are groups.
    pub lowest_group: Option<u32>,
    pub persisted: Option<Persisted>,
    /// Whether the method has nothing fresh to go by.
    pub is_blind: bool,
    /// The member that was chosen, by its place in the pool.
    pub chosen: Result<usize, NoMember>,
}

/// Decides. `persisted` is asked with the candidates of the groups that serve and those that are refused. The credits
/// and turns of the candidates are as they stand after the choice.
pub(super) fn decide(
    rules: Rules,
    mut candidates: Vec<Candidate>,
    refused: Vec<(usize, Refusal)>,
    persisted: impl FnOnce(&[Candidate], &[(usize, Refusal)]) -> Option<Persisted>,
) -> Decision {
    let (lowest_group, standing_by) = serve_by_group(rules.min_active_members, &mut candidates);
    let persisted = persisted(&candidates, &refused);
    let is_blind = methods::is_blind(rules.method, &candidates);
    let chosen = match persisted {
        Some(persisted) => {
            let at = candidates.iter().position(|candidate| candidate.index == persisted.index());
            if let (false, Some(at), Some(weights)) =
                (rules.ignore_persisted_weight, at, methods::weights(rules.method, &candidates))
            {
                super::turns::charge(&mut candidates, &weights, at);
            }
            Some(persisted.index())
        }
        None => methods::pick(rules.method, &mut candidates).map(|at| candidates[at].index),
    };
    let chosen = chosen.ok_or_else(|| NoMember::of(&refused));
    Decision { candidates, refused, standing_by, lowest_group, persisted, is_blind, chosen }
}

/// Keeps the candidates of the highest priority groups that together have so many of them, and tells the lowest of
/// those groups and who stands by. With 0 everybody serves.
fn serve_by_group(least: u32, candidates: &mut Vec<Candidate>) -> (Option<u32>, Vec<usize>) {
    if least == 0 {
        return (None, Vec::new());
    }
    let mut groups: Vec<_> = candidates.iter().map(|candidate| candidate.priority_group).collect();
    groups.sort_unstable_by_key(|group| std::cmp::Reverse(*group));
    // The group of the last member that is needed serves as a whole.
    let lowest = groups.get(least as usize - 1).or(groups.last()).copied();
    let serves = |candidate: &Candidate| lowest.is_none_or(|lowest| candidate.priority_group >= lowest);
    let standing_by = candidates.iter().filter(|it| !serves(it)).map(|it| it.index).collect();
    candidates.retain(serves);
    (lowest, standing_by)
}
