//! Writing all metrics of one scrape.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::catalogue as metric;
use super::families::{Families, Value};
use super::process::ProcessReading;
use super::readings::{Readings, VirtualServerReading};
use super::traffic_families as traffic;
use crate::control::{Handle, Phase};
use crate::log::Log;
use crate::model::AdminState;
use crate::pool::Availability;

/// Reads the running system, and writes its metrics.
#[derive(Debug)]
pub(super) struct PronkCollector {
    pub(super) handle: Handle,
    pub(super) log: Log,
    /// Series that a metric has at most.
    pub(super) most: usize,
}

impl Collector for PronkCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let readings = Readings::of(&self.handle);
        let mut families = Families::new(encoder, self.most);
        self.process(&mut families)?;
        self.configuration(&mut families)?;
        virtual_server_states(&readings.virtual_servers, &mut families)?;
        traffic::virtual_servers(&readings.virtual_servers, &mut families)?;
        pool_states(&readings, &mut families)?;
        traffic::pools(&readings.pools, &mut families)?;
        member_states(&readings, &mut families)?;
        traffic::members(&readings.pools, &mut families)?;
        traffic::monitors(&readings.pools, &mut families)?;
        self.persistence_and_certificates(&readings, &mut families)?;
        let dropped = std::mem::take(&mut families.dropped);
        let series = dropped.iter().map(|(name, count)| ([name.as_str()], gauge(*count)));
        families.write(&metric::SERIES_DROPPED, series)
    }
}

impl PronkCollector {
    fn process(&self, families: &mut Families<'_>) -> fmt::Result {
        families.write(&metric::BUILD_INFO, [([env!("CARGO_PKG_VERSION")], Value::Gauge(1))])?;
        let current = self.handle.phase();
        families.write(&metric::PHASE, Phase::ALL.map(|phase| ([phase.as_str()], is(phase == current))))?;
        families.write(&metric::TASK_RESTARTS, [([], Value::Counter(self.handle.restarts().count()))])?;
        families.write(&metric::LOG_LINES_LOST, [([], Value::Counter(self.log.lost()))])?;
        let predecessors = self.handle.draining_processes();
        let connections: u64 = predecessors.iter().filter_map(|it| Some(it.report?.connections)).sum();
        families.write(&metric::PREDECESSORS, [([], gauge(predecessors.len()))])?;
        families.write(&metric::PREDECESSOR_CONNECTIONS, [([], Value::Gauge(connections as i64))])?;
        let process = ProcessReading::now();
        let one = |value: Option<Value>| value.map(|value| ([], value));
        families.write(&metric::PROCESS_START, one(process.started.map(Value::Fraction)))?;
        families.write(&metric::PROCESS_CPU, one(process.cpu_seconds.map(Value::FractionCounter)))?;
        families.write(&metric::PROCESS_MEMORY, one(process.resident_bytes.map(|bytes| Value::Gauge(bytes as i64))))?;
        families.write(&metric::PROCESS_OPEN_FDS, one(process.open_files.map(gauge)))?;
        families.write(&metric::PROCESS_MAX_FDS, one(process.open_file_limit.map(|limit| Value::Gauge(limit as i64))))
    }

    fn configuration(&self, families: &mut Families<'_>) -> fmt::Result {
        let reloads = self.handle.reloads();
        let results = [("success", reloads.succeeded()), ("failure", reloads.failed())];
        families.write(&metric::RELOADS, results.map(|(result, count)| ([result], Value::Counter(count))))?;
        families.write(&metric::RELOAD_SUCCESSFUL, [([], is(!reloads.has_last_failed()))])?;
        families.write(&metric::RELOAD_TIME, reloads.applied().map(|time| ([], Value::Gauge(time))))?;
        families.write(&metric::CONFIG_WARNINGS, [([], Value::Gauge(reloads.warnings() as i64))])?;
        families.write(&metric::NODES_UNRESOLVED, [([], gauge(self.handle.registry().unresolved().len()))])
    }

