use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::broadcast;

use super::health::{Health, Verdict, Verdicts};
use super::measurement::Measurement;
use super::persistence::Records;
use crate::model::{self, Address, MemberKey, Name};
use crate::stats::{Connections, Traffic};

/// Everything that lives longer than a configuration, by name.
#[derive(Debug, Default)]
pub struct Registry {
    nodes: Mutex<HashMap<Name, Arc<LiveNode>>>,
    pools: Mutex<HashMap<Name, Arc<LivePool>>>,
    records: Mutex<HashMap<Name, Arc<Records>>>,
    turns: Arc<Turns>,
}

impl Registry {
    /// The live node of that name, made when it is new.
    pub fn node(&self, node: &model::Node) -> Arc<LiveNode> {
        let mut nodes = locked(&self.nodes);
        let live = nodes.entry(node.name.clone()).or_insert_with(|| Arc::new(LiveNode::default()));
        match node.address {
            Address::Ip(address) => live.set_addresses(vec![address]),
            // What the name resolved to before still holds until it is resolved again.
            Address::Fqdn(_) => {}
        }
        Arc::clone(live)
    }

    /// The live pool of that name, made when it is new.
    pub fn pool(&self, name: &Name) -> Arc<LivePool> {
        let mut pools = locked(&self.pools);
        let made = || Arc::new(LivePool { turns: Arc::clone(&self.turns), ..LivePool::default() });
        Arc::clone(pools.entry(name.clone()).or_insert_with(made))
    }

    /// The persistence records of a virtual server, made when it is new.
    pub fn records(&self, virtual_server: &Name) -> Arc<Records> {
        Arc::clone(locked(&self.records).entry(virtual_server.clone()).or_default())
    }

    /// Forgets what the model no longer names. Connections keep what they hold.
    pub fn retain(&self, model: &model::Model) {
        locked(&self.nodes).retain(|name, _| model.nodes.contains_key(name));
        locked(&self.pools).retain(|name, _| model.pools.contains_key(name));
        locked(&self.records).retain(|name, _| model.virtual_servers.contains_key(name));
        for (name, pool) in locked(&self.pools).iter() {
            let wanted = &model.pools[name];
            locked(&pool.members).retain(|key, _| wanted.member(key).is_some());
        }
    }
}

/// Numbers the choices of all pools in one sequence. Choosing and counting the choice happen under this lock, so that
/// two connections never see the same member as the least loaded one.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<u64>);

impl Turns {
    pub(super) fn lock(&self) -> MutexGuard<'_, u64> {
        locked(&self.0)
    }
}

/// A node while it runs.
#[derive(Debug, Default)]
pub struct LiveNode {
    /// Of all pools.
    pub connections: Connections,
    addresses: ArcSwap<Vec<IpAddr>>,
}

impl LiveNode {
    /// Where the node is now: one address, or what its name resolved to; empty while that has not succeeded.
    pub fn addresses(&self) -> Arc<Vec<IpAddr>> {
        self.addresses.load_full()
    }

    pub fn set_addresses(&self, addresses: Vec<IpAddr>) {
        if **self.addresses.load() != addresses {
            self.addresses.store(Arc::new(addresses));
        }
    }
}

/// A pool while it runs.
#[derive(Debug, Default)]
pub struct LivePool {
    pub connections: Connections,
    pub traffic: Traffic,
    members: Mutex<HashMap<MemberKey, Arc<LiveMember>>>,
    pub(super) turns: Arc<Turns>,
}

impl LivePool {
    /// The live member of that key, made when it is new.
    pub fn member(&self, key: &MemberKey) -> Arc<LiveMember> {
        Arc::clone(locked(&self.members).entry(key.clone()).or_default())
    }
}

