//! The choice of a member: who may be chosen at all, then the method, then the count, in one step.

mod least_connections;
mod ratio;
mod round_robin;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::health::Health;
use super::live::{LiveMember, LiveNode, LivePool};
use super::persistence::{PersistenceHold, Records};
use crate::model::profile::Persistence;
use crate::model::{self, AdminState, LoadBalancing, MemberKey};

/// A pool as one configuration describes it, joined with its live state.
#[derive(Debug)]
pub struct Pool {
    pub config: Arc<model::Pool>,
    pub live: Arc<LivePool>,
    pub members: Vec<PoolMember>,
}

/// A member as one configuration describes it, joined with its live state.
#[derive(Debug)]
pub struct PoolMember {
    pub key: MemberKey,
    pub config: Arc<model::Member>,
    pub live: Arc<LiveMember>,
    pub node: Arc<LiveNode>,
}

/// Why no member could be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMember {
    /// The pool has no members.
    Empty,
    /// Every member that is left is down, or its name does not resolve.
    Down,
    /// Every member that is left is disabled or forced offline.
    Disabled,
    /// Every member that is up is at its connection limit.
    Limit,
    /// Every member was tried and none could be connected to.
    Tried,
}

/// A chosen member.
#[derive(Debug)]
pub struct Choice {
    /// Its place in [`Pool::members`].
    pub index: usize,
    pub guard: MemberGuard,
    /// Whether a persistence record led here.
    pub persisted: bool,
}

/// Counts one connection to a member, its pool and its node for as long as it lives.
#[derive(Debug)]
pub struct MemberGuard {
    pub member: Arc<LiveMember>,
    pub pool: Arc<LivePool>,
    node: Arc<LiveNode>,
    /// Keeps the client's persistence record fresh.
    _hold: Option<PersistenceHold>,
}

impl Drop for MemberGuard {
    fn drop(&mut self) {
        self.member.connections.leave();
        self.pool.connections.leave();
        self.node.connections.leave();
    }
}

/// Why one member was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Tried,
    Offline,
    Disabled,
    Down,
    Unresolved,
    /// Full by its own account.
    Unavailable,
    Limit,
}

impl Pool {
    /// Joins a pool's configuration with the live state that `registry` keeps for it.
    pub fn join(config: &Arc<model::Pool>, registry: &super::Registry) -> Self {
        let live = registry.pool(&config.name);
        let members = config.members.iter().map(|member| {
            let key = member.key();
            let live = live.member(&key);
            live.watch(config.monitors.iter().map(|monitor| monitor.name.clone()), config.monitors_needed);
            PoolMember { live, node: registry.node(&member.node), config: Arc::clone(member), key }
        });
        let members = members.collect();
        Self { config: Arc::clone(config), live, members }
    }

    /// Chooses a member for `client` and counts the connection: the one that a persistence record names while it may
    /// be used, else the one that the method prefers. Members of `tried` are left out.
    ///
    /// # Errors
    /// Why every member was passed over.
    pub fn choose(
        &self,
        client: IpAddr,
        persistence: Option<(&Persistence, &Arc<Records>)>,
        tried: &[usize],
        now: Instant,
    ) -> Result<Choice, NoMember> {
        let mut turn = self.live.turns.lock();
        let persisted = persistence.and_then(|(profile, records)| {
            let key = records.find(profile, client, now)?;
            let index = self.members.iter().position(|member| member.key == key)?;
            self.refusal(index, tried, true).is_none().then_some(index)
        });
        let index = match persisted {
            Some(index) => index,
            None => self.pick(tried)?,
        };
        *turn += 1;
        let guard = self.enter(index, persistence, client, now).ok_or(NoMember::Limit)?;
        self.members[index].live.turn.store(*turn, Ordering::Relaxed);
        Ok(Choice { index, guard, persisted: persisted.is_some() })
    }

