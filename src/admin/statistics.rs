//! The statistics of virtual servers, pools and members (`pronk show stats`), as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Serving;
use crate::pool::Status;
use crate::stats::{ConnectionCounts, Connections, Traffic};

/// Statistics of virtual servers, pools and members.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    pub virtual_servers: Vec<StatisticsRow>,
    pub pools: Vec<PoolStatistics>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PoolStatistics {
    #[serde(flatten)]
    pub row: StatisticsRow,
    pub members: Vec<StatisticsRow>,
}

/// The statistics of one virtual server, pool or member. `in` is toward members, `out` toward clients.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
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
    /// Closed connections by the code of their close reason; of virtual servers only.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub closes: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
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
            closes: BTreeMap::new(),
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
