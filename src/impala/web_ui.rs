//! The JSON of an impalad's web UI: what it is, and how busy it is.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Host;

/// What a daemon is for, and whether it is going.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Whether clients can connect to it; a daemon that does not report it is taken for a coordinator.
    pub is_coordinator: Option<bool>,
    /// Whether it shuts down gracefully.
    pub is_quiescing: Option<bool>,
    /// How far the shutdown is, in the daemon's words.
    pub shutdown_status: Option<String>,
}

impl Role {
    /// Reads the page `/?json`; `None` when it is none.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Returns whether the page has both; those of old daemons do not.
    pub fn is_complete(&self) -> bool {
        self.is_coordinator.is_some() && self.is_quiescing.is_some()
    }
}

/// Reads the page `/backends?json`, on which a coordinator lists every daemon, for the row of the daemon whose web UI
/// is at one of these `host:port`s.
pub fn backend_role(json: &[u8], web_uis: &[String]) -> Option<Role> {
    let page: Value = serde_json::from_slice(json).ok()?;
    let own = |row: &&Value| {
        let url = row.get("webserver_url").and_then(Value::as_str).unwrap_or_default();
        let host_and_port = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
        web_uis.iter().any(|web_ui| web_ui.eq_ignore_ascii_case(host_and_port))
    };
    let row = page.get("backends")?.as_array()?.iter().find(own)?;
    Role::deserialize(row).ok()
}

/// A coordinator that takes clients, as `/backends?json` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coordinator {
    /// A host name in lower case, or an IP address.
    pub host: String,
    /// The port of its web UI, if that is known.
    pub web_port: Option<u16>,
}

/// Reads the page `/backends?json` for the coordinators that take clients: those that neither shut down, nor are
/// blacklisted, nor have left. Rows that cannot be read are left out. `None` when the page is none.
pub fn coordinators(json: &[u8]) -> Option<Vec<Coordinator>> {
    let page: Value = serde_json::from_slice(json).ok()?;
    let takes_clients = |row: &&Value| {
        let flag = |key: &str| row.get(key).and_then(Value::as_bool);
        flag("is_coordinator") == Some(true)
            && flag("is_quiescing") != Some(true)
            && flag("is_blacklisted") != Some(true)
            && flag("is_active") != Some(false)
    };
    let rows = page.get("backends")?.as_array()?.iter().filter(takes_clients);
    Some(rows.filter_map(coordinator).take(MOST_COORDINATORS).collect())
}

fn coordinator(row: &Value) -> Option<Coordinator> {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let url = text("webserver_url");
    let web_ui = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    // A web UI that listens on all addresses does not show its own.
    let host_and_port =
        |text: &str| Some(host_and_port(text)?).filter(|(host, _)| !matches!(host.as_str(), "0.0.0.0" | "::"));
    match (host_and_port(web_ui), host_and_port(text("address"))) {
        (Some((host, web_port)), _) => Some(Coordinator { host, web_port }),
        (None, Some((host, _))) => Some(Coordinator { host, web_port: None }),
        (None, None) => None,
    }
}

/// Reads `host` or `host:port`, where an IPv6 address with a port is in brackets.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    if let Ok(host) = Host::parse(text) {
        return Some((host.to_string(), None));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some((Host::parse(host).ok()?.to_string(), Some(port.parse().ok()?)))
}

/// What a daemon counts. Whatever it does not report is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Connections to the front end that was asked for.
    pub connections_in_use: Option<u64>,
    pub setup_queue: Option<u64>,
    pub queries_registered: Option<u64>,
    /// Over all pools.
    pub admission_queued: Option<u64>,
    pub memory_fraction: Option<f64>,
}

impl Metrics {
    /// Reads the page `/jsonmetrics?json`; `frontend` is `hiveserver2`, `beeswax` or `hiveserver2-http`.
    pub fn parse(json: &[u8], frontend: &str) -> Option<Self> {
        let page: Map<String, Value> = serde_json::from_slice(json).ok()?;
        let count = |name: &str| page.get(name).and_then(Value::as_u64);
        let queued = page.iter().filter(|(name, _)| name.starts_with(QUEUED)).filter_map(|(_, value)| value.as_u64());
        let queued: Vec<_> = queued.collect();
        let of_limit = |limit: f64| Some(page.get("memory.rss")?.as_f64()? / limit);
        let limit = page.get("mem-tracker.process.limit").and_then(Value::as_f64).filter(|limit| *limit > 0.0);
        Some(Self {
            connections_in_use: count(&format!("impala.thrift-server.{frontend}-frontend.connections-in-use")),
            setup_queue: count(&format!("impala.thrift-server.{frontend}-frontend.connection-setup-queue-size")),
            queries_registered: count("impala-server.num-queries-registered"),
            admission_queued: queued.into_iter().reduce(u64::saturating_add),
            memory_fraction: limit.and_then(of_limit),
        })
    }
}

