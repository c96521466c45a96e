//! The choice without a table: every member is looked at each time, as plainly as it can be written. What the table
//! leads to must be the same.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::candidate::Candidate;
use super::eligibility::Applicant;
use super::methods::{INTERVAL, next_trend};
use super::refusal::Refused;
use super::{Asker, NoMember};
use crate::model::profile::{Affinity, PersistenceKind};
use crate::model::{LoadBalancing, MemberKey, Name, Scope};
use crate::pool::persistence::rendezvous::Fit;
use crate::pool::{Pool, RecordTarget, Sticky};

/// What plain choices remember of the members.
#[derive(Debug, Default)]
pub(super) struct Plain {
    turn: u64,
    members: BTreeMap<(Name, MemberKey), Remembered>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    turn: u64,
    credit: i64,
}

/// A choice that would be made.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub chosen: Result<usize, NoMember>,
    pub persisted: bool,
    /// The credits after the choice, by the members' indexes.
    credits: Vec<(usize, i64)>,
}

struct Seen {
    candidates: Vec<Candidate>,
    suspects: Vec<Candidate>,
    refused: BTreeMap<usize, Refused>,
}

impl Plain {
    /// Plans the choice of a connection that may wait, given what every member is now.
    pub(super) fn plan(&self, pool: &Pool, asker: Asker<'_>, now: Instant) -> Plan {
        let none = |why| Plan { chosen: Err(why), persisted: false, credits: Vec::new() };
        let is_up = |it: &&crate::pool::PoolMember| it.is_up(it.live.health().is_down());
        let (up, needed) = (pool.members.iter().filter(is_up).count() as u32, pool.config.min_up_members);
        if up < needed {
            return none(NoMember::TooFew { up, needed });
        }
        let mut seen = see(pool, asker, now);
        let uses_suspects = seen.candidates.is_empty()
            && !seen.suspects.is_empty()
            && !NoMember::of(seen.refused.values().copied()).may_wait(pool.config.queue);
        if uses_suspects {
            seen.candidates = std::mem::take(&mut seen.suspects);
        }
        seen.refused.extend(seen.suspects.iter().map(|suspect| (suspect.index, Refused::Suspect)));
        let serving = serving(pool, &seen.candidates);
        let persisted = persisted(pool, asker, &serving, &seen, uses_suspects, now);
        let method = pool.config.load_balancing_mode;
        let turns = turns(method, &serving);
        let remembered = |index: usize| self.of(pool, index);
        let chosen = persisted.or_else(|| match &turns {
            Some(shares) => {
                let all = serving.iter().zip(shares).rev();
                let rich = |(it, share): &(&Candidate, &i64)| {
                    let Remembered { turn, credit } = remembered(it.index);
                    (credit + **share, Reverse(turn))
                };
                all.max_by_key(rich).map(|(candidate, _)| candidate.index)
            }
            None => {
                let scores = scores(method, &serving);
                let rank = |at: &usize| (scores[*at], remembered(serving[*at].index).turn);
                let at = (0..serving.len()).min_by(|one, other| rank(one).partial_cmp(&rank(other)).unwrap());
                at.map(|at| serving[at].index)
            }
        });
        let Some(chosen) = chosen else { return none(NoMember::of(seen.refused.values().copied())) };
        let mut credits = Vec::new();
        let pays = persisted.is_none() || !pool.config.ignore_persisted_weight;
        if let Some(shares) = turns.filter(|_| pays && serving.iter().any(|it| it.index == chosen)) {
            let earned: i64 = shares.iter().sum();
            let credit = |(it, share): (&Candidate, &i64)| {
                let pays = if it.index == chosen { earned } else { 0 };
                (it.index, remembered(it.index).credit + share - pays)
            };
            credits.extend(serving.iter().zip(&shares).map(credit));
        }
        Plan { chosen: Ok(chosen), persisted: persisted.is_some(), credits }
    }

    /// Remembers a choice that was made.
    pub(super) fn made(&mut self, pool: &Pool, plan: &Plan) {
        let Ok(chosen) = plan.chosen else { return };
        self.turn += 1;
        for (index, credit) in &plan.credits {
            self.members.entry(key(pool, *index)).or_default().credit = *credit;
        }
        self.members.entry(key(pool, chosen)).or_default().turn = self.turn;
    }

