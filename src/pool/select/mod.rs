//! The choice of a member: who may be chosen at all, then persistence, then priority groups and the method, then the
//! count, in one step.

mod arrival;
mod candidate;
mod decision;
mod explain;
mod methods;
mod persisted;
mod refusal;
mod turns;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::live::{LiveMember, LiveNode, LivePool};
use super::persistence::{PersistenceHold, Sticky};
use super::queue::Waiting;
use super::removed::ServiceDown;
use crate::model::{self, AdminState, LoadBalancing, MemberKey};
use crate::stats::Connections;
use candidate::{Candidate, Figures};
use decision::{Decision, Persisted, Rules};
use persisted::Said;
use refusal::Refusal;

pub use arrival::Arrival;
pub use explain::Step;
pub(super) use explain::instead;
pub(super) use refusal::Refused;
pub use refusal::{Busy, NoMember};

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

/// Who wants a member.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub client: IpAddr,
    /// Asked in this order.
    pub persistence: &'a [Sticky],
    /// Members that failed this connection already, be it in another pool or configuration.
    pub tried: &'a [MemberKey],
}

/// A chosen member.
#[derive(Debug)]
pub struct Choice {
    /// Its place in [`Pool::members`].
    pub index: usize,
    pub guard: MemberGuard,
    pub setup: SetupGuard,
    /// Whether persistence led here.
    pub persisted: bool,
}

/// Counts one connection to a member, its pool and its node for as long as it lives.
#[derive(Debug)]
pub struct MemberGuard {
    pub member: Arc<LiveMember>,
    pub pool: Arc<LivePool>,
    node: Arc<LiveNode>,
    persisted: bool,
    _holds: Vec<PersistenceHold>,
}

