//! The keys of a pool.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::declare::settings;
use super::discovery::DiscoveryKeys;
use super::key::Key;
use super::kind::{Count, DAY, Flag, Kind, Never, Span, Words, Written, Wrong, list};
use super::member::MEMBERS;
use super::node::{DESCRIPTION, LIMIT};
use super::section::Section;
use super::setting::{EntryName, Setting};
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::config::rule::Rule;
use crate::config::tree::Value;
use crate::model::{LoadBalancing, Member, Monitor, MonitorRule, Pacing, Pool, Queueing, Scope, ServiceDownAction};

pub(in crate::config) const POOL: Section =
    Section { name: "pool", doc: "Members and how one is chosen.", list: |keys| const { &PoolKeys }.list(keys) };

settings!(
    PoolKeys = Pool {
        name: EntryName,
        description: DESCRIPTION,
        monitors: Key::new(
            "monitors",
            Monitors,
            "A member is up while all of these monitors succeed, or at least N with `{ min: N, of: [...] }`. Without \
             monitors it is always used. tmsh's `a and b` and `min 2 of { a b c }` work too.",
        ),
        load_balancing_mode: Key::new(
            "load-balancing-mode",
            Words { all: &LoadBalancing::ALL, word: LoadBalancing::as_str },
            "How a member is chosen. `-node` methods count the connections of all pools to a host, as one impalad \
             serves 21000 and 21050. least-load uses the load that an impala monitor reads from the web UI.",
        )
        .default("round-robin")
        .refusing(OTHER_METHODS),
        reselect_tries: Key::new(
            "reselect-tries",
            Count::<u32>::from(0, 100),
            "How many other members are tried if connecting fails, or if a member does not open a session. F5's default is 0: the client gets the \
             failure.",
        )
        .default("3"),
        members: MEMBERS,
        ignore_persisted_weight: Key::new(
            "ignore-persisted-weight",
            Flag,
            "The load-balancing method does not count connections that persistence sent to a member.",
        )
        .default("false"),
        min_active_members: Key::new(
            "min-active-members",
            Count::<u32>::from(0, 65535),
            "Only members of the highest `priority-group` are used while at least so many of them are up and below \
             their limits. Otherwise the next group is used too. 0 uses no groups.",
        )
        .default("0"),
        min_up_members: Key::new(
            "min-up-members",
            Count::<u32>::from(0, 65535),
            "With fewer members up, the pool is offline and accepts no connection, so that a load balancer or DNS in \
             front of pronk fails over; 0 is off.",
        )
        .default("0"),
        slow_ramp_time: Key::new(
            "slow-ramp-time",
            Span(0, DAY),
            "How long the share of a member grows after it came up, was enabled or was added; 0 gives the full share \
             at once.",
        )
        .default("10s"),
        queue: QueueKeys,
        pacing: PacingKeys,
        service_down_action: Key::new(
            "service-down-action",
            Words { all: &ServiceDownAction::ALL, word: ServiceDownAction::as_str },
            "What happens to the connections of a member that goes down. `none`: they continue. `reset`: both sides \
             are reset. `drop`: the client is told nothing. `reselect`: connections that have carried no bytes move to \
             another member.",
        )
        .default("none"),
        drain_time: Key::new(
            "drain-time",
            Never("indefinite", Span(0, 365 * DAY)),
            "When a reload removes a member, how long its connections may continue before the service-down-action \
             applies.",
        )
        .default("indefinite"),
        discovery: DiscoveryKeys,
    }
);

settings!(
    QueueKeys = Queueing {
        on_connection_limit: Key::new(
            "queue-on-connection-limit",
            Flag,
            "Connections wait in the order of their arrival if every member is at a limit or reports that it is full. \
             Otherwise they are refused.",
        )
        .default("false"),
        depth: Key::new(
            "queue-depth-limit",
            LIMIT,
            "The most connections that may wait; 0 is no limit, which is F5's default.",
        )
        .default("1000"),
        time: Key::new(
            "queue-time-limit",
            Never("indefinite", Span(1, DAY)),
            "How long a connection may wait. F5's default is without end, and clients that hang show their users \
             nothing.",
        )
        .default("60s"),
    }
);

settings!(
    PacingKeys = Pacing {
        setup_limit: Key::new(
            "setup-limit",
            LIMIT,
            "After the loss of a member: the most connections that wait for the first byte of one member at a time. \
             Others wait in the queue. An impalad has two setup threads. 0 is no limit.",
        )
        .default("2"),
        time: Key::new("setup-limit-time", Span(0, DAY), "How long `setup-limit` applies after the loss of a member.")
            .default("30s"),
    }
);

/// Notes what does not fit together in a pool.
pub(in crate::config) fn check(pool: &Pool, fields: &Fields<'_>) {
    let members = PoolKeys::members();
    let lists_members =
        fields.node(members).is_some_and(|node| !matches!(&node.value, Value::List(items) if items.is_empty()));
    if !lists_members && pool.discovery.is_none() && !fields.has(DiscoveryKeys::discover()) {
        let help = "write `members: [node:port]`".to_owned();
        let message = format!("pool `{}` has no members, so nothing can be served", fields.name);
        fields.report(Severity::Warning, fields.place(members), message, Some(help));
    }
    check_method(pool, fields);
    check_discovery(pool, fields);
}

