//! From checked entries to the [`Model`]: references followed, values typed.

mod profiles;
mod virtual_servers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::{Diagnostics, Severity};
use super::fields::{Fields, Reader, did_you_mean};
use super::inherit::{Broken, Document};
use super::scalar;
use super::schema::{MEMBER, MONITOR, NODE, POOL, Shape, TOP};
use super::source::At;
use super::tree::{Entry, Node, Value};
use crate::model;
use crate::model::{
    Address, AdminState, LoadBalancing, Member, Model, Monitor, MonitorKind, Name, Pool, VirtualServer,
};

/// F5's methods that pronk does not have, with the reason or the nearest.
const OTHER_METHODS: &[(&str, &str)] = &[
    ("fastest-node", "it needs outstanding requests, which raw TCP does not show"),
    ("fastest-app-response", "it needs outstanding requests, which raw TCP does not show"),
    ("ratio-node", "use ratio-member"),
    ("ratio-session", "use ratio-member"),
    ("ratio-least-connections-member", "use least-connections-member"),
    ("ratio-least-connections-node", "use least-connections-node"),
    ("weighted-least-connections-member", "use least-connections-member with a connection-limit"),
    ("weighted-least-connections-node", "use least-connections-node with a connection-limit"),
    ("observed-member", "use least-connections-member"),
    ("observed-node", "use least-connections-node"),
    ("predictive-member", "use least-connections-member"),
    ("predictive-node", "use least-connections-node"),
    ("dynamic-ratio-member", "use least-connections-member"),
    ("dynamic-ratio-node", "use least-connections-node"),
    ("least-sessions", "use least-connections-node"),
];

/// Resolves a document, noting every mistake.
pub(super) fn model(document: &Document, folder: &Path, diagnostics: &mut Diagnostics) -> Model {
    let reader = Reader { sources: &document.sources, folder, diagnostics: RefCell::default() };
    let model = Resolver { document, reader: &reader }.model();
    reader.diagnostics.into_inner().into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
    model
}

struct Resolver<'a> {
    document: &'a Document,
    reader: &'a Reader<'a>,
}

