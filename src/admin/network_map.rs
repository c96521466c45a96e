//! The network map (`pronk show map`), as JSON.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::drains::ListedDrain;
use super::each_once::EachOnce;
use crate::cert::date::instant;
use crate::control::{DrainingProcess, Handle};
use crate::log::Log;
use crate::pool::{Pool, Status};

/// The network map: virtual servers, their pools, their members, each with its status.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Map {
    pub process: MapProcess,
    #[serde(deserialize_with = "with_shared_pools")]
    pub virtual_servers: Vec<MapVirtualServer>,
    /// Members that reloads removed and that still have connections.
    pub draining: Vec<MapDraining>,
    /// What administrators drain.
    pub drains: Vec<ListedDrain>,
    /// Nodes whose names do not resolve, whose addresses may be stale.
    pub unresolved: Vec<MapUnresolved>,
}

/// The running pronk itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapProcess {
    pub version: String,
    pub pid: u32,
    /// starting, serving, draining or stopped.
    pub phase: String,
    /// How often tasks of its control plane panicked and were restarted.
    pub restarts: u64,
    /// Log lines that were lost: too many at once, or they could not be written.
    pub log_lines_lost: u64,
    /// Processes that drain after they have handed over to this one.
    #[serde(default)]
    pub predecessors: Vec<MapPredecessor>,
    /// For how many seconds a configuration has been prepared; null when none is.
    pub loading_seconds: Option<u64>,
}

