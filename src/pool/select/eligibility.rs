//! Who may be chosen: not what is down, disabled, draining, unresolved, tried already or at a limit.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::asker::Asker;
use super::no_member::NoMember;
use super::refusal::{DecidedBy, Refusal, Refused};
use crate::model::{AdminState, MemberKey};
use crate::pool::member::{Health, Suspicion, first_pause};
use crate::pool::pool::{Pool, PoolMember};

/// For whom a member is looked at.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool) struct Applicant<'a> {
    /// `None` is a client of whom nothing is known.
    client: Option<IpAddr>,
    tried: &'a [MemberKey],
    /// Whether persistence names the member.
    persistent: bool,
}

impl<'a> Applicant<'a> {
    pub(in crate::pool) const UNKNOWN: Self = Self { client: None, tried: &[], persistent: false };

    pub(super) fn of(asker: Asker<'a>) -> Self {
        Self { client: Some(asker.client), tried: asker.tried, persistent: false }
    }

    /// Returns the same, where persistence names the member.
    pub(in crate::pool) fn persistent(self) -> Self {
        Self { persistent: true, ..self }
    }
}

impl Pool {
    /// Returns why a member may not be chosen now, if so.
    pub(super) fn refusal(&self, index: usize, applicant: Applicant<'_>, now: Instant) -> Option<Refusal> {
        self.members[index].live.with_health(|health| self.refusal_in_health(index, health, applicant, now))
    }

    /// Returns the same of a member in this health.
    pub(super) fn refusal_in_health(
        &self,
        index: usize,
        health: &Arc<Health>,
        applicant: Applicant<'_>,
        now: Instant,
    ) -> Option<Refusal> {
        let why = self.refused_in_health(index, health, applicant, now)?;
        let by = match why {
            Refused::Down | Refused::Drains | Refused::Unavailable => Some(DecidedBy::Health(Arc::clone(health))),
            Refused::NoThread => self.members[index].live.all_threads_in_use(now).map(DecidedBy::Threads),
            // An administrator's state and a limit are reason enough by themselves.
            _ => None,
        };
        Some(Refusal { why, by })
    }

    /// Returns the same, without what it was decided by.
    pub(in crate::pool) fn refused_in_health(
        &self,
        index: usize,
        health: &Health,
        applicant: Applicant<'_>,
        now: Instant,
    ) -> Option<Refused> {
        let member = &self.members[index];
        let state = member.state();
        let by_health = match health {
            Health::Down(_) => Some(Refused::Down),
            // A member that drains opens no session, so persistence is no use to its client.
            Health::Disabled(_) => Some(Refused::Drains),
            Health::Unavailable(_) => Some(Refused::Unavailable),
            Health::Up | Health::Unknown => None,
        };
        match () {
            () if applicant.tried.contains(&member.key) => Some(Refused::Tried),
            () if state == AdminState::ForcedOffline => Some(Refused::Offline),
            () if state == AdminState::Disabled && !applicant.persistent => Some(Refused::Disabled),
            () if matches!(by_health, Some(Refused::Down | Refused::Drains)) => by_health,
            () if !member.node.is_resolved() => Some(Refused::Unresolved),
            () if by_health.is_some() => by_health,
            () => self.limit_reached(index, applicant.client, now),
        }
    }

    /// Returns why others are tried before a member, if so. When a while has passed, a connection may try it, unless it
    /// has waited for a member already.
    pub(super) fn suspicion(&self, index: usize, asker: Asker<'_>, now: Instant) -> Option<Arc<Suspicion>> {
        self.suspicion_of(index, self.members[index].live.suspicion(), asker, now)
    }

    /// Returns the same of a member of which this suspicion is known.
    pub(super) fn suspicion_of(
        &self,
        index: usize,
        suspicion: Option<Arc<Suspicion>>,
        asker: Asker<'_>,
        now: Instant,
    ) -> Option<Arc<Suspicion>> {
        let member = &self.members[index];
        if asker.avoided == Some(&member.key) {
            return Some(suspicion.unwrap_or_else(|| Arc::new(Suspicion::of_one_session(now))));
        }
        let suspicion = suspicion?;
        let has_waited = !asker.tried.is_empty() || asker.avoided.is_some();
        let is_due = !has_waited && self.try_at(&suspicion).is_some_and(|at| at <= now);
        (!is_due).then_some(suspicion)
    }

    /// Returns when a connection may try a suspect member.
    pub(super) fn try_at(&self, suspicion: &Suspicion) -> Option<Instant> {
        suspicion.try_at(first_pause(self.config.monitors.all.iter().map(|monitor| &**monitor)))
    }

    /// Returns whether a member that is not suspect can be chosen for this connection now.
    pub fn has_unsuspected(&self, asker: Asker<'_>, now: Instant) -> bool {
        let applicant = Applicant::of(asker);
        let is_good = |index: usize| {
            let PoolMember { key, live, .. } = &self.members[index];
            let is_suspect = asker.avoided == Some(key) || live.suspicion().is_some();
            !is_suspect && self.refusal(index, applicant, now).is_none()
        };
        (0..self.members.len()).any(is_good)
    }

    /// Returns the reason, if fewer members are up than the pool must have (`min-up-members`).
    pub(in crate::pool) fn too_few_up(&self) -> Option<NoMember> {
        let needed = self.config.min_up_members;
        let is_up = |member: &&PoolMember| member.is_up(member.live.with_health(|health| health.is_down()));
        // No more are counted than must be up.
        let up = self.members.iter().filter(is_up).take(needed as usize).count() as u32;
        (up < needed).then_some(NoMember::TooFew { up, needed })
    }
}
