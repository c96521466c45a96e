use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::{ArcSwap, Guard};

use super::close_reasons::CloseReason;
use super::recent_connections::RecentConnections;
use super::waiters::Waiters;
use crate::model::{Name, VirtualServer};
use crate::pool::{Pool, Rate, Sticky};
use crate::stats::{Connections, Traffic};
use crate::tls::{LiveClientSsl, LiveServerSsl, MemberTls};

/// Everything a connection needs to know, as one configuration has it. A connection takes the newest whenever it wants
/// a member, and keeps that while it has one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub config: Arc<VirtualServer>,
    pub pool: Arc<Pool>,
    /// Asked in this order.
    pub persistence: Vec<Sticky>,
    pub client_ssl: Option<Arc<LiveClientSsl>>,
    pub server_ssl: Option<Arc<LiveServerSsl>>,
    /// TLS toward each member, in the order of the pool's members.
    pub(super) member_tls: Option<Vec<Arc<MemberTls>>>,
}

impl Snapshot {
    pub fn new(
        config: Arc<VirtualServer>,
        pool: Arc<Pool>,
        persistence: Vec<Sticky>,
        client_ssl: Option<Arc<LiveClientSsl>>,
        server_ssl: Option<Arc<LiveServerSsl>>,
    ) -> Self {
        let member_tls = member_tls(server_ssl.as_deref(), &pool);
        Self { config, pool, persistence, client_ssl, server_ssl, member_tls }
    }

    /// The same with another pool.
    fn with_pool(&self, pool: Arc<Pool>) -> Self {
        let member_tls = member_tls(self.server_ssl.as_deref(), &pool);
        Self { pool, member_tls, ..self.clone() }
    }

    /// What a connection goes on with that has gone by this one: the newest. If that has another TLS mode, the
    /// connection has begun in its own already and keeps it, on both sides.
    pub(super) fn continue_with(self: &Arc<Self>, newest: Arc<Self>) -> Arc<Self> {
        if self.config.mode() == newest.config.mode() {
            return newest;
        }
        // Each configuration joins its pools anew, so this one continues the newest already.
        if Arc::ptr_eq(&self.pool, &newest.pool) {
            return Arc::clone(self);
        }
        let config = VirtualServer {
            client_ssl: self.config.client_ssl.clone(),
            server_ssl: self.config.server_ssl.clone(),
            ..VirtualServer::clone(&newest.config)
        };
        let (pool, persistence) = (Arc::clone(&newest.pool), newest.persistence.clone());
        Arc::new(Self::new(Arc::new(config), pool, persistence, self.client_ssl.clone(), self.server_ssl.clone()))
    }

    /// Whether persistence knows a client. Hashing knows nobody.
    pub(super) fn has_record(&self, client: IpAddr, now: Instant) -> bool {
        let find = |sticky: &Sticky| sticky.records.as_ref()?.find(&sticky.profile, client, now);
        self.persistence.iter().any(|sticky| find(sticky).is_some())
    }
}

fn member_tls(profile: Option<&LiveServerSsl>, pool: &Pool) -> Option<Vec<Arc<MemberTls>>> {
    let profile = profile?;
    Some(pool.members.iter().map(|member| profile.for_member(&member.config)).collect())
}

/// A virtual server while it runs.
#[derive(Debug)]
pub struct LiveVirtualServer {
    pub name: Name,
    pub snapshot: ArcSwap<Snapshot>,
    pub(super) waiters: Waiters,
    pub connections: Connections,
    pub traffic: Traffic,
    pub(super) rate: Rate,
    /// Where connections went lately.
    pub recent_connections: RecentConnections,
    closes: Vec<AtomicU64>,
}

impl LiveVirtualServer {
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            name: snapshot.config.name.clone(),
            snapshot: ArcSwap::from_pointee(snapshot),
            waiters: Waiters::default(),
            connections: Connections::default(),
            traffic: Traffic::default(),
            rate: Rate::default(),
            recent_connections: RecentConnections::default(),
            closes: CloseReason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Takes a newer configuration into force: for connections to come, and for those that wait for a member.
    pub fn apply(&self, newest: Snapshot) {
        let newest = Arc::new(newest);
        self.waiters.move_to(&newest.pool, || self.snapshot.store(Arc::clone(&newest)));
    }

    /// Brings what a connection goes by up to the newest configuration.
    pub(super) fn refresh(&self, snapshot: &mut Arc<Snapshot>) {
        let newest = self.snapshot.load();
        if !Arc::ptr_eq(&newest, snapshot) {
            *snapshot = snapshot.continue_with(Guard::into_inner(newest));
        }
    }

    /// How many connections ended for each reason that has occurred.
    pub fn closes(&self) -> impl Iterator<Item = (CloseReason, u64)> {
        let counts = self.closes.iter().map(|count| count.load(Ordering::Relaxed));
        CloseReason::ALL.iter().copied().zip(counts).filter(|(_, count)| *count > 0)
    }

    pub(super) fn count_close(&self, reason: CloseReason) {
        self.closes[reason as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// Virtual servers that configurations no longer have, while connections of theirs are left. Such a connection may wait
/// in the queue of a pool that others use, and must not hold them up by what the pool was.
#[derive(Debug, Default)]
pub struct RemovedVirtualServers(Vec<Weak<LiveVirtualServer>>);

impl RemovedVirtualServers {
    /// Adds those of `before` that are not among `after`, or another in their place.
    pub fn add(
        &mut self,
        before: &BTreeMap<Name, Arc<LiveVirtualServer>>,
        after: &BTreeMap<Name, Arc<LiveVirtualServer>>,
    ) {
        let goes_on = |name, live| after.get(name).is_some_and(|after| Arc::ptr_eq(after, live));
        let gone = before.iter().filter(|(name, live)| !goes_on(*name, live));
        self.0.extend(gone.map(|(_, live)| Arc::downgrade(live)));
    }

    /// Gives those that have connections left the newest pool of the name of theirs, where there is one.
    pub fn update_pools(&mut self, pools: &BTreeMap<Name, Arc<Pool>>) {
        self.0.retain(|gone| {
            let Some(live) = gone.upgrade() else { return false };
            let snapshot = live.snapshot.load();
            if let Some(pool) = pools.get(&snapshot.pool.config.name) {
                live.apply(snapshot.with_pool(Arc::clone(pool)));
            }
            true
        });
    }
}
