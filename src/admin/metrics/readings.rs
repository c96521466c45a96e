//! What is read of the running system for one scrape, before any of it is written.

use std::collections::HashMap;

use crate::control::Handle;
use crate::inventory::CertificateSummary;
use crate::pool::{MonitorView, Sharing, Status};
use crate::proxy::{CloseReason, LiveVirtualServer};
use crate::stats::{ConnectionCounts, Histogram, HistogramCounts, TrafficCounts};

/// The virtual servers, pools and members at one moment.
#[derive(Debug, Default)]
pub(super) struct Readings {
    pub virtual_servers: Vec<VirtualServerReading>,
    pub pools: Vec<PoolReading>,
    /// Who shares persistence records, how many they have, and how many were evicted.
    pub persistence: Vec<(String, usize, u64)>,
    /// Each label set once.
    pub certificates: Vec<CertificateSummary>,
}

#[derive(Debug)]
pub(super) struct VirtualServerReading {
    pub name: String,
    pub mode: &'static str,
    pub status: Status,
    pub connections: ConnectionCounts,
    pub connection_limit: Option<u32>,
    pub traffic: TrafficCounts,
    pub closes: Vec<(CloseReason, u64)>,
    /// Client handshake, first byte, queue, connect, member handshake, and the whole connection.
    pub times: [HistogramCounts; 6],
}

#[derive(Debug)]
pub(super) struct PoolReading {
    pub name: String,
    pub status: Status,
    pub queued: usize,
    pub connections: ConnectionCounts,
    pub traffic: TrafficCounts,
    pub members: Vec<MemberReading>,
}

#[derive(Debug)]
pub(super) struct MemberReading {
    pub name: String,
    pub status: Status,
    pub is_suspect: bool,
    pub connections: ConnectionCounts,
    pub traffic: TrafficCounts,
    pub monitors: Vec<MonitorView>,
}

impl Readings {
    pub(super) fn of(handle: &Handle) -> Self {
        let serving = handle.serving();
        let mut pools = Vec::with_capacity(serving.pools.len());
        for pool in serving.pools.values() {
            let statuses = pool.member_statuses();
            let status = pool.status_over(&statuses);
            let members = pool.members.iter().zip(statuses).map(|(member, status)| MemberReading {
                name: member.key.to_string(),
                status,
                is_suspect: member.live.suspicion().is_some(),
                connections: member.live.connections.read(),
                traffic: member.live.traffic.read(),
                monitors: member.live.monitors(),
            });
            pools.push(PoolReading {
                name: pool.config.name.to_string(),
                status,
                queued: pool.live.queued(),
                connections: pool.live.connections.read(),
                traffic: pool.live.traffic.read(),
                members: members.collect(),
            });
        }
        let statuses: HashMap<_, _> = pools.iter().map(|pool| (&*pool.name, &pool.status)).collect();
        let virtual_servers = serving.virtual_servers.values().map(|live| VirtualServerReading::of(live, &statuses));
        Self {
            virtual_servers: virtual_servers.collect(),
            persistence: persistence(handle),
            certificates: each_once(handle.certificates().summaries()),
            pools,
        }
    }
}

impl VirtualServerReading {
    /// The statuses of pools that were read already are used again, as a pool may have thousands of members.
    fn of(live: &LiveVirtualServer, statuses: &HashMap<&str, &Status>) -> Self {
        let snapshot = live.snapshot.load();
        let known = statuses.get(snapshot.pool.config.name.as_str());
        let pool_status = known.map_or_else(|| snapshot.pool.status(), |status| Status::clone(status));
        let times = &live.times;
        let times = [
            &times.client_handshake,
            &times.first_byte,
            &times.queue,
            &times.connect,
            &times.member_handshake,
            &times.connection,
        ];
        Self {
            name: live.name.to_string(),
            // As configured: what is observed may change while the counters go on.
            mode: snapshot.config.mode().as_str(),
            status: live.status_over(&snapshot, pool_status),
            connections: live.connections.read(),
            connection_limit: snapshot.config.connection_limit,
            traffic: live.traffic.read(),
            closes: live.closes().collect(),
            times: times.map(Histogram::read),
        }
    }
}

fn persistence(handle: &Handle) -> Vec<(String, usize, u64)> {
    let shared_by = |sharing: &Sharing| match sharing {
        Sharing::VirtualServer(name) => name.to_string(),
        Sharing::Address(address) => address.to_string(),
        Sharing::All => "all".to_owned(),
    };
    let all = handle.registry().all_records();
    all.iter().map(|(sharing, records)| (shared_by(sharing), records.count(), records.evicted())).collect()
}

/// Joins certificates of the same source: it ends with the first of them.
fn each_once(mut certificates: Vec<CertificateSummary>) -> Vec<CertificateSummary> {
    certificates.sort();
    certificates.dedup_by(|next, kept| {
        let is_same = (&next.source, &next.kind, &next.profile) == (&kept.source, &kept.kind, &kept.profile);
        if is_same {
            kept.not_after = [kept.not_after, next.not_after].into_iter().flatten().min();
            (0..3).for_each(|severity| kept.findings[severity] += next.findings[severity]);
        }
        is_same
    });
    certificates
}
