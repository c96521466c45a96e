//! Guards: each counts a connection in, and counts it out when it is dropped. That wakes those who wait in a queue.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::live_pool::LivePool;
use super::marks::Changed;
use super::member::LiveMember;
use super::node::LiveNode;
use super::persistence::PersistenceHold;
use super::pool::PoolMember;
use crate::stats::Connections;

/// Counts one connection to a member, its pool and its node for as long as it lives.
#[derive(Debug)]
pub struct MemberGuard {
    pub member: Arc<LiveMember>,
    pub pool: Arc<LivePool>,
    node: Arc<LiveNode>,
    persisted: bool,
    holds: Box<[PersistenceHold]>,
}

impl MemberGuard {
    /// Counts one connection in, unless the member or its node is at its connection limit. The member's limit may be
    /// waived. The limits on rates were looked at under the same lock, so they are not looked at again. Marking the
    /// change is the caller's.
    pub(super) fn enter(
        pool: &Arc<LivePool>,
        member: &PoolMember,
        waives_limit: bool,
        persisted: bool,
        now: Instant,
    ) -> Option<Self> {
        let PoolMember { config, live, node, .. } = member;
        let limit = config.connection_limit.filter(|_| !waives_limit);
        if !Connections::try_enter_both((&live.connections, limit), (&node.connections, config.node.connection_limit)) {
            return None;
        }
        live.counts.rate.try_enter(config.rate_limit, now);
        node.rate.try_enter(config.node.rate_limit, now);
        pool.connections.try_enter(None);
        if persisted {
            live.counts.persisted.enter();
            node.persisted.enter();
        }
        Some(Self {
            member: Arc::clone(live),
            pool: Arc::clone(pool),
            node: Arc::clone(node),
            persisted,
            holds: Box::default(),
        })
    }

    /// Keeps persistence records from expiring for as long as the connection lives.
    pub(super) fn hold(&mut self, holds: impl Iterator<Item = PersistenceHold>) {
        self.holds = holds.collect();
    }
}

impl Drop for MemberGuard {
    fn drop(&mut self) {
        self.member.connections.leave();
        self.pool.connections.leave();
        self.node.connections.leave();
        if self.persisted {
            self.member.counts.persisted.leave();
            self.node.persisted.leave();
        }
        let changed = Changed::now();
        // This marks the member too.
        self.node.mark(changed);
        self.pool.shared.turnstile.wake_after(changed);
    }
}

/// Counts one connection of a client that a member has not answered yet.
#[derive(Debug)]
pub struct SetupGuard {
    client: IpAddr,
    member: Arc<LiveMember>,
    pool: Arc<LivePool>,
}

impl SetupGuard {
    /// After this long a connection counts as set up, answered or not: it may be one that sends nothing for its
    /// client's sake, and others must not wait for that.
    pub const LONGEST: Duration = Duration::from_secs(5);

    pub(super) fn enter(pool: &Arc<LivePool>, member: &Arc<LiveMember>, client: IpAddr) -> Self {
        member.counts.setups.enter(client);
        Self { client, member: Arc::clone(member), pool: Arc::clone(pool) }
    }
}

impl Drop for SetupGuard {
    fn drop(&mut self) {
        self.member.counts.setups.leave(self.client);
        let changed = Changed::now();
        self.member.target.mark(changed);
        self.pool.shared.turnstile.wake_after(changed);
    }
}
