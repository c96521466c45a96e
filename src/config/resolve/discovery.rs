use std::collections::BTreeMap;
use std::sync::Arc;

use super::Resolver;
use crate::config::fields::Fields;
use crate::config::scalar;
use crate::model::{Discovery, Host, Member, Monitor, MonitorKind, Name, Node, Seed};

impl Resolver<'_> {
    /// How a pool finds members by itself, if it does. Notes what it would need.
    pub(super) fn discovery(
        &self,
        fields: &mut Fields<'_>,
        nodes: &BTreeMap<Name, Arc<Node>>,
        members: &[Arc<Member>],
        monitors: &[Arc<Monitor>],
    ) -> Option<Discovery> {
        fields.node("discover")?;
        let at = fields.place("discover");
        if fields.word("discover").is_empty() {
            return None;
        }
        let asks = |monitor: &Arc<Monitor>| match &monitor.kind {
            MonitorKind::Impala(check) => check.web.is_some(),
            _ => false,
        };
        if !monitors.iter().any(asks) {
            let help = "write `monitors: [impala]`: its web-port, TLS, user and password are those to ask with";
            self.reader.error(at, "discovery needs an impala monitor that asks the web UI", Some(help.to_owned()));
        }
        let mut seeds = Vec::new();
        for (text, at) in fields.texts("discover-seeds") {
            match nodes.get(text.as_str()) {
                Some(node) => seeds.push(Seed { host: node.address.to_string(), port: None }),
                None => match seed(&text) {
                    Some(seed) => seeds.push(seed),
                    None => {
                        let message = format!("`{text}` is not a node, a host or `host:port`");
                        self.reader.error(at, message, None);
                    }
                },
            }
        }
        if seeds.is_empty() {
            let nodes = members.iter().map(|member| Seed { host: member.node.address.to_string(), port: None });
            seeds.extend(nodes);
        }
        if seeds.is_empty() {
            let help = "write `discover-seeds`, or a member: its node is asked".to_owned();
            self.reader.error(at, "discovery has nobody to ask", Some(help));
        }
        let first = members.first().map_or(DEFAULT_PORT, |member| member.port);
        let port = fields.parsed("discover-port", |text| text.parse().ok().filter(|port| *port > 0)).unwrap_or(first);
        let filter = fields.parsed("discover-filter", |text| scalar::pattern(text).ok().map(|_| text.to_owned()));
        let interval = fields.duration("discover-interval");
        Some(Discovery { seeds, port, filter, interval })
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