/// A member while it runs.
#[derive(Debug)]
pub struct LiveMember {
    pub connections: Connections,
    pub traffic: Traffic,
    verdicts: Mutex<Verdicts>,
    health: ArcSwap<Health>,
    measurement: ArcSwapOption<Measurement>,
    served: broadcast::Sender<Served>,
    /// Held by whoever probes: a member has few threads to answer with.
    pub probing: tokio::sync::Mutex<()>,
    /// When it was last chosen, as a number of the sequence of all choices; 0 is never.
    pub(super) turn: AtomicU64,
    /// What the ratio method owes it.
    pub(super) credit: AtomicI64,
}

impl Default for LiveMember {
    fn default() -> Self {
        Self {
            connections: Connections::default(),
            traffic: Traffic::default(),
            verdicts: Mutex::default(),
            health: ArcSwap::default(),
            measurement: ArcSwapOption::empty(),
            served: broadcast::Sender::new(SERVED_KEPT),
            probing: tokio::sync::Mutex::default(),
            turn: AtomicU64::default(),
            credit: AtomicI64::default(),
        }
    }
}

/// How a client's connection went at a member, for those who watch passively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// It could not be made, or the member ended it before it sent anything; with the reason in words.
    Failed(String),
    /// It ended after this long, and the member had sent nothing.
    Silent(Duration),
}

/// Outcomes that a slow watcher may be behind; it misses those beyond.
const SERVED_KEPT: usize = 64;

impl LiveMember {
    pub fn health(&self) -> Arc<Health> {
        self.health.load_full()
    }

    /// Names the monitors that watch this member and how many of them must be good (`None` is all); verdicts of others
    /// are forgotten, those of these kept.
    pub fn watch(&self, monitors: impl IntoIterator<Item = Name>, needed: Option<usize>) {
        let mut verdicts = locked(&self.verdicts);
        let mut before = std::mem::take(&mut verdicts.by_monitor);
        verdicts.needed = needed;
        verdicts.by_monitor.extend(monitors.into_iter().map(|name| {
            let verdict = before.remove(&name).flatten();
            (name, verdict)
        }));
        self.health.store(Arc::new(verdicts.health()));
    }

    /// Takes a monitor's verdict. A monitor that no longer watches is not heard.
    pub fn judge(&self, monitor: &Name, verdict: Verdict) {
        let mut verdicts = locked(&self.verdicts);
        if let Some(slot) = verdicts.by_monitor.get_mut(monitor) {
            *slot = Some(verdict);
            self.health.store(Arc::new(verdicts.health()));
        }
    }

    /// What the member last told of its load, if a monitor asks it.
    pub fn measurement(&self) -> Option<Arc<Measurement>> {
        self.measurement.load_full()
    }

    /// Takes what the member tells of its load.
    pub fn measure(&self, measurement: Measurement) {
        self.measurement.store(Some(Arc::new(measurement)));
    }

    /// Tells passive watchers how a connection went.
    pub fn served(&self, served: Served) {
        if self.served.receiver_count() > 0 {
            // Without a watcher there is nobody to miss it.
            let _ = self.served.send(served);
        }
    }

    /// How connections go from here on.
    pub fn watch_served(&self) -> broadcast::Receiver<Served> {
        self.served.subscribe()
    }
}

/// Data behind these locks is whole after every statement, so a panic elsewhere does not spoil it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_survive_while_their_monitor_does() {
        let member = LiveMember::default();
        let (tcp, tls) = (Name::from("tcp"), Name::from("tls"));
        member.watch([tcp.clone()], None);
        member.judge(&tcp, Verdict::Down("refused".into()));
        assert!(member.health().is_down());
        member.watch([tcp.clone(), tls.clone()], None);
        assert!(member.health().is_down(), "a reload that adds a monitor keeps what the other found");
        member.watch([tls.clone()], None);
        assert_eq!(*member.health(), Health::Unknown);
        member.judge(&tcp, Verdict::Up);
        assert_eq!(*member.health(), Health::Unknown, "a monitor that was removed is not heard");
    }
}