    /// Forgets the members of a pool that are gone for good.
    pub(super) fn forget(&mut self, pool: &Name, is_gone: impl Fn(&MemberKey) -> bool) {
        self.members.retain(|(of, member), _| of != pool || !is_gone(member));
    }

    fn of(&self, pool: &Pool, index: usize) -> Remembered {
        self.members.get(&key(pool, index)).copied().unwrap_or_default()
    }
}

fn key(pool: &Pool, index: usize) -> (Name, MemberKey) {
    (pool.config.name.clone(), pool.members[index].key.clone())
}

fn see(pool: &Pool, asker: Asker<'_>, now: Instant) -> Seen {
    let mut seen = Seen { candidates: Vec::new(), suspects: Vec::new(), refused: BTreeMap::new() };
    for index in 0..pool.members.len() {
        if let Some(refusal) = pool.refusal(index, Applicant::of(asker), now) {
            seen.refused.insert(index, refusal.why);
            continue;
        }
        let candidate = Candidate { trend: trend(pool, index, now), ..pool.candidate(index, now) };
        match pool.suspicion(index, asker, now) {
            Some(_) => seen.suspects.push(candidate),
            None => seen.candidates.push(candidate),
        }
    }
    seen
}

/// Returns the trend of a member, which is looked at each second.
fn trend(pool: &Pool, index: usize, now: Instant) -> u32 {
    let member = &pool.members[index];
    let trend = member.live.turns.trend.load(Ordering::Relaxed);
    let LoadBalancing::Predictive(scope) = pool.config.load_balancing_mode else { return trend };
    if pool.live.trends_taken.get().is_some_and(|taken| now.saturating_duration_since(taken) < INTERVAL) {
        return trend;
    }
    let connections = match scope {
        Scope::Member => member.live.connections.everywhere(),
        Scope::Node => member.node.connections.everywhere(),
    };
    let before = member.live.turns.trend_connections.load(Ordering::Relaxed);
    next_trend(trend, if trend == 0 { connections } else { before }, connections)
}

/// Returns the candidates whose priority groups serve.
fn serving(pool: &Pool, candidates: &[Candidate]) -> Vec<Candidate> {
    let group = |candidate: &Candidate| pool.members[candidate.index].config.priority_group;
    let mut groups: Vec<_> = candidates.iter().map(group).collect();
    groups.sort_unstable_by_key(|group| Reverse(*group));
    let least = pool.config.min_active_members as usize;
    let lowest = least.checked_sub(1).and_then(|last| groups.get(last).or_else(|| groups.last()).copied());
    candidates.iter().filter(|it| lowest.is_none_or(|lowest| group(it) >= lowest)).cloned().collect()
}

fn persisted(
    pool: &Pool,
    asker: Asker<'_>,
    serving: &[Candidate],
    seen: &Seen,
    uses_suspects: bool,
    now: Instant,
) -> Option<usize> {
    let others_first =
        |index: usize| pool.suspicion(index, asker, now).is_some() && !uses_suspects && !serving.is_empty();
    let by_record = |sticky: &Sticky, affinity: Affinity| {
        let target = sticky.records.as_ref()?.find(&sticky.profile, asker.client, now)?;
        let index = index_of(pool, affinity, &target)?;
        let refused = match seen.refused.get(&index) {
            Some(Refused::Disabled) => pool.refusal(index, Applicant::of(asker).persistent(), now).map(|it| it.why),
            refused => refused.copied(),
        };
        let waived = sticky.profile.override_connection_limit;
        let refused = refused.filter(|why| !(waived && *why == Refused::Limit));
        (refused.is_none() && !others_first(index)).then_some(index)
    };
    let by_hash = |sticky: &Sticky| {
        let waived = sticky.profile.override_connection_limit;
        let at_limit = seen.refused.iter().filter(|(_, why)| waived && **why == Refused::Limit);
        let at_limit = at_limit.map(|(index, _)| *index).filter(|index| !others_first(*index));
        let all = serving.iter().map(|it| it.index).chain(at_limit);
        all.max_by(|one, other| {
            let [one, other] = [one, other].map(|index| score(sticky, asker.client, pool, *index));
            one.total_cmp(&other)
        })
    };
    asker.persistence.iter().find_map(|sticky| match sticky.profile.kind {
        PersistenceKind::SourceAddr(affinity) => by_record(sticky, affinity),
        PersistenceKind::Hash => by_hash(sticky),
    })
}

