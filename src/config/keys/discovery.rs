//! The keys of a pool that finds its members by itself.

use std::time::Duration;

use serde_json::Value as Json;

use super::declare::settings;
use super::key::Key;
use super::kind::{DAY, Kind, Optional, Pattern, Port, SECOND, Span, Words, Written, Wrong, each_text, list};
use super::member::MEMBERS;
use super::section::AnyKey;
use super::setting::{Facts, Setting};
use crate::config::fields::Fields;
use crate::model::{Discovery, Host, Seed};

/// What is written of discovery.
pub(in crate::config) struct Asked {
    seeds: Vec<Seed>,
    port: Option<u16>,
    filter: Option<String>,
    interval: Duration,
}

settings!(
    AskedKeys = Asked {
        seeds: Key::new(
            "discover-seeds",
            Seeds,
            "The web UIs to ask first: nodes, or `host` or `host:port`; by default the nodes of `members`.",
        ),
        port: Key::new(
            "discover-port",
            Optional(Port),
            "The port of discovered members; by default that of the first member, else 21050.",
        ),
        filter: Key::new(
            "discover-filter",
            Optional(Pattern),
            "A regular expression that a coordinator's host must match.",
        ),
        interval: Key::new(
            "discover-interval",
            Span(SECOND / 10, DAY),
            "How often the cluster is asked for its \
                                                                         coordinators."
        )
        .default("30s"),
    }
);

/// Discovery, where `discover` asks for it.
#[derive(Clone, Copy)]
pub(in crate::config) struct DiscoveryKeys;

const DISCOVER: Key<Optional<Words<&str>>> = Key::new(
    "discover",
    Optional(Words { all: &["impala"], word: |word| word }),
    "`impala` adds the coordinators that a coordinator's web UI lists to those in `members`.",
)
.default("none");

impl DiscoveryKeys {
    pub(super) fn discover() -> &'static str {
        DISCOVER.name()
    }

    pub(super) fn seeds() -> &'static str {
        AskedKeys::seeds()
    }
}

impl Setting for DiscoveryKeys {
    type Value = Option<Discovery>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &DISCOVER }.list(keys);
        const { &AskedKeys }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let wanted = DISCOVER.read(fields);
        // Mistakes in the other keys are told either way.
        let Asked { mut seeds, port, filter, interval } = AskedKeys.read(fields);
        wanted?;
        let members = MEMBERS.read(fields);
        if seeds.is_empty() {
            let of_members = members.iter().map(|it| Seed { host: it.node.address.to_string(), port: None });
            seeds.extend(of_members);
        }
        let first = members.first().map_or(DEFAULT_PORT, |member| member.port);
        Some(Discovery { seeds, port: port.unwrap_or(first), filter, interval })
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        DISCOVER.facts(&value.as_ref().map(|_| "impala"), facts);
        if let Some(Discovery { seeds, port, filter, interval }) = value.clone() {
            AskedKeys.facts(&Asked { seeds, port: Some(port), filter, interval }, facts);
        }
    }
}

/// Nodes, hosts, or hosts with a port.
#[derive(Clone, Copy)]
struct Seeds;

impl Kind for Seeds {
    type Value = Vec<Seed>;

    fn describe(&self) -> String {
        "text or a list of texts".into()
    }

    fn schema(&self) -> Json {
        super::kind::Texts.schema()
    }

    fn read(&self, written: Written<'_>) -> Result<Vec<Seed>, Wrong> {
        each_text(written, |text, item| {
            let node = written.fields.context.model.nodes.get(text.as_str());
            let of_node = node.map(|node| Seed { host: node.address.to_string(), port: None });
            let found = of_node.or_else(|| seed(&text));
            if found.is_none() {
                written.fields.error(item.at, format!("`{text}` is not a node, a host or `host:port`"), None);
            }
            found
        })
    }

    fn absent(&self) -> Vec<Seed> {
        Vec::new()
    }

    fn tell(&self, value: &Vec<Seed>) -> String {
        list(
            value.iter().map(|Seed { host, port }| port.map_or_else(|| host.clone(), |it| format!("{host} port {it}"))),
        )
    }
}

/// `host` or `host:port`; an IPv6 address with a port stands in brackets.
fn seed(text: &str) -> Option<Seed> {
    if let Ok(host) = Host::parse(text) {
        return Some(Seed { host: host.to_string(), port: None });
    }
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0);
    Some(Seed { host: Host::parse(host).ok()?.to_string(), port: Some(port?) })
}

/// HiveServer2's.
const DEFAULT_PORT: u16 = 21050;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_hosts_with_or_without_a_port() {
        let read = |text: &str| seed(text).map(|seed| (seed.host, seed.port));
        assert_eq!(read("n1.example.com"), Some(("n1.example.com".into(), None)));
        assert_eq!(read("10.0.0.1:25000"), Some(("10.0.0.1".into(), Some(25000))));
        assert_eq!(read("[fd00::1]:25000"), Some(("fd00::1".into(), Some(25000))));
        assert_eq!(read("fd00::1"), Some(("fd00::1".into(), None)));
        for bad in ["", "n1:", "n1:0", "n 1", "http://n1:25000"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
