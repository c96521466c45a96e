//! The catalogue of metrics: each is declared here once, with its type, unit, labels and meaning.

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// A metric as it is declared.
#[derive(Debug)]
pub struct Metric {
    /// The part of the page that it is in.
    pub group: &'static str,
    /// Without the suffixes that its unit and type add.
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Option<Unit>,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Histogram => Self::Histogram,
        }
    }
}

impl Metric {
    /// Returns the name that queries use; of a histogram without `_bucket`, `_sum` and `_count`.
    pub fn full_name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!("_{}", unit.as_str())).unwrap_or_default();
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", self.name)
    }
}

macro_rules! metrics {
    ($($group:literal { $(static $id:ident: $kind:ident $name:literal $(in $unit:ident)? [$($label:ident),*] $help:literal;)* })*) => {
        $($(pub(super) static $id: Metric = Metric {
            group: $group,
            name: $name,
            kind: Kind::$kind,
            unit: metrics!(@unit $($unit)?),
            labels: &[$(stringify!($label)),*],
            help: $help,
        };)*)*

        /// All metrics, in the order in which they are told.
        pub static ALL: &[&Metric] = &[$($(&$id),*),*];
    };
    (@unit) => { None };
    (@unit $unit:ident) => { Some(Unit::$unit) };
}

