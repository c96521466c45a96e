//! A pool and its members as one configuration describes them, joined with their live state.

use std::sync::Arc;
use std::time::Instant;

use super::live_pool::LivePool;
use super::marks::Changed;
use super::member::LiveMember;
use super::node::LiveNode;
use super::registry::Registry;
use super::service_down::ServiceDown;
use super::set_by::set_by_in_words;
use crate::model::{self, AdminState, MemberKey};

/// A pool as one configuration describes it, joined with its live state.
#[derive(Debug)]
pub struct Pool {
    pub config: Arc<model::Pool>,
    pub live: Arc<LivePool>,
    pub members: Vec<PoolMember>,
    /// The live ones, in the same order, for the table of choices.
    pub(super) live_members: Arc<[Arc<LiveMember>]>,
}

/// A member as one configuration describes it, joined with its live state.
#[derive(Debug)]
pub struct PoolMember {
    pub key: MemberKey,
    pub config: Arc<model::Member>,
    pub live: Arc<LiveMember>,
    pub node: Arc<LiveNode>,
}

impl Pool {
    /// Joins a pool's configuration with the live state that `registry` keeps for it.
    pub fn join(config: &Arc<model::Pool>, registry: &Registry, now: Instant) -> Self {
        let live = registry.pool(&config.name);
        let service_down = ServiceDown { action: config.service_down_action, drain_time: config.drain_time };
        live.shared.service_down.store(Arc::new(service_down));
        let members = config.members.iter().map(|member| {
            let key = member.key();
            let live = live.member(&key, now);
            live.set_monitors(config.monitors.all.iter().map(|monitor| monitor.name.clone()), config.monitors.needed);
            let member = PoolMember { live, node: registry.node(&member.node), config: Arc::clone(member), key };
            member.live.ramp.set_enabled(member.state() == AdminState::Enabled, now);
            // For choices that still go by the configuration before.
            member.live.target.mark(Changed::now());
            member
        });
        let members: Vec<_> = members.collect();
        let live_members = members.iter().map(|member| Arc::clone(&member.live)).collect();
        Self { config: Arc::clone(config), live, members, live_members }
    }
}

impl PoolMember {
    /// Returns the administrative state that counts: the stricter of the member's and its node's.
    pub fn state(&self) -> AdminState {
        match (self.config.state, self.config.node.state) {
            (AdminState::ForcedOffline, _) | (_, AdminState::ForcedOffline) => AdminState::ForcedOffline,
            (AdminState::Disabled, _) | (_, AdminState::Disabled) => AdminState::Disabled,
            _ => AdminState::Enabled,
        }
    }

    /// Returns whether the member counts for `min-up-members`, given whether its monitors find it down.
    pub(super) fn is_up(&self, is_down: bool) -> bool {
        self.state() != AdminState::ForcedOffline && self.node.is_resolved() && !is_down
    }

    /// Returns in words whose administrative state that is, and which.
    pub(super) fn state_in_words(&self) -> String {
        let state = self.state();
        let (whose, set_by) = match () {
            () if self.config.state == state => ("the member", &self.config.state_set_by),
            () => ("the node", &self.config.node.state_set_by),
        };
        format!("{whose} is {}{}", state.as_str(), set_by_in_words(set_by.as_ref()))
    }
}
