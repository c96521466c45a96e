//! The metrics of connections, traffic, times and probes.

use std::fmt;

use super::catalogue::{self as metric, Metric};
use super::families::{Families, Value};
use super::readings::{MemberReading, PoolReading, VirtualServerReading};
use crate::pool::{MonitorView, ProbeResult};
use crate::stats::TrafficCounts;

pub(super) fn virtual_servers(servers: &[VirtualServerReading], families: &mut Families<'_>) -> fmt::Result {
    let each = |value: fn(&VirtualServerReading) -> Value| {
        servers.iter().map(move |it| ([it.name.as_str(), it.mode], value(it)))
    };
    families.write(&metric::VS_CONNECTIONS, each(|it| Value::Gauge(it.connections.current.into())))?;
    families.write(&metric::VS_CONNECTIONS_ELSEWHERE, each(|it| Value::Gauge(it.connections.elsewhere.into())))?;
    families.write(&metric::VS_CONNECTIONS_MAX, each(|it| Value::Gauge(it.connections.maximum.into())))?;
    let limits = servers.iter().filter_map(|it| {
        let limit = Value::Gauge(it.connection_limit?.into());
        Some(([it.name.as_str(), it.mode], limit))
    });
    families.write(&metric::VS_CONNECTION_LIMIT, limits)?;
    families.write(&metric::VS_CONNECTIONS_TOTAL, each(|it| Value::Counter(it.connections.total)))?;
    let closes = servers.iter().flat_map(|it| {
        it.closes.iter().map(|(reason, count)| {
            let ordinary = if reason.is_ordinary() { "true" } else { "false" };
            let labels = [it.name.as_str(), it.mode, reason.code(), reason.who().as_str(), ordinary];
            (labels, Value::Counter(*count))
        })
    });
    families.write(&metric::VS_CLOSED, closes)?;
    for (metric, counts) in directions(&metric::VS_BYTES, &metric::VS_PACKETS) {
        let series = servers.iter().flat_map(|it| {
            let in_and_out = counts(&it.traffic);
            in_and_out.map(|(direction, count)| ([it.name.as_str(), it.mode, direction], Value::Counter(count)))
        });
        families.write(metric, series)?;
    }
    let histograms = [
        &metric::VS_CLIENT_HANDSHAKE,
        &metric::VS_FIRST_BYTE,
        &metric::VS_QUEUE,
        &metric::VS_CONNECT,
        &metric::VS_MEMBER_HANDSHAKE,
        &metric::VS_CONNECTION,
    ];
    for (phase, metric) in histograms.into_iter().enumerate() {
        let series = servers.iter().map(|it| ([it.name.as_str(), it.mode], Value::Histogram(it.times[phase].clone())));
        families.write(metric, series)?;
    }
    Ok(())
}

pub(super) fn pools(pools: &[PoolReading], families: &mut Families<'_>) -> fmt::Result {
    let each = |value: fn(&PoolReading) -> Value| pools.iter().map(move |it| ([it.name.as_str()], value(it)));
    families.write(&metric::POOL_CONNECTIONS, each(|it| Value::Gauge(it.connections.current.into())))?;
    families.write(&metric::POOL_CONNECTIONS_MAX, each(|it| Value::Gauge(it.connections.maximum.into())))?;
    families.write(&metric::POOL_CONNECTIONS_TOTAL, each(|it| Value::Counter(it.connections.total)))?;
    for (metric, counts) in directions(&metric::POOL_BYTES, &metric::POOL_PACKETS) {
        let series = pools.iter().flat_map(|it| {
            counts(&it.traffic).map(|(direction, count)| ([it.name.as_str(), direction], Value::Counter(count)))
        });
        families.write(metric, series)?;
    }
    Ok(())
}

pub(super) fn members(pools: &[PoolReading], families: &mut Families<'_>) -> fmt::Result {
    let each = |value: fn(&MemberReading) -> Value| {
        members_of(pools).map(move |(pool, it)| ([pool, it.name.as_str()], value(it)))
    };
    families.write(&metric::MEMBER_CONNECTIONS, each(|it| Value::Gauge(it.connections.current.into())))?;
    families.write(&metric::MEMBER_CONNECTIONS_ELSEWHERE, each(|it| Value::Gauge(it.connections.elsewhere.into())))?;
    families.write(&metric::MEMBER_CONNECTIONS_MAX, each(|it| Value::Gauge(it.connections.maximum.into())))?;
    families.write(&metric::MEMBER_CONNECTIONS_TOTAL, each(|it| Value::Counter(it.connections.total)))?;
    for (metric, counts) in directions(&metric::MEMBER_BYTES, &metric::MEMBER_PACKETS) {
        let series = members_of(pools).flat_map(|(pool, it)| {
            counts(&it.traffic).map(|(direction, count)| ([pool, it.name.as_str(), direction], Value::Counter(count)))
        });
        families.write(metric, series)?;
    }
    Ok(())
}

pub(super) fn monitors(pools: &[PoolReading], families: &mut Families<'_>) -> fmt::Result {
    let monitors = || members_of(pools).flat_map(|(pool, it)| it.monitors.iter().map(move |view| (pool, it, view)));
    let verdicts = monitors().filter_map(|(pool, member, view): (&str, &MemberReading, &MonitorView)| {
        Some(([pool, member.name.as_str(), view.monitor.as_str()], Value::Gauge(view.is_up?.into())))
    });
    families.write(&metric::MONITOR_UP, verdicts)?;
    let probes = monitors().flat_map(|(pool, member, view)| {
        ProbeResult::ALL.into_iter().filter_map(move |result| {
            let count = view.probes(result);
            // What never happened is told of the usual results alone.
            let is_told = count > 0 || matches!(result, ProbeResult::Success | ProbeResult::Failure);
            let labels = [pool, member.name.as_str(), view.monitor.as_str(), result.as_str()];
            is_told.then_some((labels, Value::Counter(count)))
        })
    });
    families.write(&metric::MONITOR_PROBES, probes)
}

fn members_of(pools: &[PoolReading]) -> impl Iterator<Item = (&str, &MemberReading)> {
    pools.iter().flat_map(|pool| pool.members.iter().map(|member| (pool.name.as_str(), member)))
}

type Directions = fn(&TrafficCounts) -> [(&'static str, u64); 2];

/// Returns the metrics of bytes and of packets, each with what it counts.
fn directions(bytes: &'static Metric, packets: &'static Metric) -> [(&'static Metric, Directions); 2] {
    [
        (bytes, |it| [("in", it.bytes_in), ("out", it.bytes_out)]),
        (packets, |it| [("in", it.packets_in), ("out", it.packets_out)]),
    ]
}