fn score(sticky: &Sticky, client: IpAddr, pool: &Pool, index: usize) -> f64 {
    let member = &pool.members[index];
    f64::from(member.config.ratio) / -Fit::of(&sticky.profile, client).even(&member.key).ln()
}

fn index_of(pool: &Pool, affinity: Affinity, target: &RecordTarget) -> Option<usize> {
    let same = || pool.members.iter().position(|member| member.key == target.member);
    let crosses = affinity.match_across_services || affinity.match_across_virtuals || affinity.match_across_pools;
    match () {
        () if target.pool == pool.config.name => same(),
        () if crosses => {
            same().or_else(|| pool.members.iter().position(|member| member.key.node == target.member.node))
        }
        () => None,
    }
}

/// Returns what each earns with a turn, under the methods with turns.
fn turns(method: LoadBalancing, serving: &[Candidate]) -> Option<Vec<i64>> {
    let all = |weight: &dyn Fn(&Candidate) -> f64| {
        let share = |it: &Candidate| ((weight(it) * it.ramp * 1000.0 + 0.5) as i64).max(1);
        Some(serving.iter().map(share).collect())
    };
    match method {
        LoadBalancing::RoundRobin => all(&|_| 1.0),
        LoadBalancing::Ratio(scope) => all(&|it| f64::from(it.figures(scope).ratio)),
        LoadBalancing::Predictive(_) => all(&|it| f64::from(it.trend)),
        LoadBalancing::Observed(scope) => {
            let connections = |it: &Candidate| u64::from(it.figures(scope).connections);
            let (sum, count) = (serving.iter().map(connections).sum::<u64>(), serving.len() as u64);
            all(&|it| if connections(it) * count < sum { 3.0 } else { 2.0 })
        }
        LoadBalancing::DynamicRatio(_) => {
            let ratio = |it: &Candidate| Some((100.0 / it.load?.expected(it.node_got)).clamp(1.0, 100.0));
            let known: Vec<_> = serving.iter().filter_map(ratio).collect();
            let mean = if known.is_empty() { 1.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
            all(&|it| ratio(it).unwrap_or(mean))
        }
        LoadBalancing::LeastConnections(_)
        | LoadBalancing::RatioLeastConnections(_)
        | LoadBalancing::WeightedLeastConnections(_)
        | LoadBalancing::LeastSessions
        | LoadBalancing::LeastLoad => None,
    }
}

/// Returns the scores under the methods that choose the lowest.
fn scores(method: LoadBalancing, serving: &[Candidate]) -> Vec<f64> {
    let all = |score: &dyn Fn(&Candidate) -> f64| serving.iter().map(|it| score(it) / it.ramp).collect();
    let one_more = |scope, it: &Candidate| f64::from(it.figures(scope).connections) + 1.0;
    match method {
        LoadBalancing::RatioLeastConnections(scope) => {
            all(&|it| one_more(scope, it) / f64::from(it.figures(scope).ratio.max(1)))
        }
        LoadBalancing::WeightedLeastConnections(scope) => {
            all(&|it| one_more(scope, it) / f64::from(it.figures(scope).limit.unwrap_or(u32::MAX).max(1)))
        }
        LoadBalancing::LeastSessions => all(&|it| f64::from(it.sessions) + 1.0),
        LoadBalancing::LeastLoad if serving.iter().all(|it| it.load.is_some()) => {
            all(&|it| it.load.unwrap().expected(it.node_got))
        }
        LoadBalancing::LeastLoad => all(&|it| one_more(Scope::Node, it)),
        LoadBalancing::LeastConnections(scope) => all(&|it| one_more(scope, it)),
        LoadBalancing::RoundRobin
        | LoadBalancing::Ratio(_)
        | LoadBalancing::Observed(_)
        | LoadBalancing::Predictive(_)
        | LoadBalancing::DynamicRatio(_) => unreachable!("members take turns"),
    }
}