    /// Why a member may not be chosen now, if so. `persistent` tells that a persistence record names it.
    pub fn refusal(&self, index: usize, tried: &[usize], persistent: bool) -> Option<Refused> {
        let member = &self.members[index];
        let states = [member.config.state, member.config.node.state];
        let at_limit = member.config.connection_limit.is_some_and(|limit| member.live.connections.current() >= limit);
        let health = member.live.health();
        let reasons = [
            (tried.contains(&index), Refused::Tried),
            (states.contains(&AdminState::ForcedOffline), Refused::Offline),
            (states.contains(&AdminState::Disabled) && !persistent, Refused::Disabled),
            (health.is_down(), Refused::Down),
            // A member that drains opens no session, so a persistence record is no use to its client.
            (matches!(*health, Health::Disabled(_)), Refused::Disabled),
            (member.node.addresses().is_empty(), Refused::Unresolved),
            (matches!(*health, Health::Unavailable(_)), Refused::Unavailable),
            (at_limit, Refused::Limit),
        ];
        reasons.into_iter().find_map(|(holds, refused)| holds.then_some(refused))
    }

    fn pick(&self, tried: &[usize]) -> Result<usize, NoMember> {
        let mut refusals = Vec::new();
        let mut candidates = Vec::with_capacity(self.members.len());
        for index in 0..self.members.len() {
            match self.refusal(index, tried, false) {
                Some(refused) => refusals.push(refused),
                None => candidates.push(self.candidate(index)),
            }
        }
        let picked = match self.config.load_balancing_mode {
            LoadBalancing::RoundRobin => round_robin::pick(&candidates),
            LoadBalancing::RatioMember => ratio::pick(&mut candidates),
            LoadBalancing::LeastConnectionsMember => least_connections::pick(&candidates, |it| it.connections),
            LoadBalancing::LeastConnectionsNode => least_connections::pick(&candidates, |it| it.node_connections),
        };
        let picked = picked.ok_or_else(|| no_member(&refusals))?;
        for candidate in &candidates {
            self.members[candidate.index].live.credit.store(candidate.credit, Ordering::Relaxed);
        }
        Ok(candidates[picked].index)
    }

    fn candidate(&self, index: usize) -> Candidate {
        let member = &self.members[index];
        Candidate {
            index,
            connections: member.live.connections.current(),
            node_connections: member.node.connections.current(),
            ratio: member.config.ratio,
            turn: member.live.turn.load(Ordering::Relaxed),
            credit: member.live.credit.load(Ordering::Relaxed),
        }
    }

    fn enter(
        &self,
        index: usize,
        persistence: Option<(&Persistence, &Arc<Records>)>,
        client: IpAddr,
        now: Instant,
    ) -> Option<MemberGuard> {
        let member = &self.members[index];
        if !member.live.connections.try_enter(member.config.connection_limit) {
            return None;
        }
        self.live.connections.try_enter(None);
        member.node.connections.try_enter(None);
        let hold = persistence.map(|(profile, records)| records.hold(profile, client, &member.key, now));
        Some(MemberGuard {
            member: Arc::clone(&member.live),
            pool: Arc::clone(&self.live),
            node: Arc::clone(&member.node),
            _hold: hold,
        })
    }
}

/// What a method may look at.
#[derive(Clone, Debug)]
struct Candidate {
    index: usize,
    connections: u32,
    node_connections: u32,
    ratio: u32,
    /// When it was last chosen; 0 is never.
    turn: u64,
    /// What the ratio method owes it, which it may change.
    credit: i64,
}

/// The reason that a user can do most about.
fn no_member(refusals: &[Refused]) -> NoMember {
    let any = |wanted: &[Refused]| refusals.iter().any(|refused| wanted.contains(refused));
    match () {
        () if refusals.is_empty() => NoMember::Empty,
        () if any(&[Refused::Limit, Refused::Unavailable]) => NoMember::Limit,
        () if any(&[Refused::Tried]) => NoMember::Tried,
        () if any(&[Refused::Down, Refused::Unresolved]) => NoMember::Down,
        () => NoMember::Disabled,
    }
}

#[cfg(test)]
mod tests;