metrics! {
    "The process" {
        static BUILD_INFO: Gauge "pronk_build_info" [version]
            "The version of pronk, as a label; the value is 1";
        static PHASE: Gauge "pronk_phase" [phase]
            "1 for the phase of the process, 0 for the others: starting, serving, draining, stopped";
        static TASK_RESTARTS: Counter "pronk_task_restarts" []
            "Tasks of the control plane that panicked and were started again; the log says why";
        static LOG_LINES_LOST: Counter "pronk_log_lines_lost" []
            "Log lines that were lost, as nobody read the log or it could not be written";
        static PREDECESSORS: Gauge "pronk_predecessors" []
            "Processes that drain after they have handed over to this one in an upgrade";
        static PREDECESSOR_CONNECTIONS: Gauge "pronk_predecessor_connections" []
            "Connections that are open in processes that drain after they have handed over; no other metric has them";
        static SERIES_DROPPED: Gauge "pronk_metrics_series_dropped" [metric]
            "Series that this scrape leaves out of a metric, as it would have too many";
        static PROCESS_START: Gauge "process_start_time" in Seconds []
            "When the process started, in seconds since 1970";
        static PROCESS_CPU: Counter "process_cpu" in Seconds []
            "Processor time that the process has used, in user and kernel mode";
        static PROCESS_MEMORY: Gauge "process_resident_memory" in Bytes []
            "Memory of the process that is in RAM";
        static PROCESS_OPEN_FDS: Gauge "process_open_fds" []
            "Open file descriptors; each connection takes two";
        static PROCESS_MAX_FDS: Gauge "process_max_fds" []
            "The limit on open file descriptors";
    }
    "The configuration" {
        static RELOADS: Counter "pronk_reloads" [result]
            "Reloads of the configuration since the start, by result: success or failure. A failure changes nothing";
        static RELOAD_SUCCESSFUL: Gauge "pronk_config_last_reload_successful" []
            "1 if the last reload was applied, 0 if it was refused, so that the file says something else than what runs";
        static RELOAD_TIME: Gauge "pronk_config_last_reload_success_timestamp" in Seconds []
            "When the configuration in force was applied, in seconds since 1970";
        static CONFIG_WARNINGS: Gauge "pronk_config_warnings" []
            "Warnings about the configuration in force";
        static NODES_UNRESOLVED: Gauge "pronk_nodes_unresolved" []
            "Nodes whose names do not resolve, whose addresses may be stale";
    }
    "Virtual servers" {
        static VS_AVAILABILITY: Gauge "pronk_virtual_server_availability" [virtual_server, mode, availability]
            "1 for the availability of a virtual server, 0 for the others: available, unavailable (at a limit), offline, unknown (not monitored)";
        static VS_STATE: Gauge "pronk_virtual_server_state" [virtual_server, mode, state]
            "1 for the administrative state of a virtual server, 0 for the others: enabled, disabled, forced-offline";
        static VS_CONNECTIONS: Gauge "pronk_virtual_server_connections" [virtual_server, mode]
            "Client connections that are open";
        static VS_CONNECTIONS_ELSEWHERE: Gauge "pronk_virtual_server_connections_elsewhere" [virtual_server, mode]
            "Client connections that are open in processes which drain after an upgrade; they count toward the limit";
        static VS_CONNECTIONS_MAX: Gauge "pronk_virtual_server_connections_max" [virtual_server, mode]
            "The most client connections that were open at once, since the start or the last reset of the statistics";
        static VS_CONNECTION_LIMIT: Gauge "pronk_virtual_server_connection_limit" [virtual_server, mode]
            "The connection limit, of virtual servers that have one";
        static VS_CONNECTIONS_TOTAL: Counter "pronk_virtual_server_client_connections" [virtual_server, mode]
            "Client connections that were let in";
        static VS_CLOSED: Counter "pronk_virtual_server_closed_connections" [virtual_server, mode, code, who, ordinary]
            "Client connections that ended, those that were not let in too, by close code, by who ended them and whether such an end is ordinary";
        static VS_BYTES: Counter "pronk_virtual_server_traffic" in Bytes [virtual_server, mode, direction]
            "Bytes of the application, without TLS and headers; in is toward members, out toward clients";
        static VS_PACKETS: Counter "pronk_virtual_server_packets" [virtual_server, mode, direction]
            "TCP segments between pronk and clients; in is from clients, out to them";
        static VS_CLIENT_HANDSHAKE: Histogram "pronk_virtual_server_client_handshake_duration" in Seconds [virtual_server, mode]
            "How long TLS handshakes with clients took that succeeded";
        static VS_FIRST_BYTE: Histogram "pronk_virtual_server_first_byte_duration" in Seconds [virtual_server, mode]
            "How long clients took until their first byte, after TLS, or until they left";
        static VS_QUEUE: Histogram "pronk_virtual_server_queue_duration" in Seconds [virtual_server, mode]
            "How long connections waited for a member, of those that waited";
        static VS_CONNECT: Histogram "pronk_virtual_server_connect_duration" in Seconds [virtual_server, mode]
            "How long connecting to members took, where it succeeded";
        static VS_MEMBER_HANDSHAKE: Histogram "pronk_virtual_server_member_handshake_duration" in Seconds [virtual_server, mode]
            "How long TLS handshakes with members took that succeeded";
        static VS_CONNECTION: Histogram "pronk_virtual_server_connection_duration" in Seconds [virtual_server, mode]
            "How long client connections lasted, counted when they end";
    }
    "Pools" {
        static POOL_AVAILABILITY: Gauge "pronk_pool_availability" [pool, availability]
            "1 for the availability of a pool, 0 for the others: available, unavailable (at a limit), offline, unknown (not monitored)";
        static POOL_MEMBERS: Gauge "pronk_pool_members" [pool, availability]
            "Members by availability, whatever their administrative state";
        static POOL_MEMBERS_ENABLED: Gauge "pronk_pool_members_enabled" [pool]
            "Members that are not disabled or forced offline, and whose nodes are not";
        static POOL_QUEUE: Gauge "pronk_pool_queue_length" [pool]
            "Connections that wait for a member";
        static POOL_CONNECTIONS: Gauge "pronk_pool_connections" [pool]
            "Connections to members that are open";
        static POOL_CONNECTIONS_MAX: Gauge "pronk_pool_connections_max" [pool]
            "The most connections to members that were open at once, since the start or the last reset of the statistics";
        static POOL_CONNECTIONS_TOTAL: Counter "pronk_pool_member_connections" [pool]
            "Connections to members that were made or tried";
        static POOL_BYTES: Counter "pronk_pool_traffic" in Bytes [pool, direction]
            "Bytes of the application, without TLS and headers; in is toward members, out toward clients";
        static POOL_PACKETS: Counter "pronk_pool_packets" [pool, direction]
            "TCP segments between pronk and members; in is to members, out from them";
    }
    "Members" {
        static MEMBER_AVAILABILITY: Gauge "pronk_member_availability" [pool, member, availability]
            "1 for the availability of a member, 0 for the others: available, unavailable (at a limit or draining), offline, unknown (not monitored)";
        static MEMBER_STATE: Gauge "pronk_member_state" [pool, member, state]
            "1 for the administrative state of a member, the stricter of its own and its node's, 0 for the others: enabled, disabled, forced-offline";
        static MEMBER_SUSPECT: Gauge "pronk_member_suspect" [pool, member]
            "1 while others are tried before the member, as connections to it hang or fail";
        static MEMBER_CONNECTIONS: Gauge "pronk_member_connections" [pool, member]
            "Connections that are open";
        static MEMBER_CONNECTIONS_ELSEWHERE: Gauge "pronk_member_connections_elsewhere" [pool, member]
            "Connections that are open in processes which drain after an upgrade; they count toward the limit";
        static MEMBER_CONNECTIONS_MAX: Gauge "pronk_member_connections_max" [pool, member]
            "The most connections that were open at once, since the start or the last reset of the statistics";
        static MEMBER_CONNECTIONS_TOTAL: Counter "pronk_member_client_connections" [pool, member]
            "Connections to the member that were made or tried";
        static MEMBER_BYTES: Counter "pronk_member_traffic" in Bytes [pool, member, direction]
            "Bytes of the application, without TLS and headers; in is toward the member, out toward clients";
        static MEMBER_PACKETS: Counter "pronk_member_packets" [pool, member, direction]
            "TCP segments between pronk and the member; in is to the member, out from it";
        static MONITOR_UP: Gauge "pronk_monitor_up" [pool, member, monitor]
            "1 if what a monitor last concluded of a member is good, 0 if not; absent as long as it has concluded nothing";
        static MONITOR_PROBES: Counter "pronk_monitor_probes" [pool, member, monitor, result]
            "Probes by result: success, failure, timeout, reported (the member says that it drains or is full), not-made (pronk lacked a resource)";
    }
    "Persistence and certificates" {
        static PERSISTENCE_RECORDS: Gauge "pronk_persistence_records" [shared_by]
            "Persistence records by who shares them: a virtual server, an address of several, or all";
        static PERSISTENCE_EVICTED: Counter "pronk_persistence_evicted" [shared_by]
            "Persistence records that had to make room for others before they expired";
        static CERTIFICATE_END: Gauge "pronk_certificate_not_after_timestamp" in Seconds [source, kind, profile]
            "When a certificate in use ends (a revocation list: its next update), in seconds since 1970. The source is a file or a member; the kind is front-end, member, revocation-list or spare";
        static CERTIFICATE_FINDINGS: Gauge "pronk_certificate_findings" [source, kind, profile, severity]
            "What the linter finds wrong with a certificate in use, by severity: error, warning, info";
        static STALE_PROFILES: Gauge "pronk_profiles_stale" []
            "SSL profiles whose files were replaced by something that cannot be used, and that go on with the last good ones";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_keep_prometheus_conventions() {
        let mut names = BTreeSet::new();
        for metric in ALL {
            let name = metric.full_name();
            assert!(name.starts_with("pronk_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "{name}");
            let is_plain = !["_total", "_count", "_sum", "_bucket", "_seconds", "_bytes"]
                .iter()
                .any(|suffix| metric.name.ends_with(suffix));
            assert!(is_plain, "{name}: type and unit add their suffixes");
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{name}: {}", metric.help);
            assert!(!metric.labels.contains(&"le"), "{name}");
            assert!(names.insert(name));
        }
    }
}
