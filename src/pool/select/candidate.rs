//! A member that may be chosen, as the load-balancing methods see it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::model::Scope;
use crate::pool::member::Load;
use crate::pool::persisted_count::PersistedCount;
use crate::pool::pool::{Pool, PoolMember};

/// A member that may be chosen, as the methods see it: plain figures, taken at one moment.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its index in the pool.
    pub index: usize,
    pub of_member: Figures,
    /// Of all pools together.
    pub of_node: Figures,
    /// How much of its share it may have, above 0 and at most 1; less than 1 while it ramps up.
    pub ramp: f64,
    /// Persistence records that name it.
    pub sessions: u32,
    /// What it reported of its load, if that is fresh.
    pub load: Option<Load>,
    /// Connections that its node ever got.
    pub node_got: u64,
    /// Its ratio under the predictive methods.
    pub trend: u32,
}

/// What is known of a member, or of its node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub connections: u32,
    pub limit: Option<u32>,
    pub ratio: u32,
}

impl Candidate {
    pub(super) fn figures(&self, scope: Scope) -> Figures {
        match scope {
            Scope::Member => self.of_member,
            Scope::Node => self.of_node,
        }
    }
}

impl Pool {
    /// Takes the figures of a member as they are now.
    pub(super) fn candidate(&self, index: usize, now: Instant) -> Candidate {
        let PoolMember { config, live, node, .. } = &self.members[index];
        let counted = |connections: u32, persisted: &PersistedCount| {
            if self.config.ignore_persisted_weight {
                connections.saturating_sub(persisted.everywhere())
            } else {
                connections
            }
        };
        Candidate {
            index,
            of_member: Figures {
                connections: counted(live.connections.everywhere(), &live.counts.persisted),
                limit: config.connection_limit,
                ratio: config.ratio,
            },
            of_node: Figures {
                connections: counted(node.connections.everywhere(), &node.persisted),
                limit: config.node.connection_limit,
                ratio: config.node.ratio,
            },
            ramp: live.ramp.share(self.config.slow_ramp_time, now),
            sessions: live.records(),
            load: self.config.load_balancing_mode.needs_measurements().then(|| live.load(now)).flatten(),
            node_got: node.connections.total(),
            trend: live.turns.trend.load(Ordering::Relaxed),
        }
    }
}
