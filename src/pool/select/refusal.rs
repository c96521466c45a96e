//! Who may not be chosen, and why.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Pool;
use crate::model::{AdminState, MemberKey, Queueing};
use crate::pool::health::Health;

/// Why a member is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It failed this connection already.
    Tried,
    /// Forced offline by an administrator.
    Offline,
    /// Disabled by an administrator.
    Disabled,
    /// Draining by its own account.
    Drains,
    Down,
    /// Its name does not resolve.
    Unresolved,
    /// Full by its own account, as a monitor says.
    Unavailable,
    /// All of its service threads are in use.
    NoThread {
        threads: u64,
    },
    /// At its own connection limit.
    Limit,
    /// Its node is at its connection limit.
    NodeLimit,
    /// It got as many connections within a second as it may.
    Rate,
    NodeRate,
    /// As many connections as may be are set up with it, while members are spared.
    Setup,
}

impl Refused {
    /// In words that fit "it …".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tried => "failed this connection already",
            Self::Offline => "is forced offline",
            Self::Disabled => "is disabled, and takes no new connection",
            Self::Drains => "drains by its own account, and takes no new connection",
            Self::Down => "is down",
            Self::Unresolved => "has a name that does not resolve",
            Self::Unavailable | Self::NoThread { .. } => "is full by its own account",
            Self::Limit => "is at its connection limit",
            Self::NodeLimit => "is on a node at its connection limit",
            Self::Rate => "is at its rate limit",
            Self::NodeRate => "is on a node at its rate limit",
            Self::Setup => "has as many connections being set up as it may while members are spared after a loss",
        }
    }
}

/// Why a member is passed over, with what that was judged by: by the time that somebody asks, its health may be
/// another.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub why: Refused,
    /// Its health, where that is why.
    pub health: Option<Arc<Health>>,
}

/// Why no member could be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMember {
    /// The pool has no members.
    Empty,
    /// Fewer members are up than `min-up-members`.
    TooFew { up: u32, needed: u32 },
    /// Every member that is left is down, or its name does not resolve.
    Down,
    /// Every member that is left is disabled or forced offline.
    Disabled,
    /// Some members could take the connection later.
    Busy(Busy),
    /// Every member was tried and none could be connected to.
    Tried,
}

/// What holds members up that could take a connection later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// A limit on connections, of pronk's or of the member's own.
    pub limit: bool,
    /// A limit on connections in a second.
    pub rate: bool,
    /// The limit on connections being set up.
    pub setup: bool,
}

impl NoMember {
    /// The reason that a user can do most about.
    pub(super) fn of(refused: &[(usize, Refusal)]) -> Self {
        let (mut busy, mut tried, mut down) = (Busy::default(), false, false);
        for (_, refusal) in refused {
            match refusal.why {
                Refused::Limit | Refused::NodeLimit | Refused::Unavailable | Refused::NoThread { .. } => {
                    busy.limit = true;
                }
                Refused::Rate | Refused::NodeRate => busy.rate = true,
                Refused::Setup => busy.setup = true,
                Refused::Tried => tried = true,
                Refused::Down | Refused::Unresolved => down = true,
                Refused::Disabled | Refused::Drains | Refused::Offline => {}
            }
        }
        match () {
            () if refused.is_empty() => Self::Empty,
            () if busy != Busy::default() => Self::Busy(busy),
            () if tried => Self::Tried,
            () if down => Self::Down,
            () => Self::Disabled,
        }
    }

    /// Whether the connection may wait for a member: always for its turn to be set up, at a limit where the pool
    /// queues.
    pub fn may_wait(self, queueing: Queueing) -> bool {
        match self {
            Self::Busy(busy) => busy.setup || queueing.on_connection_limit,
            _ => false,
        }
    }
}

impl Pool {
    /// Why a member may not be chosen now, if so. `persistent` tells that persistence names it.
    pub(super) fn refusal(&self, index: usize, tried: &[MemberKey], persistent: bool, now: Instant) -> Option<Refusal> {
        self.members[index].live.with_health(|health| {
            let why = self.judge(index, health, tried, persistent, now)?;
            // An administrator's state and a limit say enough by themselves.
            let by_health = matches!(why, Refused::Down | Refused::Drains | Refused::Unavailable);
            Some(Refusal { why, health: by_health.then(|| Arc::clone(health)) })
        })
    }

    /// As [`refusal`](Self::refusal), of a member in this health.
    pub(in crate::pool) fn judge(
        &self,
        index: usize,
        health: &Health,
        tried: &[MemberKey],
        persistent: bool,
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
            () if tried.contains(&member.key) => Some(Refused::Tried),
            () if state == AdminState::ForcedOffline => Some(Refused::Offline),
            () if state == AdminState::Disabled && !persistent => Some(Refused::Disabled),
            () if matches!(by_health, Some(Refused::Down | Refused::Drains)) => by_health,
            () if !member.node.is_resolved() => Some(Refused::Unresolved),
            () if by_health.is_some() => by_health,
            () => self.limit_reached(index, now),
        }
    }

    fn limit_reached(&self, index: usize, now: Instant) -> Option<Refused> {
        let member = &self.members[index];
        let node = &member.config.node;
        let is_full = |current: u32, limit: Option<u32>| limit.is_some_and(|limit| current >= limit);
        if let Some(threads) = member.live.full(now) {
            return Some(Refused::NoThread { threads });
        }
        match () {
            () if is_full(member.node.connections.current(), node.connection_limit) => Some(Refused::NodeLimit),
            () if member.node.rate.next(node.rate_limit, now).is_some() => Some(Refused::NodeRate),
            () if member.live.rate.next(member.config.rate_limit, now).is_some() => Some(Refused::Rate),
            () if self.paced_until(now).is_some()
                && is_full(member.live.setups.load(Ordering::Acquire), self.config.pacing.setup_limit) =>
            {
                Some(Refused::Setup)
            }
            // The last, as persistence may waive it.
            () if is_full(member.live.connections.current(), member.config.connection_limit) => Some(Refused::Limit),
            () => None,
        }
    }
}
