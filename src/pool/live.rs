use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use super::health::{Health, Verdict, Verdicts};
use super::measurement::{Load, Measurement};
use super::moment::{self, Moment};
use super::persistence::{Place, Records, Sharing, Tables};
use super::queue::{Queue, Turnstile};
use super::rate::Rate;
use super::removed::{Removed, ServiceDown};
use crate::model::{self, Address, MemberKey, Name, ServiceDownAction};
use crate::stats::{Connections, Traffic};

/// Everything that lives longer than a configuration, by name.
#[derive(Debug, Default)]
pub struct Registry {
    nodes: Mutex<HashMap<Name, Arc<LiveNode>>>,
    pools: Mutex<HashMap<Name, Arc<LivePool>>>,
    tables: Tables,
    turnstile: Arc<Turnstile>,
}

impl Registry {
    /// The live node of that name, made when it is new.
    pub fn node(&self, node: &model::Node) -> Arc<LiveNode> {
        let made = || Arc::new(LiveNode { turnstile: Arc::clone(&self.turnstile), ..LiveNode::default() });
        let live = Arc::clone(self.nodes.lock().entry(node.name.clone()).or_insert_with(made));
        match node.address {
            Address::Ip(address) => live.set_addresses(vec![address]),
            Address::Fqdn(ref fqdn) => live.is_called(fqdn),
        }
        live
    }

    /// Whether a node has a name of which no address is known.
    pub fn needs_resolving(&self, node: &model::Node) -> bool {
        let Address::Fqdn(fqdn) = &node.address else { return false };
        let is_known = |live: &Arc<LiveNode>| live.is_resolved() && *live.fqdn.lock() == *fqdn;
        !self.nodes.lock().get(&node.name).is_some_and(is_known)
    }

    /// The live pool of that name, made when it is new.
    pub fn pool(&self, name: &Name) -> Arc<LivePool> {
        let mut pools = self.pools.lock();
        Arc::clone(pools.entry(name.clone()).or_insert_with(|| Arc::new(LivePool::new(name.clone(), &self.turnstile))))
    }

    /// The persistence records that those share who are named, made when they are new.
    pub fn records(&self, sharing: &Sharing) -> Arc<Records> {
        self.tables.of(sharing)
    }

    pub(super) fn every_pool(&self) -> Vec<Arc<LivePool>> {
        self.pools.lock().values().cloned().collect()
    }

    /// All persistence records, by who shares them, in order.
    pub fn all_records(&self) -> Vec<(Sharing, Arc<Records>)> {
        self.tables.all()
    }

    /// Removes the expired ones of a sixtieth of all persistence records, and as many of those that no virtual server
    /// has a use for since a reload: once a second, it gets to all of them within a minute. It takes less than a
    /// millisecond for each full table, and no lock is held for more than a small part of that.
    pub fn sweep_records(&self, now: Instant) {
        self.tables.sweep(now);
    }

    /// Lets the first of each pool's queue try again, as when a configuration came into force that may have room for
    /// it.
    pub fn wake(&self) {
        self.turnstile.wake();
    }

    /// Forgets what the model no longer names, but members that still have connections. Those keep what they hold.
    pub fn retain(&self, model: &model::Model, now: Instant) {
        // A node that comes back to connections that drain must count them.
        let drains = |live: &LiveNode| live.connections.current() > 0;
        self.nodes.lock().retain(|name, live| model.nodes.contains_key(name) || drains(live));
        self.tables.retain(model);
        self.pools.lock().retain(|name, pool| {
            let config = model.pools.get(name);
            let wanted: HashSet<_> = config.iter().flat_map(|config| &config.members).map(|it| it.key()).collect();
            pool.remove(|key| wanted.contains(key), now);
            config.is_some() || pool.has_removed()
        });
    }
}

/// A node while it runs.
#[derive(Debug, Default)]
pub struct LiveNode {
    /// Of all pools.
    pub connections: Connections,
    /// Of those, how many persistence sent here.
    pub(super) persisted: AtomicU32,
    pub(super) rate: Rate,
    addresses: ArcSwap<Vec<IpAddr>>,
    /// The name that these are the addresses of, if it has one.
    fqdn: Mutex<String>,
    turnstile: Arc<Turnstile>,
}