/// A process that drains after it has handed over.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapPredecessor {
    pub pid: u32,
    pub version: String,
    /// Null until it reports.
    pub connections: Option<u64>,
    /// Until its connections are closed.
    pub seconds_left: Option<u64>,
    /// For how many seconds it has not reported, as it hangs or is stopped; null while it reports.
    #[serde(default)]
    pub silent_for: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapDraining {
    pub pool: String,
    pub member: String,
    pub connections: u32,
    /// The service-down action, and in how many seconds it is taken; null when the connections go on until they end.
    pub action: Option<(String, u64)>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapUnresolved {
    pub node: String,
    pub fqdn: String,
    /// As in `2027-02-03T04:05:06Z`.
    pub since: String,
    pub reason: String,
    /// What the name last resolved to, and what is still in use; empty if it never did.
    pub addresses: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MapVirtualServer")]
pub struct MapVirtualServer<P = Arc<MapPool>> {
    pub name: String,
    pub destination: String,
    pub hostname: Option<String>,
    pub mode: String,
    pub status: MapStatus,
    /// Repeated for each virtual server that shares it.
    pub pool: P,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapPool {
    pub name: String,
    pub load_balancing_mode: String,
    pub status: MapStatus,
    /// Connections that wait for a member.
    pub queued: usize,
    pub members: Vec<MapMember>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapMember {
    pub name: String,
    pub addresses: Vec<String>,
    /// Whether it was found by discovery.
    pub discovered: bool,
    pub status: MapStatus,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct MapStatus {
    /// available, unavailable, offline or unknown.
    pub availability: String,
    /// enabled, disabled or forced-offline.
    pub state: String,
    pub reason: String,
}

/// Reads virtual servers, and each pool once, however many of them share it: a large one takes most of the time.
fn with_shared_pools<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MapVirtualServer>, D::Error> {
    let servers = Vec::<MapVirtualServer<Box<RawValue>>>::deserialize(deserializer)?;
    let mut pools: HashMap<Box<str>, Arc<MapPool>> = HashMap::new();
    let read = servers.into_iter().map(|server| {
        let MapVirtualServer { name, destination, hostname, mode, status, pool } = server;
        let pool = match pools.get(pool.get()) {
            Some(known) => Arc::clone(known),
            None => {
                let told: Arc<MapPool> = Arc::new(serde_json::from_str(pool.get()).map_err(D::Error::custom)?);
                pools.insert(pool.into(), Arc::clone(&told));
                told
            }
        };
        Ok(MapVirtualServer { name, destination, hostname, mode, status, pool })
    });
    read.collect()
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

impl From<DrainingProcess> for MapPredecessor {
    fn from(process: DrainingProcess) -> Self {
        let silent_for = process.silent_for().map(|time| time.as_secs());
        let DrainingProcess { facts, report, .. } = process;
        Self {
            silent_for,
            pid: facts.pid,
            version: facts.version,
            connections: report.map(|report| report.connections),
            seconds_left: report.map(|report| report.seconds_left),
        }
    }
}

impl Map {
    pub fn of(handle: &Handle, log: &Log) -> Self {
        let (serving, draining) = (handle.serving(), handle.registry().draining());
        let mut pools = EachOnce::default();
        let virtual_servers = serving.virtual_servers.values().map(|live| {
            let snapshot = live.snapshot.load();
            let config = &snapshot.config;
            let (status, pool) = pools.of(&snapshot.pool, MapPool::of);
            MapVirtualServer {
                name: config.name.to_string(),
                destination: config.destination.to_string(),
                hostname: config.hostname.clone(),
                mode: snapshot.mode().into(),
                status: live.status_over(&snapshot, status).into(),
                pool,
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
        let unresolved = handle.registry().unresolved().into_iter().map(|(node, live, unresolved)| MapUnresolved {
            node: node.to_string(),
            fqdn: unresolved.fqdn,
            since: instant(unresolved.since.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)),
            reason: unresolved.reason,
            addresses: live.addresses().iter().map(ToString::to_string).collect(),
        });
        let process = MapProcess {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            phase: handle.phase().as_str().to_owned(),
            restarts: handle.restarts().count(),
            log_lines_lost: log.lost(),
            predecessors: handle.draining_processes().into_iter().map(MapPredecessor::from).collect(),
            loading_seconds: handle.preparing_for().map(|time| time.as_secs()),
        };
        Self {
            process,
            virtual_servers: virtual_servers.collect(),
            draining: draining.collect(),
            drains: ListedDrain::all(handle),
            unresolved: unresolved.collect(),
        }
    }
}

impl MapPool {
    /// Returns the pool with its status.
    fn of(pool: &Pool) -> (Status, Arc<Self>) {
        let statuses = pool.member_statuses();
        let status = pool.status_over(&statuses);
        let members = pool.members.iter().zip(statuses).map(|(member, status)| MapMember {
            name: member.key.to_string(),
            addresses: member.node.addresses().iter().map(ToString::to_string).collect(),
            discovered: member.config.discovered,
            status: status.into(),
        });
        let told = Self {
            name: pool.config.name.to_string(),
            load_balancing_mode: pool.config.load_balancing_mode.as_str().into(),
            status: status.clone().into(),
            queued: pool.live.queued(),
            members: members.collect(),
        };
        (status, Arc::new(told))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pool(name: &str, members: usize) -> Value {
        let status = json!({ "availability": "available", "state": "enabled", "reason": "up" });
        let member =
            |number| json!({ "name": format!("n:{number}"), "addresses": [], "discovered": false, "status": status });
        let members: Vec<_> = (0..members).map(member).collect();
        json!({ "name": name, "load_balancing_mode": "round-robin", "status": status, "queued": 0, "members": members })
    }

    fn read(pools: &[Value]) -> serde_json::Result<Map> {
        let server = |pool| {
            json!({ "name": "vs", "destination": "127.0.0.1:1", "hostname": null, "mode": "offload",
                "status": { "availability": "unknown", "state": "enabled", "reason": "" }, "pool": pool })
        };
        let servers: Vec<_> = pools.iter().map(server).collect();
        let process = json!({ "version": "1", "pid": 1, "phase": "serving", "restarts": 0, "log_lines_lost": 0,
            "loading_seconds": null });
        let map =
            json!({ "process": process, "virtual_servers": servers, "draining": [], "drains": [], "unresolved": [] });
        serde_json::from_str(&map.to_string())
    }

    #[test]
    fn pool_is_read_once_for_all_who_share_it() {
        // A pool may have changed while virtual servers were told one after the other.
        let map = read(&[pool("p", 3), pool("q", 1), pool("p", 3), pool("p", 2)]).unwrap();
        let pools: Vec<_> = map.virtual_servers.iter().map(|server| &server.pool).collect();
        assert!(Arc::ptr_eq(pools[0], pools[2]));
        assert_eq!([0, 1, 3].map(|it| (&*pools[it].name, pools[it].members.len())), [("p", 3), ("q", 1), ("p", 2)]);
    }

    #[test]
    fn incomplete_pool_is_refused() {
        assert!(read(&[pool("p", 1), json!({ "name": "p" })]).unwrap_err().to_string().contains("missing field"));
    }
}
