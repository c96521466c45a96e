//! The statistics of virtual servers, pools and members (`pronk show stats`), as JSON, and their reset.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::each_once::EachOnce;
use crate::cert::date::instant;
use crate::control::Serving;
use crate::model::Name;
use crate::pool::{Pool, PoolMember, Status};
use crate::stats::{ConnectionCounts, Counts};
use crate::words::bounded;

/// Statistics of virtual servers, pools and members.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// When the process started, from which counts begin that were never reset. As in `2027-02-03T04:05:06Z`.
    pub started: String,
    pub virtual_servers: Vec<StatisticsRow>,
    pub pools: Vec<PoolStatistics>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PoolStatistics {
    #[serde(flatten)]
    pub row: StatisticsRow,
    pub members: Vec<StatisticsRow>,
}

/// The statistics of one virtual server, pool or member. `in` is toward members, `out` toward clients.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsRow {
    pub name: String,
    /// available, unavailable, offline or unknown.
    pub availability: String,
    /// enabled, disabled or forced-offline.
    pub state: String,
    /// When its statistics were reset; null if they never were.
    pub since: Option<String>,
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

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionStatistics {
    /// In this process.
    pub current: u32,
    /// In processes that drain after an upgrade; they count toward limits.
    #[serde(default)]
    pub elsewhere: u32,
    /// The most there were at once.
    pub maximum: u32,
    pub total: u64,
}

/// Which statistics are reset; without any of these all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetQuery {
    virtual_server: Option<String>,
    /// With its members.
    pool: Option<String>,
    /// `node:port` in every pool that has it, or `pool/node:port`.
    member: Option<String>,
}

/// Whose statistics were reset.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsReset {
    pub virtual_servers: usize,
    pub pools: usize,
    pub members: usize,
    /// From when they count. As in `2027-02-03T04:05:06Z`.
    pub since: String,
}

impl StatisticsRow {
    fn of(name: String, status: &Status, counts: &Counts) -> Self {
        let ConnectionCounts { current, elsewhere, maximum, total } = counts.connections;
        Self {
            name,
            availability: status.availability.as_str().into(),
            state: status.state.as_str().into(),
            since: counts.since.map(in_words),
            bits_in: counts.traffic.bytes_in * 8,
            bits_out: counts.traffic.bytes_out * 8,
            packets_in: counts.traffic.packets_in,
            packets_out: counts.traffic.packets_out,
            connections: ConnectionStatistics { current, elsewhere, maximum, total },
            closes: BTreeMap::new(),
        }
    }
}

impl Stats {
    pub fn of(serving: &Serving, started: SystemTime) -> Self {
        let mut statuses = EachOnce::default();
        let virtual_servers = serving.virtual_servers.values().map(|live| {
            let (counts, closes) = live.statistics();
            let closes = closes.map(|(reason, count)| (reason.code().to_owned(), count)).collect();
            let snapshot = live.snapshot.load();
            let status = live.status_over(&snapshot, statuses.of(&snapshot.pool, Pool::status));
            StatisticsRow { closes, ..StatisticsRow::of(live.name.to_string(), &status, &counts) }
        });
        let pools = serving.pools.values().map(|pool| {
            let statuses = pool.member_statuses();
            let members =
                pool.members.iter().zip(&statuses).map(|(member, status)| {
                    StatisticsRow::of(member.key.to_string(), status, &member.live.statistics())
                });
            let (name, status) = (pool.config.name.to_string(), pool.status_over(&statuses));
            PoolStatistics {
                row: StatisticsRow::of(name, &status, &pool.live.statistics()),
                members: members.collect(),
            }
        });
        Self { started: in_words(started), virtual_servers: virtual_servers.collect(), pools: pools.collect() }
    }
}

impl ResetQuery {
    /// Resets what is asked for.
    ///
    /// # Errors
    /// There is nothing of that name.
    pub(super) fn reset(&self, serving: &Serving, now: SystemTime) -> Result<StatisticsReset, String> {
        let Self { virtual_server, pool, member } = self;
        let all = virtual_server.is_none() && pool.is_none() && member.is_none();
        let is_meant = |wanted: &Option<String>, name: &Name| all || wanted.as_deref() == Some(name.as_str());
        let servers: Vec<_> =
            serving.virtual_servers.values().filter(|it| is_meant(virtual_server, &it.name)).collect();
        let pools: Vec<_> = serving.pools.values().filter(|it| is_meant(pool, &it.config.name)).collect();
        let named: Vec<_> = serving.pools.values().flat_map(|pool| member_named(pool, member.as_deref())).collect();
        // All names are looked up before anything changes.
        for (kind, name, found) in [
            ("virtual server", virtual_server, !servers.is_empty()),
            ("pool", pool, !pools.is_empty()),
            ("member", member, !named.is_empty()),
        ] {
            if let Some(name) = name.as_deref().filter(|_| !found) {
                return Err(format!("there is no {kind} `{}`", bounded(name)));
            }
        }
        servers.iter().for_each(|server| server.reset_statistics(now));
        pools.iter().for_each(|pool| pool.live.reset_statistics(now));
        let mut members: Vec<_> = pools.iter().flat_map(|pool| &pool.members).chain(named).map(|it| &it.live).collect();
        members.sort_by_key(|live| Arc::as_ptr(live));
        members.dedup_by_key(|live| Arc::as_ptr(live));
        members.iter().for_each(|member| member.reset_statistics(now));
        Ok(StatisticsReset {
            virtual_servers: servers.len(),
            pools: pools.len(),
            members: members.len(),
            since: in_words(now),
        })
    }
}

/// Returns the member of a pool that is meant by `node:port` or `pool/node:port`.
fn member_named<'a>(pool: &'a Pool, wanted: Option<&str>) -> Option<&'a PoolMember> {
    let wanted = match wanted?.split_once('/') {
        Some((of_pool, member)) if of_pool == pool.config.name.as_str() => member,
        Some(_) => return None,
        None => wanted?,
    };
    pool.members.iter().find(|member| member.key.to_string() == wanted)
}

fn in_words(time: SystemTime) -> String {
    instant(time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64))
}