impl LiveNode {
    /// Where the node is now: one address, or what its name resolved to; empty while that has not succeeded.
    pub fn addresses(&self) -> Arc<Vec<IpAddr>> {
        self.addresses.load_full()
    }

    /// Takes where the node is; if that is news, whoever waits may go there.
    pub fn set_addresses(&self, addresses: Vec<IpAddr>) {
        if **self.addresses.load() != addresses {
            self.addresses.store(Arc::new(addresses));
            self.turnstile.wake();
        }
    }

    /// Keeps what the name resolved to before until it is resolved again; of another name nothing is known.
    fn is_called(&self, fqdn: &str) {
        let mut known = self.fqdn.lock();
        if *known != fqdn {
            fqdn.clone_into(&mut known);
            self.set_addresses(Vec::new());
        }
    }

    pub(super) fn is_resolved(&self) -> bool {
        !self.addresses.load().is_empty()
    }
}

/// A pool while it runs.
#[derive(Debug)]
pub struct LivePool {
    pub connections: Connections,
    pub traffic: Traffic,
    pub(super) name: Name,
    pub(super) members: Mutex<HashMap<MemberKey, Arc<LiveMember>>>,
    pub(super) turnstile: Arc<Turnstile>,
    pub(super) queue: Arc<Queue>,
    /// When a member was last lost.
    lost: Arc<Moment>,
    /// What becomes of the connections of a member that goes down, by the latest configuration.
    pub(super) service_down: Arc<ArcSwap<ServiceDown>>,
    /// Members that reloads removed and that still have connections.
    pub(super) removed: Mutex<HashMap<MemberKey, Removed>>,
    /// When the trends of its members were last looked at.
    pub(super) trends_taken: Moment,
    /// Whether the method has nothing fresh to go by, which is logged once.
    pub(super) is_blind: AtomicBool,
}

impl LivePool {
    fn new(name: Name, turnstile: &Arc<Turnstile>) -> Self {
        moment::begin();
        Self {
            connections: Connections::default(),
            traffic: Traffic::default(),
            name,
            members: Mutex::default(),
            turnstile: Arc::clone(turnstile),
            queue: Queue::new(turnstile),
            lost: Arc::default(),
            service_down: Arc::default(),
            removed: Mutex::default(),
            trends_taken: Moment::default(),
            is_blind: AtomicBool::default(),
        }
    }

    /// The live member of that key, made when it is new. One that joins a pool which serves already begins slowly.
    pub fn member(&self, key: &MemberKey, now: Instant) -> Arc<LiveMember> {
        let back = self.removed.lock().remove(key);
        let mut members = self.members.lock();
        if let Some(Removed { live, .. }) = back {
            // It comes back to the connections that it left.
            live.doom(ServiceDownAction::None);
            members.entry(key.clone()).or_insert(live);
        }
        let serves = self.connections.total() > 0;
        let live = members.entry(key.clone()).or_insert_with(|| {
            let place = Place::new(self.name.clone(), key.clone());
            let (lost, service_down) = (Arc::clone(&self.lost), Arc::clone(&self.service_down));
            let member = LiveMember { place, lost, service_down, ..LiveMember::new(&self.turnstile) };
            if serves {
                member.ramp_since.set(now);
            }
            Arc::new(member)
        });
        Arc::clone(live)
    }

    /// Connections that wait for a member.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many connections come before one that comes now.
    pub(super) fn ahead(&self) -> usize {
        self.queue.ahead()
    }