/// Notes what a method needs and does not have: without it every choice would be a blind one.
fn check_method(pool: &Pool, fields: &Fields<'_>) {
    let method = pool.load_balancing_mode;
    let at = fields.place(PoolKeys::load_balancing_mode());
    let unlimited = |member: &&Arc<Member>| match method {
        LoadBalancing::WeightedLeastConnections(Scope::Member) => member.connection_limit.is_none(),
        LoadBalancing::WeightedLeastConnections(Scope::Node) => member.node.connection_limit.is_none(),
        LoadBalancing::RoundRobin
        | LoadBalancing::Ratio(_)
        | LoadBalancing::LeastConnections(_)
        | LoadBalancing::RatioLeastConnections(_)
        | LoadBalancing::Observed(_)
        | LoadBalancing::Predictive(_)
        | LoadBalancing::DynamicRatio(_)
        | LoadBalancing::LeastSessions
        | LoadBalancing::LeastLoad => false,
    };
    let is_good = fields.is_good(PoolKeys::members()) && fields.is_good(PoolKeys::load_balancing_mode());
    let limits_are_good = |member: &Arc<Member>| fields.context.is_good_entry("nodes", member.node.name.as_str());
    if let Some(member) = pool.members.iter().find(unlimited).filter(|it| is_good && limits_are_good(it)) {
        let of_node = method == LoadBalancing::WeightedLeastConnections(Scope::Node);
        let whose = if of_node { format!("node `{}`", member.node.name) } else { format!("member `{}`", member.key()) };
        let message = format!("{} needs a connection-limit, and {whose} has none", method.as_str());
        let help = "it compares how much of each limit is in use; write one for each, or use least-connections-node";
        fields.error(at, message, Some(help.to_owned()));
    }
    if method.needs_measurements() && !asks_web_ui(pool) && monitors_are_good(pool, fields) {
        let message = format!("{} needs an impala monitor that asks the web UI", method.as_str());
        let help = "write `monitors: [impala]`, with a `web-port` if the monitor has none";
        fields.error(at, message, Some(help.to_owned()));
    }
}

fn check_discovery(pool: &Pool, fields: &Fields<'_>) {
    let Some(discovery) = &pool.discovery else { return };
    let (at, members) = (fields.place(DiscoveryKeys::discover()), PoolKeys::members());
    if !asks_web_ui(pool) && monitors_are_good(pool, fields) {
        let help = "write `monitors: [impala]`: its web-port, TLS, user and password are those to ask with";
        fields.error(at, "discovery needs an impala monitor that asks the web UI", Some(help.to_owned()));
    }
    if discovery.seeds.is_empty() && [DiscoveryKeys::seeds(), members].iter().all(|key| fields.is_good(key)) {
        let help = "write `discover-seeds`, or a member: its node is asked".to_owned();
        fields.error(at, "there is no web UI that discovery could ask", Some(help));
    }
}

fn monitors_are_good(pool: &Pool, fields: &Fields<'_>) -> bool {
    let is_good = |monitor: &Arc<Monitor>| fields.context.is_good_entry("monitors", monitor.name.as_str());
    fields.is_good(PoolKeys::monitors()) && pool.monitors.all.iter().all(is_good)
}

fn asks_web_ui(pool: &Pool) -> bool {
    pool.monitors.all.iter().any(|monitor| monitor.web_ui().is_some())
}

/// The name of a monitor, a list of names, or `min N of` such a list.
#[derive(Clone, Copy)]
struct Monitors;

impl Kind for Monitors {
    type Value = MonitorRule;

    fn describe(&self) -> String {
        "the name of a monitor, a list of them, or `{ min: N, of: [...] }`".into()
    }

    fn schema(&self) -> Json {
        let names = json!({ "type": "array", "items": { "type": "string" } });
        let min = json!({
            "type": "object",
            "properties": { "min": { "type": "integer", "minimum": 1 }, "of": names },
            "required": ["min", "of"],
            "additionalProperties": false,
        });
        json!({ "anyOf": [{ "type": "string" }, names, min] })
    }

    fn read(&self, Written { node, fields }: Written<'_>) -> Result<MonitorRule, Wrong> {
        if node.is_none() {
            return Ok(MonitorRule::default());
        }
        let Rule { names, min } = Rule::read(node).ok_or(Wrong::Kind)?;
        if let Some((count, at)) = min.filter(|(count, _)| *count > names.len()) {
            let message = format!("at least {count} of {} monitors can never be good", names.len());
            fields.error(at, message, Some(format!("a number from 1 to {}", names.len())));
        }
        for (index, (name, place)) in names.iter().enumerate() {
            if names[..index].iter().any(|(other, _)| other == name) {
                fields.error(*place, format!("monitor `{name}` is listed twice"), None);
            }
        }
        let known = |(name, at): (String, _)| {
            let is_known = fields.context.has_reference("monitor", "monitors", &name, at, &[]);
            is_known.then(|| fields.context.model.monitors.get(name.as_str()).cloned()).flatten()
        };
        Ok(MonitorRule { all: names.into_iter().filter_map(known).collect(), needed: min.map(|(count, _)| count) })
    }

    fn absent(&self) -> MonitorRule {
        MonitorRule::default()
    }

    fn tell(&self, MonitorRule { all, needed }: &MonitorRule) -> String {
        let needed = needed.map(|needed| format!("min {needed} of ")).unwrap_or_default();
        format!("{needed}{}", list(all.iter().map(|monitor| monitor.name.to_string())))
    }
}

/// F5's methods that pronk does not have, with the reason or the nearest.
const OTHER_METHODS: &[(&str, &str)] = &[
    ("fastest-node", NO_OUTSTANDING_REQUESTS),
    ("fastest-app-response", NO_OUTSTANDING_REQUESTS),
    (
        "ratio-session",
        "it counts requests within connections, which raw TCP does not show; the nearest is ratio-member",
    ),
];
const NO_OUTSTANDING_REQUESTS: &str =
    "it needs outstanding requests, which raw TCP does not show; the nearest is least-connections-node";