impl Drop for MemberGuard {
    fn drop(&mut self) {
        self.member.connections.leave();
        self.pool.connections.leave();
        self.node.connections.leave();
        if self.persisted {
            for count in [&self.member.persisted, &self.node.persisted] {
                count.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.pool.turnstile.wake();
    }
}

/// Counts one connection that a member has not answered yet.
#[derive(Debug)]
pub struct SetupGuard {
    member: Arc<LiveMember>,
    pool: Arc<LivePool>,
}

impl SetupGuard {
    /// After this long a connection counts as set up, answered or not: it may be one that says nothing for its client's
    /// sake, and others must not wait for that.
    pub const LONGEST: Duration = Duration::from_secs(5);
}

impl Drop for SetupGuard {
    fn drop(&mut self) {
        self.member.setups.fetch_sub(1, Ordering::AcqRel);
        self.pool.turnstile.wake();
    }
}

impl Pool {
    /// Joins a pool's configuration with the live state that `registry` keeps for it.
    pub fn join(config: &Arc<model::Pool>, registry: &super::Registry, now: Instant) -> Self {
        let live = registry.pool(&config.name);
        let service_down = ServiceDown { action: config.service_down_action, drain_time: config.drain_time };
        live.service_down.store(Arc::new(service_down));
        let members = config.members.iter().map(|member| {
            let key = member.key();
            let live = live.member(&key, now);
            live.watch(config.monitors.iter().map(|monitor| monitor.name.clone()), config.monitors_needed);
            let member = PoolMember { live, node: registry.node(&member.node), config: Arc::clone(member), key };
            member.live.enable(member.state() == AdminState::Enabled, now);
            member
        });
        let members = members.collect();
        Self { config: Arc::clone(config), live, members }
    }

    /// Chooses a member for a connection that comes, or makes it wait: the connection that an explanation explains.
    pub fn arrive(&self, asker: Asker<'_>, now: Instant) -> Arrival<Choice, Waiting> {
        let mut turn = self.live.turnstile.lock();
        let choose = || self.choose_at(&mut turn, asker, now);
        Arrival::decide(self.config.queue, self.live.ahead(), choose, || self.queue())
    }

    /// Whether some member may be chosen now by a client of whom nothing is recorded. It puts nothing into words, as
    /// it may be asked for each connection.
    pub fn has_choice(&self, now: Instant) -> bool {
        self.too_few_up().is_none()
            && (0..self.members.len()).any(|index| self.refusal(index, &[], false, now).is_none())
    }

    /// Chooses a member and counts the connection, whoever else waits: the one that persistence names while it may be
    /// used, else the one that the method prefers.
    ///
    /// # Errors
    /// Why every member was passed over.
    pub fn choose(&self, asker: Asker<'_>, now: Instant) -> Result<Choice, NoMember> {
        self.choose_at(&mut self.live.turnstile.lock(), asker, now)
    }

    /// Joins the end of the queue; `None` when it is full.
    pub fn queue(&self) -> Option<Waiting> {
        self.live.queue.enter(self.config.queue.depth)
    }

    fn choose_at(&self, turn: &mut u64, asker: Asker<'_>, now: Instant) -> Result<Choice, NoMember> {
        let decision = self.decide(asker, now, &mut |_, _| ());
        self.note_blindness(&decision);
        let index = decision.chosen?;
        let persisted = decision.persisted.is_some();
        let (guard, setup) =
            self.enter(index, asker, persisted, now).ok_or(NoMember::Busy(Busy { limit: true, ..Busy::default() }))?;
        *turn += 1;
        for candidate in &decision.candidates {
            self.members[candidate.index].live.credit.store(candidate.credit, Ordering::Relaxed);
        }
        self.members[index].live.turn.store(*turn, Ordering::Relaxed);
        Ok(Choice { index, guard, setup, persisted })
    }

    /// Decides by what every member is now, under the turnstile's lock; `said` is told what persistence has to say.
    fn decide(&self, asker: Asker<'_>, now: Instant, said: &mut impl FnMut(&Sticky, Said<'_>)) -> Decision {
        self.take_trends(now);
        if let Some(too_few) = self.too_few_up() {
            let (candidates, refused, standing_by) = (Vec::new(), Vec::new(), Vec::new());
            let chosen = Err(too_few);
            return Decision {
                candidates,
                refused,
                standing_by,
                lowest_group: None,
                persisted: None,
                is_blind: false,
                chosen,
            };
        }
        let (mut candidates, mut refused) = (Vec::with_capacity(self.members.len()), Vec::new());
        for index in 0..self.members.len() {
            match self.refusal(index, asker.tried, false, now) {
                Some(why) => refused.push((index, why)),
                None => candidates.push(self.candidate(index, now)),
            }
        }
        let rules = Rules {
            method: self.config.load_balancing_mode,
            min_active_members: self.config.min_active_members,
            ignore_persisted_weight: self.config.ignore_persisted_weight,
        };
        decision::decide(rules, candidates, refused, |candidates, refused| {
            self.persisted(asker, candidates, refused, now, said)
        })
    }

    /// Until when members are spared because one of them was lost.
    pub fn paced_until(&self, now: Instant) -> Option<Instant> {
        self.config.pacing.setup_limit?;
        let until = self.live.last_loss()?.checked_add(self.config.pacing.time)?;
        (now < until).then_some(until)
    }

    /// When a connection that nobody can take should ask again, where nothing else will wake it.
    pub fn retry_at(&self, busy: Busy, now: Instant) -> Option<Instant> {
        let paced = self.paced_until(now).filter(|_| busy.setup);
        let rates = self.members.iter().filter(|_| busy.rate).flat_map(|member| {
            let of_node = member.node.rate.next(member.config.node.rate_limit, now);
            [of_node, member.live.rate.next(member.config.rate_limit, now)]
        });
        // What a member says of its service threads holds for a while, and nothing wakes when that is over.
        let stale = self.members.iter().filter(|_| busy.limit).filter_map(|member| member.live.full_until(now));
        let next = rates.flatten().chain(paced).chain(stale).min();
        // What held the connection up may have gone between the choice and this question.
        next.or_else(|| (busy.rate || busy.setup).then_some(now))
    }

    /// Whether fewer members are up than the pool must have.
    pub(super) fn too_few_up(&self) -> Option<NoMember> {
        let needed = self.config.min_up_members;
        if needed == 0 {
            return None;
        }
        let is_up = |member: &&PoolMember| {
            member.state() != AdminState::ForcedOffline
                && member.node.is_resolved()
                && !member.live.with_health(|health| health.is_down())
        };
        let up = self.members.iter().filter(is_up).count() as u32;
        (up < needed).then_some(NoMember::TooFew { up, needed })
    }

    fn candidate(&self, index: usize, now: Instant) -> Candidate {
        let PoolMember { config, live, node, .. } = &self.members[index];
        let counted = |connections: u32, persisted: &AtomicU32| match self.config.ignore_persisted_weight {
            true => connections.saturating_sub(persisted.load(Ordering::Relaxed)),
            false => connections,
        };
        Candidate {
            index,
            of_member: Figures {
                connections: counted(live.connections.current(), &live.persisted),
                limit: config.connection_limit,
                ratio: config.ratio,
            },
            of_node: Figures {
                connections: counted(node.connections.current(), &node.persisted),
                limit: config.node.connection_limit,
                ratio: config.node.ratio,
            },
            priority_group: config.priority_group,
            ramp: methods::ramp(live.ramp_since.get(), self.config.slow_ramp_time, now),
            sessions: live.place.records(),
            load: self.config.load_balancing_mode.needs_measurements().then(|| live.load(now)).flatten(),
            node_got: node.connections.total(),
            trend: live.trend.load(Ordering::Relaxed),
            turn: live.turn.load(Ordering::Relaxed),
            credit: live.credit.load(Ordering::Relaxed),
        }
    }

    /// Looks, each second, how every member's connections have changed.
    fn take_trends(&self, now: Instant) {
        let LoadBalancing::Predictive(scope) = self.config.load_balancing_mode else { return };
        let taken = self.live.trends_taken.get();
        if taken.is_some_and(|taken| now.saturating_duration_since(taken) < Duration::from_secs(1)) {
            return;
        }
        self.live.trends_taken.set(now);
        for PoolMember { live, node, .. } in &self.members {
            let connections = match scope {
                model::Scope::Member => live.connections.current(),
                model::Scope::Node => node.connections.current(),
            };
            let before = live.trend_connections.swap(connections, Ordering::Relaxed);
            let trend = live.trend.load(Ordering::Relaxed);
            let before = if trend == 0 { connections } else { before };
            live.trend.store(methods::trend(trend, before, connections), Ordering::Relaxed);
        }
    }

    /// Logs when the method has nothing fresh to go by, and when it has again.
    fn note_blindness(&self, decision: &Decision) {
        if decision.candidates.is_empty()
            || self.live.is_blind.swap(decision.is_blind, Ordering::Relaxed) == decision.is_blind
        {
            return;
        }
        let (pool, method) = (&self.config.name, self.config.load_balancing_mode.as_str());
        if decision.is_blind {
            let silent = decision.candidates.iter().find(|candidate| candidate.load.is_none());
            let member = silent.map(|candidate| self.members[candidate.index].key.to_string());
            tracing::warn!(%pool, method, member, "no fresh measurement of a member; {}", instead(self.config.load_balancing_mode));
        } else {
            tracing::info!(%pool, method, "every member is measured again");
        }
    }

    fn enter(
        &self,
        index: usize,
        asker: Asker<'_>,
        persisted: bool,
        now: Instant,
    ) -> Option<(MemberGuard, SetupGuard)> {
        let PoolMember { config, live, node, .. } = &self.members[index];
        let waived = persisted && asker.persistence.iter().any(|sticky| sticky.profile.override_connection_limit);
        let limit = config.connection_limit.filter(|_| !waived);
        if !Connections::try_enter_both((&live.connections, limit), (&node.connections, config.node.connection_limit)) {
            return None;
        }
        // The limits on rates were looked at under the same lock.
        live.rate.try_enter(config.rate_limit, now);
        node.rate.try_enter(config.node.rate_limit, now);
        self.live.connections.try_enter(None);
        if persisted {
            live.persisted.fetch_add(1, Ordering::Relaxed);
            node.persisted.fetch_add(1, Ordering::Relaxed);
        }
        live.setups.fetch_add(1, Ordering::AcqRel);
        let holds = asker
            .persistence
            .iter()
            .filter_map(|sticky| sticky.records.as_ref()?.hold(&sticky.profile, asker.client, &live.place, now));
        let guard = MemberGuard {
            _holds: holds.collect(),
            member: Arc::clone(live),
            pool: Arc::clone(&self.live),
            node: Arc::clone(node),
            persisted,
        };
        Some((guard, SetupGuard { member: Arc::clone(live), pool: Arc::clone(&self.live) }))
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