    /// When a member was last lost: marked down, or gone in the midst of a connection.
    pub(super) fn last_loss(&self) -> Option<Instant> {
        self.lost.get()
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
    load: ArcSwapOption<Load>,
    /// Connections that it had from others than us when it was measured.
    of_others: AtomicU64,
    served: broadcast::Sender<Served>,
    /// Held by whoever probes: a member has few threads to answer with.
    pub probing: tokio::sync::Mutex<()>,
    /// Of its connections, how many persistence sent here.
    pub(super) persisted: AtomicU32,
    /// Connections that it has not yet answered.
    pub(super) setups: AtomicU32,
    pub(super) rate: Rate,
    pub(super) place: Arc<Place>,
    /// When it was last chosen, as a number of the sequence of all choices; 0 is never.
    pub(super) turn: AtomicU64,
    /// What the methods with turns owe it.
    pub(super) credit: AtomicI64,
    /// Its ratio under the predictive methods; 0 is not known yet.
    pub(super) trend: AtomicU32,
    /// Its connections when the trend was last looked at.
    pub(super) trend_connections: AtomicU32,
    /// When its share began to grow.
    pub(super) ramp_since: Moment,
    /// Whether an administrator had it enabled when that was last looked at.
    enabled: AtomicBool,
    lost: Arc<Moment>,
    service_down: Arc<ArcSwap<ServiceDown>>,
    /// What is to become of its connections; set when it goes down.
    fate: watch::Sender<ServiceDownAction>,
    turnstile: Arc<Turnstile>,
}

impl Default for LiveMember {
    fn default() -> Self {
        Self::new(&Arc::default())
    }
}

impl LiveMember {
    fn new(turnstile: &Arc<Turnstile>) -> Self {
        Self {
            connections: Connections::default(),
            traffic: Traffic::default(),
            verdicts: Mutex::default(),
            health: ArcSwap::default(),
            measurement: ArcSwapOption::empty(),
            load: ArcSwapOption::empty(),
            of_others: AtomicU64::default(),
            served: broadcast::Sender::new(SERVED_KEPT),
            probing: tokio::sync::Mutex::default(),
            persisted: AtomicU32::default(),
            setups: AtomicU32::default(),
            rate: Rate::default(),
            place: Place::new(Name::from(""), MemberKey { node: Name::from(""), port: 0 }),
            turn: AtomicU64::default(),
            credit: AtomicI64::default(),
            trend: AtomicU32::default(),
            trend_connections: AtomicU32::default(),
            ramp_since: Moment::default(),
            enabled: AtomicBool::new(true),
            lost: Arc::default(),
            service_down: Arc::default(),
            fate: watch::Sender::default(),
            turnstile: Arc::clone(turnstile),
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
    /// The member ended it while its client did not, as one does that dies.
    Lost,
}

/// Outcomes that a slow watcher may be behind; it misses those beyond.
const SERVED_KEPT: usize = 64;

impl LiveMember {
    pub fn health(&self) -> Arc<Health> {
        self.health.load_full()
    }

    pub(super) fn with_health<T>(&self, look: impl FnOnce(&Arc<Health>) -> T) -> T {
        look(&self.health.load())
    }

    /// Names the monitors that watch this member and how many of them must be good (`None` is all); verdicts of others
    /// are forgotten, those of these kept.
    pub fn watch(&self, monitors: impl IntoIterator<Item = Name>, needed: Option<usize>) {
        let mut verdicts = self.verdicts.lock();
        let mut before = std::mem::take(&mut verdicts.by_monitor);
        verdicts.needed = needed;
        verdicts.by_monitor.extend(monitors.into_iter().map(|name| {
            let verdict = before.remove(&name).flatten();
            (name, verdict)
        }));
        self.health.store(Arc::new(verdicts.health()));
    }

    /// Takes a monitor's verdict. A monitor that does not watch this member has none.
    pub fn judge(&self, monitor: &Name, verdict: Verdict, now: Instant) {
        self.take_verdict(monitor, Some(verdict), now);
    }

    /// Forgets a monitor's verdict, as when the monitor panicked: what it found last need not be so any more.
    pub fn forget_verdict(&self, monitor: &Name, now: Instant) {
        self.take_verdict(monitor, None, now);
    }

    fn take_verdict(&self, monitor: &Name, verdict: Option<Verdict>, now: Instant) {
        let mut verdicts = self.verdicts.lock();
        let Some(slot) = verdicts.by_monitor.get_mut(monitor) else { return };
        *slot = verdict;
        let (before, health) = (self.health.load_full(), verdicts.health());
        let (goes_down, comes_up) = (health.is_down() && !before.is_down(), before.is_down() && !health.is_down());
        if before.keeps_away() && !health.keeps_away() {
            self.ramp_since.set(now);
        }
        self.health.store(Arc::new(health));
        // Only then, as connections that are moved must not come back here.
        if goes_down {
            self.lose(now);
            self.doom(self.service_down_action());
        } else if comes_up {
            self.doom(ServiceDownAction::None);
        }
        drop(verdicts);
        self.turnstile.wake();
    }

    /// Decides what becomes of its connections; tells whether that is new.
    pub(super) fn doom(&self, action: ServiceDownAction) -> bool {
        self.fate.send_if_modified(|fate| std::mem::replace(fate, action) != action)
    }

    /// What becomes of the connections of this member when it goes down, by the latest configuration.
    pub fn service_down_action(&self) -> ServiceDownAction {
        self.service_down.load().action
    }

    /// Follows what is to become of its connections.
    pub fn fate(&self) -> watch::Receiver<ServiceDownAction> {
        self.fate.subscribe()
    }

    /// Tells that the member was lost, as when it ended a connection abruptly: its clients will want another at once.
    pub fn lose(&self, now: Instant) {
        self.lost.set(now);
    }

    /// Takes the administrative state; a member that was enabled begins slowly.
    pub(super) fn enable(&self, enabled: bool, now: Instant) {
        if enabled && !self.enabled.swap(enabled, Ordering::AcqRel) {
            self.ramp_since.set(now);
        }
        self.enabled.store(enabled, Ordering::Release);
    }

    /// What the member last told of its load, if a monitor asks it.
    pub fn measurement(&self) -> Option<Arc<Measurement>> {
        self.measurement.load_full()
    }

    /// Takes what the member tells of its load.
    pub fn measure(&self, measurement: Measurement) {
        let of_others = measurement.connections_in_use.unwrap_or(0).saturating_sub(self.connections.current().into());
        self.of_others.store(of_others, Ordering::Relaxed);
        let load = Load::of(&measurement, self.load.load().as_deref());
        self.load.store(load.map(Arc::new));
        self.measurement.store(Some(Arc::new(measurement)));
        // Whoever waits may have a place.
        self.turnstile.wake();
    }

    /// How many service threads it has, if every one of them is in use: by its own account of others' connections, and
    /// by ours as they stand at this moment. A thread that was freed is so given to one client, not to all that wait.
    pub(super) fn full(&self, now: Instant) -> Option<u64> {
        let measurement = self.measurement.load();
        let Measurement { taken, good_for, service_threads, .. } = *measurement.as_deref()?;
        let threads = service_threads.filter(|_| now.saturating_duration_since(taken) < good_for)?;
        let used = self.of_others.load(Ordering::Relaxed).saturating_add(self.connections.current().into());
        (used >= threads).then_some(threads)
    }

    /// Until when it counts as full by what it said of its service threads, if it does.
    pub(super) fn full_until(&self, now: Instant) -> Option<Instant> {
        self.full(now)?;
        let measurement = self.measurement.load();
        let Measurement { taken, good_for, .. } = *measurement.as_deref()?;
        taken.checked_add(good_for)
    }

    /// How busy it is, if it told that lately.
    pub fn load(&self, now: Instant) -> Option<Load> {
        self.load.load().as_deref().copied().filter(|load| load.is_fresh(now))
    }

    /// Persistence records that name it.
    pub fn records(&self) -> u32 {
        self.place.records()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_survive_while_their_monitor_does() {
        let member = LiveMember::default();
        let (tcp, tls) = (Name::from("tcp"), Name::from("tls"));
        member.watch([tcp.clone()], None);
        member.judge(&tcp, Verdict::Down("refused".into()), Instant::now());
        assert!(member.health().is_down());
        member.watch([tcp.clone(), tls.clone()], None);
        assert!(member.health().is_down(), "a reload that adds a monitor keeps what the other found");
        member.watch([tls.clone()], None);
        assert_eq!(*member.health(), Health::Unknown);
        member.judge(&tcp, Verdict::Up, Instant::now());
        assert_eq!(*member.health(), Health::Unknown, "a monitor that was removed is not heard");
    }
    #[test]
    fn verdict_of_a_monitor_that_broke_off_is_forgotten() {
        let (member, tcp) = (LiveMember::default(), Name::from("tcp"));
        member.watch([tcp.clone()], None);
        for verdict in [Verdict::Up, Verdict::Down("refused".into()), Verdict::Unavailable("full".into())] {
            member.judge(&tcp, verdict, Instant::now());
            assert_ne!(*member.health(), Health::Unknown);
            member.forget_verdict(&tcp, Instant::now());
            assert_eq!(*member.health(), Health::Unknown);
            assert_eq!(*member.fate().borrow(), ServiceDownAction::None);
        }
    }
}
