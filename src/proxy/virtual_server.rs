//! The live state of a virtual server, which outlives its configurations.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::{ArcSwap, Guard};

use super::client_counts::ClientCounts;
use super::close_reasons::CloseReason;
use super::phase_histograms::PhaseHistograms;
use super::recent_connections::RecentConnections;
use super::snapshot::Snapshot;
use super::waiters::Waiters;
use crate::model::Name;
use crate::pool::RateLimiter;
use crate::stats::{Baseline, Connections, Counts, Traffic};

/// A virtual server while it runs.
#[derive(Debug)]
pub struct LiveVirtualServer {
    pub name: Name,
    pub snapshot: ArcSwap<Snapshot>,
    pub(super) waiters: Waiters,
    pub connections: Connections,
    pub traffic: Traffic,
    pub(super) rate: RateLimiter,
    pub(super) clients: ClientCounts,
    /// The members of the latest connections.
    pub recent_connections: RecentConnections,
    /// How long the phases of its connections take.
    pub times: PhaseHistograms,
    baseline: Baseline,
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
            rate: RateLimiter::default(),
            clients: ClientCounts::default(),
            recent_connections: RecentConnections::default(),
            times: PhaseHistograms::default(),
            baseline: Baseline::default(),
            closes: CloseReason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Applies a newer configuration: to new connections, and to those that wait for a member.
    pub fn apply(&self, newest: Snapshot) {
        let newest = Arc::new(newest);
        self.waiters.move_to(&newest.pool, || self.snapshot.store(Arc::clone(&newest)));
    }

    /// Replaces the snapshot of a connection by the newest.
    pub(super) fn refresh(&self, snapshot: &mut Arc<Snapshot>) {
        let newest = self.snapshot.load();
        if !Arc::ptr_eq(&newest, snapshot) {
            *snapshot = snapshot.continue_with(Guard::into_inner(newest));
        }
    }

    /// Returns how many connections ended for each reason that has occurred.
    pub fn closes(&self) -> impl Iterator<Item = (CloseReason, u64)> {
        with_reasons(self.all_closes())
    }

    fn all_closes(&self) -> Vec<u64> {
        self.closes.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Returns the addresses of clients with open connections, each with how many.
    pub fn clients(&self) -> Vec<(IpAddr, u32)> {
        self.clients.addresses()
    }

    /// Sets how many connections other processes have, in all and by the address of the client.
    pub fn set_elsewhere(&self, connections: u32, clients: BTreeMap<IpAddr, u32>) {
        self.connections.set_elsewhere(connections);
        self.clients.set_elsewhere(clients);
    }

    /// Lets its statistics begin anew.
    pub fn reset_statistics(&self, now: SystemTime) {
        self.baseline.reset(&self.connections, &self.traffic, self.all_closes(), now);
    }

    /// Returns its statistics since they were reset, and the closes for each reason that has occurred since.
    pub fn statistics(&self) -> (Counts, impl Iterator<Item = (CloseReason, u64)>) {
        let mut counts = self.baseline.since_reset(&self.connections, &self.traffic, self.all_closes());
        let closes = std::mem::take(&mut counts.closes);
        (counts, with_reasons(closes))
    }

    pub(super) fn count_close(&self, reason: CloseReason) {
        self.closes[reason as usize].fetch_add(1, Ordering::Relaxed);
    }
}

fn with_reasons(counts: Vec<u64>) -> impl Iterator<Item = (CloseReason, u64)> {
    CloseReason::ALL.iter().copied().zip(counts).filter(|(_, count)| *count > 0)
}
