use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::close::CloseReason;
use super::trail::Trail;
use crate::model::{self, Name};
use crate::pool::{Pool, Rate, Sticky};
use crate::stats::{Connections, Traffic};
use crate::tls::{LiveClientSsl, MemberTls};

/// Everything a connection needs to know, as one configuration has it. A connection keeps the one it began with.
#[derive(Debug)]
pub struct Snapshot {
    pub config: Arc<model::VirtualServer>,
    pub pool: Arc<Pool>,
    /// Asked in this order.
    pub persistence: Vec<Sticky>,
    pub client_ssl: Option<Arc<LiveClientSsl>>,
    /// TLS toward each member, in the order of the pool's members.
    pub member_tls: Option<Vec<Arc<MemberTls>>>,
}

impl Snapshot {
    /// Whether persistence knows a client. Hashing knows nobody.
    pub(super) fn has_record(&self, client: IpAddr) -> bool {
        let now = Instant::now().into_std();
        let find = |sticky: &Sticky| sticky.records.as_ref()?.find(&sticky.profile, client, now);
        self.persistence.iter().any(|sticky| find(sticky).is_some())
    }
}

/// A virtual server while it runs.
#[derive(Debug)]
pub struct LiveVirtualServer {
    pub name: Name,
    pub snapshot: ArcSwap<Snapshot>,
    pub connections: Connections,
    pub traffic: Traffic,
    pub(super) rate: Rate,
    /// Where connections went lately.
    pub trail: Trail,
    closes: Vec<AtomicU64>,
}

impl LiveVirtualServer {
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            name: snapshot.config.name.clone(),
            snapshot: ArcSwap::from_pointee(snapshot),
            connections: Connections::default(),
            traffic: Traffic::default(),
            rate: Rate::default(),
            trail: Trail::default(),
            closes: CloseReason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
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
