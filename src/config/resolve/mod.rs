//! From checked entries to the [`Model`]: references followed, values typed.

mod discovery;
mod monitors;
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
use super::schema::{LINT, MEMBER, NODE, POOL, Shape, TOP};
use super::source::At;
use super::tree::{Entry, Node, Value};
use crate::model;
use crate::model::{
    Address, AdminState, Level, LintLevel, LoadBalancing, Member, Model, MonitorKind, Name, Pacing, Pool, Queueing,
    Scope, ServiceDownAction, is_host_name,
};

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
        for section in ["nodes", "pools", "monitors", "profiles", "virtual-servers", "lint"] {
            let Some(entry) = root.entry(section) else { continue };
            if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
                let found = entry.value.describe();
                self.reader.error(entry.value.at, format!("`{section}` is a map by name, found {found}"), None);
            }
            for (index, named) in entry.value.entries().iter().enumerate() {
                self.reader.check_twice(&entry.value.entries()[..index], named);
                self.check_name(named);
            }
        }
        self.check_that_something_listens();
        let mut top = Fields::new(self.reader, &TOP, root.entries().iter().collect(), root.at);
        let certificate_store = top.path("certificate-store").unwrap_or_default();
        let certificate_refresh = top.duration_or_never("certificate-refresh");
        let nodes = self.section("nodes", Self::node);
        self.document.section("monitors").iter().for_each(|entry| drop(self.monitor(entry)));
        let pools = self.section("pools", |this, entry| this.pool(entry, &nodes));
        self.check_profiles();
        let virtual_servers = self.section("virtual-servers", |this, entry| this.virtual_server(entry, &pools));
        self.check_destinations();
        let lint = self.document.section("lint").iter().filter_map(|entry| self.lint_level(entry)).collect();
        Model { nodes, pools, virtual_servers, certificate_store, certificate_refresh, lint }
    }

    /// A file that is cut short, as while it is being written, must not close every listener.
    fn check_that_something_listens(&self) {
        let root = &self.document.root;
        let at = match root.entry("virtual-servers") {
            None => root.at,
            Some(entry) if matches!(entry.value.value, Value::Null) => entry.key_at,
            Some(_) => return,
        };
        let help = "write `virtual-servers: {}` if none is meant";
        self.reader.error(at, "`virtual-servers` is missing; the file may be cut short", Some(help.to_owned()));
    }

    /// Names stand in `node:port`, in metrics, in URLs and on command lines.
    fn check_name(&self, entry: &Entry) {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name = &entry.key;
        if name.is_empty() || name == "none" || name.starts_with('-') || !name.chars().all(good) {
            let help = "names are of letters, digits, `.`, `_` and `-`, do not begin with `-`, and are not `none`";
            self.reader.error(entry.key_at, format!("`{name}` cannot be a name"), Some(help.to_owned()));
        }
    }

    fn section<T>(&self, name: &str, resolve: impl Fn(&Self, &'a Entry) -> Option<T>) -> BTreeMap<Name, Arc<T>> {
        let entries = self.document.section(name).iter();
        entries.filter_map(|entry| Some((Name::from(entry.key.as_str()), Arc::new(resolve(self, entry)?)))).collect()
    }

    /// The fields of an entry that inherits nothing; `None` when it has none, which is noted.
    fn fields(&self, entry: &'a Entry, shape: &'static Shape) -> Option<Fields<'a>> {
        self.reader.fields(&entry.value, entry.key_at, shape)
    }

    fn node(&self, entry: &'a Entry) -> Option<model::Node> {
        let mut fields = self.fields(entry, &NODE)?;
        fields.require("address");
        let address = fields.parsed("address", |text| match text.parse::<IpAddr>() {
            Ok(address) => Some(Address::Ip(address)),
            Err(_) => is_host_name(text).then(|| Address::Fqdn(text.to_owned())),
        });
        if let Some(Address::Fqdn(_)) = address {
            let help = "the guide advises the address, which needs no name resolution to stay up".to_owned();
            let message = format!("node `{}` is given by name", entry.key);
            self.reader.report(Severity::Note, fields.place("address"), message, Some(help));
        }
        let hostname = fields.host_name("hostname");
        let description = fields.text("description");
        let (connection_limit, rate_limit) = (fields.limit("connection-limit"), fields.limit("rate-limit"));
        let ratio = fields.count("ratio").max(1);
        let state = state(&mut fields);
        let name = Name::from(entry.key.as_str());
        let address = address?;
        let (autopopulate, interval) = (fields.flag("autopopulate"), fields.duration("interval"));
        if autopopulate && matches!(address, Address::Ip(_)) {
            let message = format!("node `{}` has one address, and autopopulate has nothing to find", entry.key);
            let help = "write a domain name as `address`, or leave autopopulate out".to_owned();
            self.reader.error(fields.place("autopopulate"), message, Some(help));
        }
        let node = model::Node::new(name, address);
        let limits = model::Node { connection_limit, rate_limit, ratio, ..node };
        Some(model::Node { hostname, description, state, autopopulate, interval, ..limits })
    }

    fn pool(&self, entry: &'a Entry, nodes: &BTreeMap<Name, Arc<model::Node>>) -> Option<Pool> {
        let mut fields = self.fields(entry, &POOL)?;
        let description = fields.text("description");
        let reselect_tries = fields.count("reselect-tries");
        let method = fields.word("load-balancing-mode");
        let known = LoadBalancing::ALL.into_iter().find(|known| known.as_str() == method);
        let load_balancing_mode = known.unwrap_or(LoadBalancing::RoundRobin);
        let (monitors, monitors_needed) = self.monitor_rule(&mut fields);
        let items = fields.list("members");
        if items.is_empty() && fields.node("discover").is_none() {
            let help = "write `members: [node:port]`".to_owned();
            let message = format!("pool `{}` has no members, so nothing can be served", entry.key);
            self.reader.report(Severity::Warning, fields.place("members"), message, Some(help));
        }
        let mut members: Vec<Arc<Member>> = Vec::new();
        for item in items {
            let Some(member) = self.member(item, nodes) else { continue };
            if members.iter().any(|other| other.key() == member.key()) {
                let message = format!("member `{}` stands twice in pool `{}`", member.key(), entry.key);
                self.reader.error(item.at, message, Some("for a larger share write `ratio`".to_owned()));
            }
            members.push(Arc::new(member));
        }
        let action = fields.word("service-down-action");
        let known = ServiceDownAction::ALL.into_iter().find(|known| known.as_str() == action);
        let service_down_action = known.unwrap_or_default();
        self.check_method(&fields, load_balancing_mode, &monitors, &members);
        Some(Pool {
            name: Name::from(entry.key.as_str()),
            description,
            monitors_needed,
            load_balancing_mode,
            ignore_persisted_weight: fields.flag("ignore-persisted-weight"),
            min_active_members: fields.count("min-active-members"),
            min_up_members: fields.count("min-up-members"),
            slow_ramp_time: fields.duration("slow-ramp-time"),
            discovery: self.discovery(&mut fields, nodes, &members, &monitors),
            reselect_tries,
            service_down_action,
            drain_time: fields.duration_or_never("drain-time"),
            queue: Queueing {
                on_connection_limit: fields.flag("queue-on-connection-limit"),
                depth: fields.limit("queue-depth-limit"),
                time: fields.duration_or_never("queue-time-limit"),
            },
            monitors,
            pacing: Pacing { setup_limit: fields.limit("setup-limit"), time: fields.duration("setup-limit-time") },
            members,
        })
    }

    /// Notes what a method needs and does not have: without it every choice would be a blind one.
    fn check_method(
        &self,
        fields: &Fields<'_>,
        method: LoadBalancing,
        monitors: &[Arc<model::Monitor>],
        members: &[Arc<Member>],
    ) {
        let at = fields.place("load-balancing-mode");
        let unlimited = |member: &&Arc<Member>| match method {
            LoadBalancing::WeightedLeastConnections(Scope::Member) => member.connection_limit.is_none(),
            LoadBalancing::WeightedLeastConnections(Scope::Node) => member.node.connection_limit.is_none(),
            _ => false,
        };
        if let Some(member) = members.iter().find(unlimited) {
            let of_node = method == LoadBalancing::WeightedLeastConnections(Scope::Node);
            let whose =
                if of_node { format!("node `{}`", member.node.name) } else { format!("member `{}`", member.key()) };
            let message = format!("{} needs a connection-limit, and {whose} has none", method.as_str());
            let help =
                "it compares how much of each limit is in use; write one for each, or use least-connections-node";
            self.reader.error(at, message, Some(help.to_owned()));
        }
        let measures = |monitor: &Arc<model::Monitor>| match &monitor.kind {
            MonitorKind::Impala(check) => check.web.is_some(),
            _ => false,
        };
        if method.needs_measurements() && !monitors.iter().any(measures) {
            let message = format!("{} needs an impala monitor that asks the web UI", method.as_str());
            let help = "write `monitors: [impala]`, with a `web-port` if the monitor has none";
            self.reader.error(at, message, Some(help.to_owned()));
        }
    }

    fn member(&self, item: &'a Node, nodes: &BTreeMap<Name, Arc<model::Node>>) -> Option<Member> {
        let mut fields = match &item.value {
            Value::Text(_) | Value::Number(_) => Fields::new(self.reader, &MEMBER, Vec::new(), item.at),
            _ => self.reader.fields(item, item.at, &MEMBER)?,
        };
        let (connection_limit, ratio) = (fields.limit("connection-limit"), fields.count("ratio").max(1));
        let (rate_limit, priority_group) = (fields.limit("rate-limit"), fields.count("priority-group"));
        let (description, state) = (fields.text("description"), state(&mut fields));
        let (written, at) = match item.scalar() {
            Some(text) => (text, item.at),
            None => {
                fields.require("member");
                (fields.text("member")?, fields.place("member"))
            }
        };
        let Some((node, port)) = written.rsplit_once(':') else {
            self.reader.error(at, format!("a member is `node:port`, found `{written}`"), None);
            return None;
        };
        let port = port.parse().ok().filter(|port| *port > 0);
        if port.is_none() {
            self.reader.error(at, format!("`{written}` does not end in a port from 1 to 65535"), None);
        }
        let known = nodes.get(node);
        if known.is_none() && node.parse::<IpAddr>().is_ok() {
            let help = format!("write `nodes: {{ {node}: {{ address: {node} }} }}`, or a shorter name for it");
            self.reader.error(at, format!("a member names a node, and no node is called `{node}`"), Some(help));
        } else if known.is_none() && self.document.named("nodes", node).is_none() {
            self.unknown("node", "nodes", node, at);
        }
        let (node, port) = (Arc::clone(known?), port?);
        let member = Member::new(node, port);
        Some(Member { connection_limit, rate_limit, ratio, priority_group, description, state, ..member })
    }

    /// Whether there is such a check is for those to tell who know the checks.
    fn lint_level(&self, entry: &'a Entry) -> Option<(Name, LintLevel)> {
        let mut fields = self.fields(entry, &LINT)?;
        fields.require("level");
        let level = match fields.word("level").as_str() {
            "allow" => Level::Allow,
            "deny" => Level::Deny,
            _ => Level::Warn,
        };
        let reason = fields.text("reason");
        if level == Level::Allow && reason.is_none() {
            let message = format!("`{}` is allowed without a reason", entry.key);
            let help = "write `reason`, for those who read the file when somebody asks why".to_owned();
            self.reader.error(fields.at, message, Some(help));
        }
        Some((Name::from(entry.key.as_str()), LintLevel { level, reason, until: fields.parsed("until", scalar::day) }))
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
