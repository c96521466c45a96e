use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::{Resolver, profiles};
use crate::config::Severity;
use crate::config::fields::Fields;
use crate::config::schema::{self, VIRTUAL_SERVER};
use crate::config::source::At;
use crate::config::tree::{Entry, Value};
use crate::model::profile::{Persistence, PersistenceKind, ProtocolKind};
use crate::model::{Dial, ImmediateAction, LoadBalancing, Name, Pool, VirtualServer, VirtualServerKind, overlap};

impl<'a> Resolver<'a> {
    pub(super) fn virtual_server(&self, entry: &'a Entry, pools: &BTreeMap<Name, Arc<Pool>>) -> Option<VirtualServer> {
        let mut fields = self.fields(entry, &VIRTUAL_SERVER)?;
        let description = fields.text("description");
        let kind = match fields.word("type").as_str() {
            "performance-l4" => VirtualServerKind::PerformanceL4,
            _ => VirtualServerKind::Standard,
        };
        fields.require("destination");
        let destination = fields.parsed("destination", destination);
        let hostname = fields.host_name("hostname");
        fields.require("pool");
        let pool_name = fields.text("pool").unwrap_or_default();
        let mut reference = |key: &str| {
            let named = fields.text(key).filter(|name| name != "none");
            named.map(|name| (name, fields.place(key)))
        };
        let persistence = reference("persistence");
        let fallback_persistence = reference("fallback-persistence");
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
        let (connection_limit, rate_limit) = (fields.limit("connection-limit"), fields.limit("rate-limit"));
        let state = super::state(&mut fields);
        let service_down_immediate_action = match fields.word("service-down-immediate-action").as_str() {
            "reset" => ImmediateAction::Reset,
            "drop" => ImmediateAction::Drop,
            _ => ImmediateAction::None,
        };
        let dial = if fields.word("dial") == "accept" { Dial::Accept } else { Dial::FirstByte };
        fields.word("source-address-translation");
        let pool_at = fields.place("pool");

        if kind == VirtualServerKind::PerformanceL4 {
            for (_, at) in client_ssl.iter().chain(&server_ssl) {
                let message = format!("virtual server `{}` is performance-l4, which takes no SSL profile", entry.key);
                self.reader.error(*at, message, Some("write `type: standard`".to_owned()));
            }
        }
        let pool = pools.get(pool_name.as_str()).cloned();
        if self.document.named("pools", &pool_name).is_none() && !pool_name.is_empty() {
            self.unknown("pool", "pools", &pool_name, pool_at);
        }
        let persistence = self.cancel_affinity(&mut fields, pools.get(pool_name.as_str())).or(persistence);
        let persistence = persistence.and_then(|(name, at)| self.persistence(&name, at));
        let fallback_persistence = fallback_persistence.and_then(|(name, at)| {
            if persistence.is_none() {
                let message = "there is a fallback-persistence and no persistence that it could stand in for";
                self.reader.error(at, message.to_owned(), Some("write it as `persistence`".to_owned()));
            }
            self.persistence(&name, at)
        });
        let records = |profile: &Arc<Persistence>| profile.kind != PersistenceKind::Hash;
        let counts_records = pool.as_ref().is_some_and(|pool| pool.load_balancing_mode == LoadBalancing::LeastSessions);
        if counts_records && !persistence.iter().chain(&fallback_persistence).any(records) {
            let message = format!("virtual server `{}` keeps no records, and least-sessions counts them", entry.key);
            let help = "write `persistence: source_addr`, or use least-connections-node".to_owned();
            self.reader.report(Severity::Warning, pool_at, message, Some(help));
        }
        let client_ssl = client_ssl.and_then(|(name, at)| {
            let (_, shape, inherited) = self.named_profile(&name, at, &["client-ssl"])?;
            let chain = inherited.iter().find(|inner| inner.key == "cert-key-chain");
            // Anything else was noted as wrong already.
            let has_certificate = chain.is_some_and(|chain| match &chain.value.value {
                Value::List(items) => !items.is_empty(),
                Value::Null => false,
                Value::Text(text) => text != "none",
                _ => true,
            });
            if !has_certificate {
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
            let default = schema::protocol(Some(kind.as_str()));
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
            fallback_persistence,
            client_ssl,
            server_ssl,
            protocol,
            dial,
            connection_limit,
            rate_limit,
            source,
            state,
            service_down_immediate_action,
        })
    }

    fn persistence(&self, name: &str, at: At) -> Option<Arc<Persistence>> {
        let (kind, shape, inherited) = self.named_profile(name, at, &["source-addr", "hash"])?;
        Some(self.make((shape, inherited), |fields| profiles::persistence(name, kind, fields)))
    }

    /// The profile that stands for `cancel-affinity`, with the key's place.
    fn cancel_affinity(&self, fields: &mut Fields<'_>, pool: Option<&Arc<Pool>>) -> Option<(String, At)> {
        if !fields.flag("cancel-affinity") {
            return None;
        }
        let at = fields.place("cancel-affinity");
        if fields.text("persistence").is_some_and(|name| name != "none") {
            let message = "`persistence` and `cancel-affinity` are two answers to one question";
            let help = "leave cancel-affinity out: any source-addr profile takes a client's second connection along";
            self.reader.error(at, message.to_owned(), Some(help.to_owned()));
            return None;
        }
        let method = pool.map(|pool| pool.load_balancing_mode.as_str());
        if let Some(method) = method.filter(|method| !method.starts_with("least-") && !method.contains("connections")) {
            let message = format!("cancel-affinity is meant for least-connections methods, and the pool has {method}");
            let help = "the guide's front end for Hue has round robin and `persistence: source_addr`".to_owned();
            self.reader.report(Severity::Note, at, message, Some(help));
        }
        Some(("cancel_affinity".to_owned(), at))
    }

    /// Notes destinations that two enabled virtual servers cannot both listen on.
    pub(super) fn check_destinations(&self) {
        let mut seen: Vec<(&str, SocketAddr)> = Vec::new();
        for entry in self.document.section("virtual-servers") {
            let is_offline = |state: &Entry| state.value.scalar().as_deref() == Some("forced-offline");
            let Some(written) = entry.value.entry("destination") else { continue };
            let Some(this) = written.value.scalar().and_then(|text| destination(&text)) else { continue };
            if entry.value.entry("state").is_some_and(is_offline) {
                continue;
            }
            if let Some((name, other)) = seen.iter().find(|(_, other)| overlap(this, *other)) {
                let message =
                    format!("virtual server `{}` cannot listen on {this}: `{name}` listens on {other}", entry.key);
                let help = (this != *other).then(|| "an address of its own for each, or another port".to_owned());
                self.reader.error(written.value.at, message, help);
            }
            seen.push((&entry.key, this));
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