/// A cluster has a few; more would not be a cluster's page.
const MOST_COORDINATORS: usize = 1000;
const QUEUED: &str = "admission-controller.local-num-queued.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn root_page_tells_the_role() {
        let page = br#"{"version": "4.6", "is_coordinator": true, "is_executor": false, "is_quiescing": true,
            "shutdown_status": "shutdown grace period left: 2m"}"#;
        let role = Role::parse(page).unwrap();
        assert_eq!((role.is_coordinator, role.is_quiescing), (Some(true), Some(true)));
        assert_eq!(role.shutdown_status.as_deref(), Some("shutdown grace period left: 2m"));
        assert!(role.is_complete());
        assert!(!Role::parse(b"{}").unwrap().is_complete(), "an old daemon's page is no mistake");
        assert_eq!(Role::parse(b"<html>"), None);
    }

    #[test]
    fn backends_page_has_a_row_for_each_daemon() {
        let page = br#"{"backends": [
            {"webserver_url": "http://n1:25000", "is_coordinator": false, "is_quiescing": false},
            {"webserver_url": "https://N2:25000/", "is_coordinator": true, "is_quiescing": true}, 7]}"#;
        let role = |web_ui: &str| backend_role(page, &[web_ui.to_owned()]);
        assert_eq!(role("n1:25000").unwrap().is_coordinator, Some(false));
        assert_eq!(role("n2:25000").unwrap().is_quiescing, Some(true));
        assert_eq!(role("n3:25000"), None);
    }

    #[test]
    fn coordinators_are_those_that_take_clients() {
        let page = br#"{"backends": [
            {"address": "C1.example.com:27000", "webserver_url": "http://C1.example.com:25000", "is_coordinator": true},
            {"address": "c2:27000", "webserver_url": "http://0.0.0.0:25000", "is_coordinator": true, "is_active": true},
            {"address": "10.0.0.3:27000", "is_coordinator": true, "is_quiescing": false, "is_blacklisted": false},
            {"address": "gone:27000", "is_coordinator": true, "is_active": false},
            {"address": "leaving:27000", "is_coordinator": true, "is_quiescing": true},
            {"address": "bad:27000", "is_coordinator": true, "is_blacklisted": true},
            {"address": "executor:27000", "is_coordinator": false},
            {"address": "no host here", "is_coordinator": true}, {"is_coordinator": true}, 7]}"#;
        let found = coordinators(page).unwrap().into_iter().map(|it| (it.host, it.web_port));
        let wanted = [("c1.example.com", Some(25000)), ("c2", None), ("10.0.0.3", None)];
        assert_eq!(found.collect::<Vec<_>>(), wanted.map(|(host, port)| (host.to_owned(), port)));
        assert_eq!(coordinators(b"{}"), None);
    }

    #[test]
    fn metrics_are_of_the_front_end_asked_for() {
        let page = br#"{"impala.thrift-server.hiveserver2-frontend.connections-in-use": 64,
            "impala.thrift-server.hiveserver2-frontend.connection-setup-queue-size": 3,
            "impala.thrift-server.beeswax-frontend.connections-in-use": 1,
            "impala-server.num-queries-registered": 12, "memory.rss": 750, "mem-tracker.process.limit": 1000,
            "admission-controller.local-num-queued.root.a": 2, "admission-controller.local-num-queued.root.b": 3,
            "impala-server.query-durations-ms": {"count": 1}}"#;
        let metrics = Metrics::parse(page, "hiveserver2").unwrap();
        let wanted = Metrics {
            connections_in_use: Some(64),
            setup_queue: Some(3),
            queries_registered: Some(12),
            admission_queued: Some(5),
            memory_fraction: Some(0.75),
        };
        assert_eq!(metrics, wanted);
        assert_eq!(Metrics::parse(page, "beeswax").unwrap().connections_in_use, Some(1));
        let odd =
            br#"{"memory.rss": "much", "mem-tracker.process.limit": 0, "impala-server.num-queries-registered": -1}"#;
        assert_eq!(Metrics::parse(odd, "beeswax"), Some(Metrics::default()));
        assert_eq!(Metrics::parse(b"[]", "beeswax"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "[\\[\\]{}:,\"a-z0-9.-]{0,60}",
        ) {
            for json in [&bytes[..], text.as_bytes()] {
                let _ = (Role::parse(json), backend_role(json, &[]));
                let _ = (Metrics::parse(json, "beeswax"), coordinators(json));
            }
        }
    }
}
