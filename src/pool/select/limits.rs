//! Limits: on connections, on their rate, on those being set up, and on a member's own service threads.

use std::net::IpAddr;
use std::time::Instant;

use super::no_member::Busy;
use super::refusal::Refused;
use crate::pool::member::SetupRoom;
use crate::pool::pool::Pool;

impl Pool {
    /// Returns the limit that a member or its node has reached for a client, if any.
    pub(super) fn limit_reached(&self, index: usize, client: Option<IpAddr>, now: Instant) -> Option<Refused> {
        let member = &self.members[index];
        let node = &member.config.node;
        let is_full = |current: u32, limit: Option<u32>| limit.is_some_and(|limit| current >= limit);
        let setup = || self.setup_room(index, client, now);
        match () {
            () if member.live.all_threads_in_use(now).is_some() => Some(Refused::NoThread),
            () if is_full(member.node.connections.everywhere(), node.connection_limit) => Some(Refused::NodeLimit),
            () if member.node.rate.next(node.rate_limit, now).is_some() => Some(Refused::NodeRate),
            () if member.live.counts.rate.next(member.config.rate_limit, now).is_some() => Some(Refused::Rate),
            () if setup() == SetupRoom::Taken => Some(Refused::Setup),
            () if setup() == SetupRoom::TakenByClient => Some(Refused::SetupOfClient),
            // The last, as persistence may waive it.
            () if is_full(member.live.connections.everywhere(), member.config.connection_limit) => Some(Refused::Limit),
            () => None,
        }
    }

    /// Returns whether a connection of a client may be set up with a member, while members are spared.
    fn setup_room(&self, index: usize, client: Option<IpAddr>, now: Instant) -> SetupRoom {
        match self.config.pacing.setup_limit.filter(|_| self.paced_until(now).is_some()) {
            Some(limit) => self.members[index].live.counts.setups.room(client, limit),
            None => SetupRoom::Free,
        }
    }

    /// Returns whether it depends on who asks whether a connection may be set up with a member.
    pub(super) fn room_depends_on_client(&self, index: usize, now: Instant) -> bool {
        let limit = self.config.pacing.setup_limit.filter(|_| self.paced_until(now).is_some());
        limit.is_some_and(|limit| self.members[index].live.counts.setups.room_depends_on_client(limit))
    }

    /// Returns until when members are spared because one of them was lost (`pacing`).
    pub fn paced_until(&self, now: Instant) -> Option<Instant> {
        self.config.pacing.setup_limit?;
        let until = self.live.shared.last_loss.get()?.checked_add(self.config.pacing.time)?;
        (now < until).then_some(until)
    }

    /// Returns when a connection that no member can take should try again, where nothing else will wake it.
    pub fn retry_at(&self, busy: Busy, now: Instant) -> Option<Instant> {
        let paced = self.paced_until(now).filter(|_| busy.setup);
        let rates = self.members.iter().filter(|_| busy.rate).flat_map(|member| {
            let of_node = member.node.rate.next(member.config.node.rate_limit, now);
            [of_node, member.live.counts.rate.next(member.config.rate_limit, now)]
        });
        // What a member reports of its service threads holds for a while, and nothing wakes when that is over.
        let stale =
            self.members.iter().filter(|_| busy.limit).filter_map(|member| member.live.threads_in_use_until(now));
        let suspects = self.members.iter().filter(|_| busy.suspect).filter_map(|member| member.live.suspicion());
        // One that may be tried already was refused for another reason too, and time does not change that.
        let tries = suspects.filter_map(|suspicion| self.try_at(&suspicion)).filter(|at| *at > now);
        let next = rates.flatten().chain(paced).chain(stale).chain(tries).min();
        // What held the connection up may have gone between the choice and this question.
        next.or_else(|| (busy.rate || busy.setup).then_some(now))
    }
}
