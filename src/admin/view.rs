//! What the administrative side tells, as JSON.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::control::{Handle, Serving};
use crate::log::Log;
use crate::pool::{Pool, Status};
use crate::stats::{ConnectionCounts, Connections, Traffic};

/// The network map: virtual servers, their pools, their members, each with its status.
#[derive(Debug, Serialize, Deserialize)]
pub struct Map {
    pub process: MapProcess,
    pub virtual_servers: Vec<MapVirtualServer>,
    /// Members that reloads removed and that still have connections.
    pub draining: Vec<MapDraining>,
}

/// The running pronk itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct MapProcess {
    pub version: String,
    pub pid: u32,
    /// starting, serving, draining or stopped.
    pub phase: String,
    /// How often tasks of its control plane panicked and were started again.
    pub restarts: u64,
    /// Lines that the log lost, because they were too many at once or could not be written.
    pub log_lines_lost: u64,
    /// Seconds for which a configuration has been made ready; null when none is.
    pub loading_seconds: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MapDraining {
    pub pool: String,
    pub member: String,
    pub connections: u32,
    /// What is done with them, and in how many seconds; null when they go on until they end.
    pub action: Option<(String, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MapVirtualServer {
    pub name: String,
    pub destination: String,
    pub hostname: Option<String>,
    pub mode: String,
    pub status: MapStatus,
    pub pool: MapPool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MapPool {
    pub name: String,
    pub load_balancing_mode: String,
    pub status: MapStatus,
    /// Connections that wait for a member.
    pub queued: usize,
    pub members: Vec<MapMember>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MapMember {
    pub name: String,
    pub addresses: Vec<String>,
    /// Whether it was found by discovery.
    pub discovered: bool,
    pub status: MapStatus,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct MapStatus {
    /// available, unavailable, offline or unknown.
    pub availability: String,
    /// enabled, disabled or forced-offline.
    pub state: String,
    pub reason: String,
}

impl From<Status> for MapStatus {
    fn from(status: Status) -> Self {
        Self {
            availability: status.availability.as_str().into(),
            state: status.state.as_str().into(),
            reason: status.reason,
        }
    }
}

impl Map {
    pub fn of(handle: &Handle, log: &Log) -> Self {
        let (serving, draining) = (handle.serving(), handle.registry().draining());
        let virtual_servers = serving.virtual_servers.values().map(|live| {
            let snapshot = live.snapshot.load();
            let config = &snapshot.config;
            MapVirtualServer {
                name: config.name.to_string(),
                destination: config.destination.to_string(),
                hostname: config.hostname.clone(),
                mode: config.mode().as_str().into(),
                status: live.status().into(),
                pool: MapPool::of(&snapshot.pool),
            }
        });
        let draining = draining.iter().map(|it| MapDraining {
            pool: it.pool.to_string(),
            member: it.member.to_string(),
            connections: it.connections,
            action: it.action.map(|(action, at)| {
                (action.as_str().to_owned(), at.saturating_duration_since(Instant::now()).as_secs())
            }),
        });
        let process = MapProcess {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            phase: handle.phase().as_str().to_owned(),
            restarts: handle.restarts().count(),
            log_lines_lost: log.lost(),
            loading_seconds: handle.preparing_for().map(|time| time.as_secs()),
        };
        Self { process, virtual_servers: virtual_servers.collect(), draining: draining.collect() }
    }
}

impl MapPool {
    fn of(pool: &Pool) -> Self {
        let members = pool.members.iter().enumerate().map(|(index, member)| MapMember {
            name: member.key.to_string(),
            addresses: member.node.addresses().iter().map(ToString::to_string).collect(),
            discovered: member.config.discovered,
            status: pool.member_status(index).into(),
        });
        Self {
            name: pool.config.name.to_string(),
            load_balancing_mode: pool.config.load_balancing_mode.as_str().into(),
            status: pool.status().into(),
            queued: pool.live.queued(),
            members: members.collect(),
        }
    }
}

/// Statistics of virtual servers, pools and members.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stats {
    pub virtual_servers: Vec<StatisticsRow>,
    pub pools: Vec<PoolStatistics>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct PoolStatistics {
    #[serde(flatten)]
    pub row: StatisticsRow,
    pub members: Vec<StatisticsRow>,
}

/// A row of the statistics table. `in` is toward members, `out` toward clients.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatisticsRow {
    pub name: String,
    pub availability: String,
    /// Of the application, without TLS and headers.
    pub bits_in: u64,
    pub bits_out: u64,
    /// TCP segments.
    pub packets_in: u64,
    pub packets_out: u64,
    pub connections: ConnectionStatistics,
    /// Connections that have ended, by the code of their reason; of virtual servers only.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub closes: std::collections::BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ConnectionStatistics {
    pub current: u32,
    /// The most there ever were at once.
    pub maximum: u32,
    pub total: u64,
}

impl StatisticsRow {
    fn of(name: String, status: &Status, connections: &Connections, traffic: &Traffic) -> Self {
        let ConnectionCounts { current, maximum, total } = connections.read();
        let traffic = traffic.read();
        Self {
            name,
            availability: status.availability.as_str().into(),
            bits_in: traffic.bytes_in * 8,
            bits_out: traffic.bytes_out * 8,
            packets_in: traffic.packets_in,
            packets_out: traffic.packets_out,
            connections: ConnectionStatistics { current, maximum, total },
            closes: std::collections::BTreeMap::new(),
        }
    }
}

impl Stats {
    pub fn of(serving: &Serving) -> Self {
        let virtual_servers = serving.virtual_servers.values().map(|live| {
            let status = live.status();
            let closes = live.closes().map(|(reason, count)| (reason.code().to_owned(), count)).collect();
            StatisticsRow {
                closes,
                ..StatisticsRow::of(live.name.to_string(), &status, &live.connections, &live.traffic)
            }
        });
        let pools = serving.pools.values().map(|pool| {
            let members = pool.members.iter().enumerate().map(|(index, member)| {
                let status = pool.member_status(index);
                StatisticsRow::of(member.key.to_string(), &status, &member.live.connections, &member.live.traffic)
            });
            let name = pool.config.name.to_string();
            PoolStatistics {
                row: StatisticsRow::of(name, &pool.status(), &pool.live.connections, &pool.live.traffic),
                members: members.collect(),
            }
        });
        Self { virtual_servers: virtual_servers.collect(), pools: pools.collect() }
    }
}

/// What a reload did or would do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reloaded {
    pub changes: Vec<String>,
    /// Warnings and notes, rendered.
    pub notes: String,
}

/// The member that was resumed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resumed {
    pub pool: String,
    pub member: String,
}

/// Why something was refused, rendered.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: String,
}