    fn persistence_and_certificates(&self, readings: &Readings, families: &mut Families<'_>) -> fmt::Result {
        let records = readings.persistence.iter();
        families.write(
            &metric::PERSISTENCE_RECORDS,
            records.clone().map(|(shared_by, count, _)| ([shared_by.as_str()], gauge(*count))),
        )?;
        families.write(
            &metric::PERSISTENCE_EVICTED,
            records.map(|(shared_by, _, evicted)| ([shared_by.as_str()], Value::Counter(*evicted))),
        )?;
        let certificates = &readings.certificates;
        let ends = certificates.iter().filter_map(|it| {
            Some(([it.source.as_str(), it.kind.as_str(), it.profile.as_str()], Value::Gauge(it.not_after?)))
        });
        families.write(&metric::CERTIFICATE_END, ends)?;
        let findings = certificates.iter().flat_map(|it| {
            let of_severity = |(severity, count): (&'static str, usize)| {
                ([it.source.as_str(), it.kind.as_str(), it.profile.as_str(), severity], gauge(count))
            };
            ["error", "warning", "info"].into_iter().zip(it.findings).map(of_severity)
        });
        families.write(&metric::CERTIFICATE_FINDINGS, findings)?;
        families.write(&metric::STALE_PROFILES, [([], gauge(self.handle.certificates().stale_profiles()))])
    }
}

fn virtual_server_states(servers: &[VirtualServerReading], families: &mut Families<'_>) -> fmt::Result {
    let availability = servers.iter().flat_map(|it| {
        Availability::ALL.map(|word| ([it.name.as_str(), it.mode, word.as_str()], is(it.status.availability == word)))
    });
    families.write(&metric::VS_AVAILABILITY, availability)?;
    let states = servers.iter().flat_map(|it| {
        AdminState::ALL.map(|word| ([it.name.as_str(), it.mode, word.as_str()], is(it.status.state == word)))
    });
    families.write(&metric::VS_STATE, states)
}

fn pool_states(readings: &Readings, families: &mut Families<'_>) -> fmt::Result {
    let pools = readings.pools.iter();
    let availability = pools.clone().flat_map(|pool| {
        Availability::ALL.map(|word| ([pool.name.as_str(), word.as_str()], is(pool.status.availability == word)))
    });
    families.write(&metric::POOL_AVAILABILITY, availability)?;
    let members = pools.clone().flat_map(|pool| {
        Availability::ALL.map(|word| {
            let count = pool.members.iter().filter(|member| member.status.availability == word).count();
            ([pool.name.as_str(), word.as_str()], gauge(count))
        })
    });
    families.write(&metric::POOL_MEMBERS, members)?;
    let enabled = pools.clone().map(|pool| {
        let count = pool.members.iter().filter(|member| member.status.state == AdminState::Enabled).count();
        ([pool.name.as_str()], gauge(count))
    });
    families.write(&metric::POOL_MEMBERS_ENABLED, enabled)?;
    families.write(&metric::POOL_QUEUE, pools.map(|pool| ([pool.name.as_str()], gauge(pool.queued))))
}

fn member_states(readings: &Readings, families: &mut Families<'_>) -> fmt::Result {
    let members = || readings.pools.iter().flat_map(|pool| pool.members.iter().map(|member| (&*pool.name, member)));
    let availability = members().flat_map(|(pool, it)| {
        Availability::ALL.map(|word| ([pool, &it.name, word.as_str()], is(it.status.availability == word)))
    });
    families.write(&metric::MEMBER_AVAILABILITY, availability)?;
    let states = members().flat_map(|(pool, it)| {
        AdminState::ALL.map(|word| ([pool, &it.name, word.as_str()], is(it.status.state == word)))
    });
    families.write(&metric::MEMBER_STATE, states)?;
    families.write(&metric::MEMBER_SUSPECT, members().map(|(pool, it)| ([pool, &it.name], is(it.is_suspect))))
}

fn is(so: bool) -> Value {
    Value::Gauge(so.into())
}

fn gauge(count: usize) -> Value {
    Value::Gauge(count as i64)
}
