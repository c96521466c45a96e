//! Choosing a member and counting the connection, in one step; or a position in the queue.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::arrival::Arrival;
use super::asker::Asker;
use super::by_persistence::Lookup;
use super::decision::{self, Decision, Policy};
use super::eligibility::Applicant;
use super::methods::instead;
use super::no_member::{Busy, NoMember};
use super::refusal::DecidedBy;
use super::standings::Standings;
use crate::pool::count_guards::{MemberGuard, SetupGuard};
use crate::pool::marks::Changed;
use crate::pool::persistence::Sticky;
use crate::pool::pool::Pool;
use crate::pool::queue::QueuePosition;

/// A chosen member.
#[derive(Debug)]
pub struct Choice {
    /// Its index in [`Pool::members`].
    pub index: usize,
    pub guard: MemberGuard,
    pub setup: SetupGuard,
    /// Whether persistence led here.
    pub persisted: bool,
}

impl Pool {
    /// Chooses a member for a connection that arrives, or makes it wait: the connection that an explanation explains.
    pub fn arrive(&self, asker: Asker<'_>, now: Instant) -> Arrival<Choice, QueuePosition> {
        let mut turn = self.live.shared.turnstile.lock();
        let choose = || self.choose_at(&mut turn, asker, self.config.queue.has_room(self.live.queued()), now);
        Arrival::decide(self.config.queue, self.live.ahead(), choose, || self.queue(asker.client))
    }

    /// Returns whether some member may be chosen now by a client of whom nothing is recorded. It puts nothing into
    /// words, as it may be asked for each connection.
    pub fn has_choice(&self, now: Instant) -> bool {
        self.too_few_up().is_none()
            && (0..self.members.len()).any(|index| self.refusal(index, Applicant::UNKNOWN, now).is_none())
    }

    /// Chooses a member for a connection that waits and counts it, whoever else waits: the one that persistence names while it may be
    /// used, else the one that the method prefers.
    ///
    /// # Errors
    /// Why every member was passed over.
    pub fn choose(&self, asker: Asker<'_>, now: Instant) -> Result<Choice, NoMember> {
        self.choose_at(&mut self.live.shared.turnstile.lock(), asker, true, now)
    }

    /// Lets a client's connection join the end of the queue; returns `None` when it is full.
    pub fn queue(&self, client: IpAddr) -> Option<QueuePosition> {
        self.live.queue.enter(client, self.config.queue.depth)
    }

    /// `has_room` is whether the connection may join the queue, or is in it.
    fn choose_at(&self, turn: &mut u64, asker: Asker<'_>, has_room: bool, now: Instant) -> Result<Choice, NoMember> {
        let mut table = self.live.standings.lock();
        self.look(&mut table, asker, now, false, |_, _| ());
        let decision = self.decide(&table, asker, has_room, now, &|_| None, &mut |_, _| ());
        self.log_lack_of_measurements(&decision);
        let index = decision.chosen?;
        let persisted = decision.persisted.is_some();
        let (guard, setup) = self
            .enter(index, asker, persisted, now, Changed::in_turn(turn))
            .ok_or_else(|| NoMember::Busy(Busy { limit: true, ..Busy::default() }))?;
        self.members[index].live.record_try(now);
        *turn += 1;
        if decision.takes_turn {
            decision.preference.charge(table.rows_mut(), |row| decision.rule.has(&row.view), index);
        }
        table.rows_mut()[index].turn = *turn;
        Ok(Choice { index, guard, setup, persisted })
    }

    /// Decides by the table. `reasons` knows what refusals were decided by; what persistence finds goes to `report`.
    pub(super) fn decide(
        &self,
        table: &Standings,
        asker: Asker<'_>,
        has_room: bool,
        now: Instant,
        reasons: &dyn Fn(usize) -> Option<DecidedBy>,
        report: &mut impl FnMut(&Sticky, Lookup<'_>),
    ) -> Decision {
        let policy = Policy {
            method: self.config.load_balancing_mode,
            min_up_members: self.config.min_up_members,
            min_active_members: self.config.min_active_members,
            ignore_persisted_weight: self.config.ignore_persisted_weight,
            queueing: self.config.queue,
            has_room,
        };
        decision::decide(policy, table, |serving| self.persisted(asker, serving, reasons, now, report))
    }

    fn enter(
        &self,
        index: usize,
        asker: Asker<'_>,
        persisted: bool,
        now: Instant,
        changed: Changed,
    ) -> Option<(MemberGuard, SetupGuard)> {
        let member = &self.members[index];
        let waives_limit = persisted && asker.persistence.iter().any(|sticky| sticky.profile.override_connection_limit);
        let mut guard = MemberGuard::enter(&self.live, member, waives_limit, persisted, now)?;
        let setup = SetupGuard::enter(&self.live, &member.live, asker.client);
        member.node.mark(changed);
        guard.hold(asker.persistence.iter().filter_map(|sticky| {
            sticky.records.as_ref()?.hold(&sticky.profile, asker.client, &member.live.target, now)
        }));
        Some((guard, setup))
    }

    /// Logs when the method lacks fresh measurements, and when it has them again.
    fn log_lack_of_measurements(&self, decision: &Decision) {
        let lacks = decision.unmeasured.is_some();
        if !decision.anybody_serves || self.live.lacks_measurements.swap(lacks, Ordering::Relaxed) == lacks {
            return;
        }
        let method = self.config.load_balancing_mode;
        let (pool, instead, method) = (&self.config.name, instead(method), method.as_str());
        if lacks {
            let member = decision.unmeasured.map(|index| self.members[index].key.to_string());
            tracing::warn!(%pool, method, member, "no fresh measurement of a member; {instead}");
        } else {
            tracing::info!(%pool, method, "every member is measured again");
        }
    }
}
