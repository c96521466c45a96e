use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::{Resolver, host_name, profiles};
use crate::config::Severity;
use crate::config::schema::VIRTUAL_SERVER;
use crate::config::source::At;
use crate::config::tree::Entry;
use crate::model::profile::ProtocolKind;
use crate::model::{Dial, Name, Pool, VirtualServer, VirtualServerKind};

impl<'a> Resolver<'a> {
    pub(super) fn virtual_server(&self, entry: &'a Entry, pools: &BTreeMap<Name, Arc<Pool>>) -> Option<VirtualServer> {
        let mut fields = self.fields(entry, &VIRTUAL_SERVER);
        let description = fields.text("description");
        let kind = match fields.word("type").as_str() {
            "performance-l4" => VirtualServerKind::PerformanceL4,
            _ => VirtualServerKind::Standard,
        };
        let written = fields.required("destination");
        let destination = destination(&written);
        if destination.is_none() && !written.is_empty() {
            let help = "write `address:port`, `[v6-address]:port`, or `\"*:port\"` for every address".to_owned();
            let message = format!("`{written}` is not an address with a port");
            fields.reader.error(fields.place("destination"), message, Some(help));
        }
        let hostname = host_name(&mut fields, "hostname");
        let pool_name = fields.required("pool");
        let mut reference = |key: &str| {
            let named = fields.text(key).filter(|name| !name.is_empty() && name != "none");
            named.map(|name| (name, fields.place(key)))
        };
        let persistence = reference("persistence");
        let client_ssl = reference("client-ssl");
        let server_ssl = reference("server-ssl");
        let protocol = reference("protocol");
        let source = fields.texts("source");
        let source = source.into_iter().filter_map(|(text, at)| {
            network(&text).or_else(|| {
                let message = format!("`{text}` is not a network such as 10.0.0.0/8");
                fields.reader.error(at, message, None);
                None
            })
        });
        let source = source.collect();
        let connection_limit = fields.limit("connection-limit");
        let enabled = fields.flag("enabled");
        let dial = if fields.word("dial") == "accept" { Dial::Accept } else { Dial::FirstByte };
        if fields.word("source-address-translation") == "none" {
            let help = "a full proxy connects to members from its own address: leave this out, or write automap";
            let message = "source-address-translation `none` cannot be had";
            fields.reader.error(fields.place("source-address-translation"), message, Some(help.to_owned()));
        }
        let pool_at = fields.place("pool");

        if kind == VirtualServerKind::PerformanceL4
            && let Some((_, at)) = client_ssl.as_ref().or(server_ssl.as_ref())
        {
            let message = format!("virtual server `{}` is performance-l4, which takes no SSL profile", entry.key);
            self.reader.error(*at, message, Some("write `type: standard`".to_owned()));
        }
        let pool = pools.get(pool_name.as_str()).cloned();
        if pool.is_none() && !pool_name.is_empty() {
            self.unknown("pool", "pools", &pool_name, pool_at);
        }
        let persistence = persistence.and_then(|(name, at)| {
            let (_, shape, inherited) = self.named_profile(&name, at, &["source-addr"])?;
            Some(self.make((shape, inherited), |fields| profiles::persistence(&name, fields)))
        });
        let client_ssl = client_ssl.and_then(|(name, at)| {
            let (_, shape, inherited) = self.named_profile(&name, at, &["client-ssl"])?;
            if !inherited.iter().any(|inner| inner.key == "cert-key-chain") {
                let help = "make a profile with `defaults-from` and a `cert-key-chain`".to_owned();
                self.reader.error(at, format!("client-ssl profile `{name}` has no certificate"), Some(help));
            }
            Some(self.make((shape, inherited), |fields| profiles::client_ssl(&name, fields)))
        });
        let server_ssl = server_ssl.and_then(|(name, at)| {
            let (_, shape, inherited) = self.named_profile(&name, at, &["server-ssl"])?;
            let profile = self.make((shape, inherited), |fields| profiles::server_ssl(&name, fields));
            if !profile.verify {
                let message =
                    format!("`{name}` verifies nothing: anyone on the network can pose as a member of `{}`", entry.key);
                let help = "use serverssl with the ca-file of the cluster".to_owned();
                self.reader.report(Severity::Warning, at, message, Some(help));
            }
            Some(profile)
        });
        let (protocol, protocol_at) = protocol.unwrap_or_else(|| {
            let default = if kind == VirtualServerKind::Standard { "tcp" } else { "fastL4" };
            (default.to_owned(), At::default())
        });
        let types: &[&str] = if kind == VirtualServerKind::Standard { &["tcp", "fastL4"] } else { &["fastL4"] };
        let (kind_of_protocol, shape, inherited) = self.named_profile(&protocol, protocol_at, types)?;
        let protocol_kind = if kind_of_protocol == "tcp" { ProtocolKind::Tcp } else { ProtocolKind::FastL4 };
        let protocol = self.make((shape, inherited), |fields| profiles::protocol(&protocol, protocol_kind, fields));
        Some(VirtualServer {
            name: Name::from(entry.key.as_str()),
            description,
            kind,
            destination: destination?,
            hostname,
            pool: pool?,
            persistence,
            client_ssl,
            server_ssl,
            protocol,
            dial,
            connection_limit,
            source,
            enabled,
        })
    }

    /// Notes destinations that two enabled virtual servers cannot both listen on.
    pub(super) fn check_destinations(&self, virtual_servers: &BTreeMap<Name, Arc<VirtualServer>>) {
        let mut seen: Vec<&VirtualServer> = Vec::new();
        for entry in self.document.section("virtual-servers") {
            let Some(this) = virtual_servers.get(entry.key.as_str()).filter(|this| this.enabled) else { continue };
            if let Some(other) = seen.iter().find(|other| overlap(this.destination, other.destination)) {
                let at = entry.value.entry("destination").map_or(entry.key_at, |entry| entry.value.at);
                let message = format!(
                    "virtual server `{}` cannot listen on {}: `{}` listens on {}",
                    this.name, this.destination, other.name, other.destination
                );
                self.reader.error(at, message, None);
            }
            seen.push(this);
        }
    }
}

fn destination(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("*:") {
        Some(port) => Some(SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), port.parse().ok()?)),
        None => text.parse().ok(),
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: std::net::IpAddr| address.into()))
}

/// Port 0 asks the system for a free port, which never collides.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let covers = |wide: SocketAddr, narrow: SocketAddr| {
        wide.ip() == narrow.ip() || (wide.ip().is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4()))
    };
    one.port() != 0 && one.port() == other.port() && (covers(one, other) || covers(other, one))
}
