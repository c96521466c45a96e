//! What lives longer than a configuration: nodes, pools with their members, and persistence records, by name.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::elsewhere::{Elsewhere, MembersElsewhere};
use super::live_pool::LivePool;
use super::member::LiveMember;
use super::node::{LiveNode, Unresolved};
use super::persistence::{Records, SharedRecords, Sharing};
use super::queue::Turnstile;
use super::removed::Draining;
use crate::model::{self, Address, MemberKey, Name};

/// Everything that lives longer than a configuration, by name.
#[derive(Debug, Default)]
pub struct Registry {
    nodes: Mutex<HashMap<Name, Arc<LiveNode>>>,
    pools: Mutex<HashMap<Name, Arc<LivePool>>>,
    records: SharedRecords,
    turnstile: Arc<Turnstile>,
}

impl Registry {
    /// Returns the live node of that name, made when it is new.
    pub fn node(&self, node: &model::Node) -> Arc<LiveNode> {
        let made = || Arc::new(LiveNode::new(&self.turnstile));
        let live = Arc::clone(self.nodes.lock().entry(node.name.clone()).or_insert_with(made));
        match node.address {
            Address::Ip(address) => live.set_address(address),
            Address::Fqdn(ref fqdn) => live.set_fqdn(fqdn),
        }
        live
    }

    /// Returns whether a node has a name of which no address is known.
    pub fn needs_resolving(&self, node: &model::Node) -> bool {
        let Address::Fqdn(fqdn) = &node.address else { return false };
        !self.nodes.lock().get(&node.name).is_some_and(|live| live.is_resolved_as(fqdn))
    }

    /// Returns the nodes whose names do not resolve, in order.
    pub fn unresolved(&self) -> Vec<(Name, Arc<LiveNode>, Unresolved)> {
        let nodes = self.nodes.lock();
        let of_node =
            |(name, live): (&Name, &Arc<LiveNode>)| Some((name.clone(), Arc::clone(live), live.unresolved()?));
        let mut all: Vec<_> = nodes.iter().filter_map(of_node).collect();
        all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        all
    }

    /// Returns the live pool of that name, made when it is new.
    pub fn pool(&self, name: &Name) -> Arc<LivePool> {
        let mut pools = self.pools.lock();
        Arc::clone(pools.entry(name.clone()).or_insert_with(|| Arc::new(LivePool::new(name.clone(), &self.turnstile))))
    }

    /// Returns the members of all pools, with the names of those.
    pub fn members(&self) -> Vec<(Name, MemberKey, Arc<LiveMember>)> {
        let pools: Vec<_> = self.pools.lock().values().cloned().collect();
        let of_pool = |pool: Arc<LivePool>| {
            let name = pool.name.clone();
            pool.members().into_iter().map(move |(key, live)| (name.clone(), key, live))
        };
        pools.into_iter().flat_map(of_pool).collect()
    }

    /// Takes a persistence record that another process has kept, last used at `used`.
    pub fn begin_with_record(&self, sharing: &Sharing, client: IpAddr, member: &LiveMember, used: Instant) {
        self.records.of(sharing).begin_with(client, &member.target, used);
    }

    /// Returns the persistence records that are shared so, made when they are new.
    pub fn records(&self, sharing: &Sharing) -> Arc<Records> {
        self.records.of(sharing)
    }

    /// Returns all persistence records, by who shares them, in order.
    pub fn all_records(&self) -> Vec<(Sharing, Arc<Records>)> {
        self.records.all()
    }

    /// Removes the expired ones of a sixtieth of all persistence records, and as many of those that no virtual server
    /// has a use for since a reload: once a second, it gets to all of them within a minute. It takes less than a
    /// millisecond for each full table, and no lock is held for more than a small part of that.
    pub fn sweep_records(&self, now: Instant) {
        self.records.sweep(now);
    }

    /// Lets the first of each pool's queue try again, as when a new configuration may have room for it.
    pub fn wake(&self) {
        self.turnstile.wake();
    }

    /// Sets how many connections other processes have to each member, and so to its node.
    pub fn set_elsewhere(&self, members: &MembersElsewhere) {
        let mut nodes: HashMap<&Name, Elsewhere> = HashMap::new();
        for (key, elsewhere) in members.values().flatten() {
            nodes.entry(&key.node).or_default().add(*elsewhere);
        }
        let mut has_more_room = false;
        for (name, live) in &*self.nodes.lock() {
            has_more_room |= live.set_elsewhere(nodes.get(name).copied().unwrap_or_default());
        }
        let pools: Vec<_> = self.pools.lock().values().cloned().collect();
        for pool in pools {
            has_more_room |= pool.set_elsewhere(members.get(&pool.name));
        }
        if has_more_room {
            self.turnstile.wake();
        }
    }

    /// Forgets what the model does not name, but members that still have connections. Those keep what they hold.
    pub fn retain(&self, model: &model::Model, now: Instant) {
        // A node that is named again while connections drain must count them.
        let drains = |live: &LiveNode| live.connections.current() > 0;
        self.nodes.lock().retain(|name, live| {
            let is_named = model.nodes.contains_key(name);
            if !is_named {
                live.forget_unresolved();
            }
            is_named || drains(live)
        });
        self.records.retain(model);
        self.pools.lock().retain(|name, pool| {
            let config = model.pools.get(name);
            let wanted: HashSet<_> = config.iter().flat_map(|config| &config.members).map(|it| it.key()).collect();
            pool.retain_members(|key| wanted.contains(key), now);
            config.is_some() || !pool.removed.is_empty()
        });
    }

    /// Returns the members that reloads removed and that still have connections, by pool and name.
    pub fn draining(&self) -> Vec<Draining> {
        let mut all: Vec<_> = self.removed().into_iter().map(|(draining, _)| draining).collect();
        all.sort_by(|one, other| (&one.pool, &one.member).cmp(&(&other.pool, &other.member)));
        all
    }

    /// Takes the action on removed members whose drain time is over. Returns when the next one's is.
    pub fn act_on_removed(&self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (Draining { pool, member, connections, action }, live) in self.removed() {
            match action {
                Some((action, at)) if at <= now => {
                    let is_new = live.apply_service_down(action);
                    if is_new {
                        let action = action.as_str();
                        tracing::warn!(%pool, %member, connections, action, "a removed member's drain time is over");
                    }
                }
                Some((_, at)) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        next
    }

    fn removed(&self) -> Vec<(Draining, Arc<LiveMember>)> {
        let pools: Vec<_> = self.pools.lock().values().cloned().collect();
        let of_pool = |pool: &Arc<LivePool>| pool.removed.draining(&pool.name, **pool.shared.service_down.load());
        pools.iter().flat_map(of_pool).collect()
    }
}