impl<'a> Resolver<'a> {
    fn model(&self) -> Model {
        let root = &self.document.root;
        self.reader.check_keys(root.entries(), &TOP);
        for section in ["nodes", "pools", "monitors", "profiles", "virtual-servers"] {
            let Some(entry) = root.entry(section) else { continue };
            if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
                let found = entry.value.describe();
                self.reader.error(entry.value.at, format!("`{section}` is a map by name, found {found}"), None);
            }
            for (index, named) in entry.value.entries().iter().enumerate() {
                self.reader.check_twice(&entry.value.entries()[..index], named);
            }
        }
        let store = Fields::new(self.reader, &TOP, root.entries().iter().collect(), root.at)
            .path("certificate-store")
            .unwrap_or_default();
        let nodes = self.section("nodes", Self::node);
        self.document.section("monitors").iter().for_each(|entry| drop(self.monitor(entry)));
        let pools = self.section("pools", |this, entry| this.pool(entry, &nodes));
        self.check_profiles();
        let virtual_servers: BTreeMap<Name, Arc<VirtualServer>> =
            self.section("virtual-servers", |this, entry| this.virtual_server(entry, &pools));
        self.check_destinations(&virtual_servers);
        Model { nodes, pools, virtual_servers, certificate_store: store }
    }

    fn section<T>(&self, name: &str, resolve: impl Fn(&Self, &'a Entry) -> Option<T>) -> BTreeMap<Name, Arc<T>> {
        let entries = self.document.section(name).iter();
        entries.filter_map(|entry| Some((Name::from(entry.key.as_str()), Arc::new(resolve(self, entry)?)))).collect()
    }

    /// The fields of an entry that inherits nothing.
    fn fields(&self, entry: &'a Entry, shape: &'static Shape) -> Fields<'a> {
        self.fields_of(&entry.value, entry.key_at, shape)
    }

    fn fields_of(&self, node: &'a Node, at: At, shape: &'static Shape) -> Fields<'a> {
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            self.reader.error(node.at, format!("a {} is a map, found {}", shape.name, node.describe()), None);
        }
        self.reader.check_keys(node.entries(), shape);
        Fields::new(self.reader, shape, node.entries().iter().collect(), at)
    }

    fn node(&self, entry: &'a Entry) -> Option<model::Node> {
        let mut fields = self.fields(entry, &NODE);
        let written = fields.required("address");
        let place = fields.place("address");
        let address = match written.parse::<IpAddr>() {
            Ok(address) => Address::Ip(address),
            Err(_) if scalar::is_host_name(&written) => {
                let help = "the guide advises the address, which needs no name resolution to stay up".to_owned();
                let message = format!("node `{}` is given by name", entry.key);
                fields.reader.report(Severity::Note, place, message, Some(help));
                Address::Fqdn(written)
            }
            Err(_) => {
                if !written.is_empty() {
                    fields.reader.error(place, format!("`{written}` is neither an IP address nor a host name"), None);
                }
                return None;
            }
        };
        Some(model::Node {
            name: Name::from(entry.key.as_str()),
            address,
            hostname: host_name(&mut fields, "hostname"),
            description: fields.text("description"),
            state: state(&mut fields),
        })
    }

    fn monitor(&self, entry: &'a Entry) -> Option<Arc<Monitor>> {
        self.reader.check_keys(entry.value.entries(), &MONITOR);
        let inherited = self.inherited("monitors", entry)?;
        let mut fields = Fields::new(self.reader, &MONITOR, inherited, entry.key_at);
        fields.word("type");
        let (interval, timeout) = (fields.duration("interval"), fields.duration("timeout"));
        if timeout <= interval {
            let help = "F5 advises three times the interval and a second".to_owned();
            let message = format!("monitor `{}` gives up before its second probe", entry.key);
            fields.reader.report(Severity::Warning, fields.place("timeout"), message, Some(help));
        }
        let name = Name::from(entry.key.as_str());
        Some(Arc::new(Monitor { name, kind: MonitorKind::Tcp, interval, timeout }))
    }

    fn pool(&self, entry: &'a Entry, nodes: &BTreeMap<Name, Arc<model::Node>>) -> Option<Pool> {
        let mut fields = self.fields(entry, &POOL);
        let description = fields.text("description");
        let reselect_tries = fields.count("reselect-tries");
        let load_balancing_mode = method(&mut fields);
        let monitors = fields.texts("monitors");
        let items = fields.list("members");
        let monitors = monitors.into_iter().filter_map(|(name, at)| self.named_monitor(&name, at)).collect();
        let mut members: Vec<Arc<Member>> = Vec::new();
        for item in items {
            let Some(member) = self.member(item, nodes) else { continue };
            if members.iter().any(|other| other.key() == member.key()) {
                let message = format!("member `{}` stands twice in pool `{}`", member.key(), entry.key);
                self.reader.error(item.at, message, None);
            }
            members.push(Arc::new(member));
        }
        let name = Name::from(entry.key.as_str());
        Some(Pool { name, description, monitors, load_balancing_mode, reselect_tries, members })
    }

    fn named_monitor(&self, name: &str, at: At) -> Option<Arc<Monitor>> {
        match self.document.named("monitors", name) {
            Some(entry) => {
                // Its mistakes are noted with its section.
                self.reader.quietly(|| self.monitor(entry))
            }
            None => {
                self.unknown("monitor", "monitors", name, at);
                None
            }
        }
    }

    fn member(&self, item: &'a Node, nodes: &BTreeMap<Name, Arc<model::Node>>) -> Option<Member> {
        let (written, at) = match &item.value {
            Value::Text(text) => (text.clone(), item.at),
            _ => {
                let mut fields = self.fields_of(item, item.at, &MEMBER);
                (fields.required("member"), fields.place("member"))
            }
        };
        let Some((node, port)) = written.rsplit_once(':') else {
            if !written.is_empty() {
                self.reader.error(at, format!("a member is `node:port`, found `{written}`"), None);
            }
            return None;
        };
        let port = port.parse().ok().filter(|port| *port > 0);
        if port.is_none() {
            self.reader.error(at, format!("`{written}` does not end in a port from 1 to 65535"), None);
        }
        let known = nodes.get(node);
        if known.is_none() && !self.document.section("nodes").iter().any(|entry| entry.key == node) {
            self.unknown("node", "nodes", node, at);
        }
        let (node, port) = (Arc::clone(known?), port?);
        let mut fields = Fields::new(self.reader, &MEMBER, item.entries().iter().collect(), at);
        Some(Member {
            node,
            port,
            connection_limit: fields.limit("connection-limit"),
            ratio: fields.count("ratio").max(1),
            description: fields.text("description"),
            state: state(&mut fields),
        })
    }

    fn unknown(&self, what: &str, section: &str, name: &str, at: At) {
        let names = self.document.names(section);
        let help = did_you_mean(name, names.iter().copied())
            .or_else(|| (!names.is_empty()).then(|| format!("there are: {}", names.join(", "))));
        self.reader.error(at, format!("there is no {what} `{name}`"), help);
    }

    /// What holds for a named entry after inheritance; `None` when its chain is broken, which is noted.
    fn inherited(&self, section: &str, entry: &'a Entry) -> Option<Vec<&'a Entry>> {
        match self.document.inherited(section, &entry.key) {
            Ok(inherited) => Some(inherited),
            Err(Broken::Unknown(parent, at)) => {
                self.unknown("parent", section, &parent, at);
                None
            }
            Err(Broken::Cycle(names, at)) => {
                self.reader.error(at, format!("defaults-from goes in a circle: {}", names.join(" -> ")), None);
                None
            }
        }
    }
}

fn state(fields: &mut Fields<'_>) -> AdminState {
    match fields.word("state").as_str() {
        "disabled" => AdminState::Disabled,
        "forced-offline" => AdminState::ForcedOffline,
        _ => AdminState::Enabled,
    }
}

/// A host name as certificates carry them.
fn host_name(fields: &mut Fields<'_>, key: &str) -> Option<String> {
    let name = fields.text(key)?;
    if !scalar::is_host_name(&name) {
        let help = "labels of letters, digits and hyphens, no trailing dot, the last not a number".to_owned();
        let message = format!("`{name}` is not a host name that certificates can carry");
        fields.reader.error(fields.place(key), message, Some(help));
    }
    Some(name)
}

fn method(fields: &mut Fields<'_>) -> LoadBalancing {
    let word = fields.text("load-balancing-mode").unwrap_or_default();
    let known = LoadBalancing::ALL.into_iter().find(|method| method.as_str() == word);
    if known.is_none() {
        let other = OTHER_METHODS.iter().find(|(name, _)| *name == word);
        let (message, help) = match other {
            Some((_, why)) => (format!("load-balancing-mode `{word}` is not offered"), Some((*why).to_owned())),
            None => (
                format!("unknown load-balancing-mode `{word}`"),
                did_you_mean(&word, LoadBalancing::ALL.iter().map(|method| method.as_str())),
            ),
        };
        fields.reader.error(fields.place("load-balancing-mode"), message, help);
    }
    known.unwrap_or(LoadBalancing::RoundRobin)
}
