//! Explaining whether a client would be let in and which member would serve it, for `pronk explain`.

use std::net::IpAddr;
use std::time::Instant;

use super::admission_rules::{self, AdmittedBy, ReadOnlyLimits, RefusedBy};
use super::choose;
use super::client_counts::Reached;
use super::close_reasons::CloseReason;
use super::virtual_server::LiveVirtualServer;
use crate::model::VirtualServer;
use crate::pool::{Arrival, Asker, Step};

/// What would become of a client's connection at this moment, step by step.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub steps: Vec<Step>,
    /// The member, as `node:port`; none when the client would be refused or wait.
    pub member: Option<String>,
    /// The reason for which its connection would be closed at once, if so.
    pub refused: Option<CloseReason>,
}

impl LiveVirtualServer {
    /// Explains what would become of a connection from `client`, and counts nothing.
    pub fn explain(&self, client: IpAddr, now: Instant) -> Explanation {
        let snapshot = self.snapshot.load_full();
        let (config, pool) = (&snapshot.config, &snapshot.pool);
        let client = client.to_canonical();
        let limits = ReadOnlyLimits { virtual_server: self, current: self.connections.everywhere(), now };
        let mut steps = Vec::new();
        let has = Has { connections: limits.current, of_client: self.clients.open(client, config.client_limits.mask) };
        let passed = |rule| steps.push(admitted(rule, config, client, has));
        if let Err(refusal) = admission_rules::decide(&snapshot, client, now, &limits, passed) {
            steps.push(refused_step(&refusal.by, config, client, has));
            return Explanation { steps, member: None, refused: Some(refusal.by.close(&pool.config.name).reason) };
        }
        let (of_pool, arrival) = pool.explain(Asker::new(client, &snapshot.persistence), now);
        steps.extend(of_pool);
        let (mut member, mut refused) = (None, None);
        match arrival {
            Arrival::Served(index) => member = Some(pool.members[index].key.to_string()),
            Arrival::Queued(0) => steps.push("no member can take it yet: the client is the first to queue".to_owned()),
            Arrival::Queued(before) => {
                steps.push(format!("connections wait already: the client queues behind {before} others"));
            }
            Arrival::QueueFull => {
                let reason = choose::queue_full(pool).reason;
                steps.push(format!("the queue is full: the client is reset ({reason}); {}", reason.remedy()));
                refused = Some(reason);
            }
            Arrival::Refused(none) => {
                let reason = choose::no_member(none, pool).reason;
                steps.push(format!("no member takes it: the client is reset ({reason}); {}", reason.remedy()));
                refused = Some(reason);
            }
        }
        Explanation { steps, member, refused }
    }
}

/// How many connections there are.
#[derive(Clone, Copy)]
struct Has {
    connections: u32,
    of_client: u32,
}

/// Describes a rule that lets the client in.
fn admitted(rule: AdmittedBy, config: &VirtualServer, client: IpAddr, has: Has) -> Step {
    match rule {
        AdmittedBy::Source => format!("{client} is in the networks of `source` ({})", networks(config)),
        AdmittedBy::PersistenceRecord => {
            "the virtual server is disabled, and lets the client in for its persistence record".to_owned()
        }
        AdmittedBy::ClientConnectionLimit => count_of_client(config, client, has),
        AdmittedBy::ConnectionLimit => count(config, has),
    }
}

/// Describes the rule that refuses the client.
fn refused_step(rule: &RefusedBy, config: &VirtualServer, client: IpAddr, has: Has) -> Step {
    match rule {
        RefusedBy::Source => {
            format!("{client} is in none of the networks of `source` ({}): it is reset", networks(config))
        }
        RefusedBy::Disabled => {
            "the virtual server is disabled, and the client has no persistence record: it is reset".to_owned()
        }
        RefusedBy::ForcedOffline => "the virtual server is forced offline: it does not listen".to_owned(),
        RefusedBy::ServiceDown(reason) => {
            let action = config.service_down_immediate_action.as_str();
            format!("no member can serve ({reason}), and service-down-immediate-action is {action}")
        }
        RefusedBy::ClientLimit(Reached::Connections) => {
            format!("{}: it is reset", count_of_client(config, client, has))
        }
        RefusedBy::ClientLimit(Reached::Rate) => {
            let limit = config.client_limits.rate.unwrap_or_default();
            format!("{} is at its rate limit of {limit} in a second: it is reset", one_client(config, client))
        }
        RefusedBy::ConnectionLimit => format!("{}: the client is reset", count(config, has)),
        RefusedBy::RateLimit => {
            let limit = config.rate_limit.unwrap_or_default();
            format!("the virtual server is at its rate limit of {limit} in a second: the client is reset")
        }
    }
}

fn networks(config: &VirtualServer) -> String {
    let networks: Vec<_> = config.source.iter().map(ToString::to_string).collect();
    networks.join(", ")
}

fn count(config: &VirtualServer, has: Has) -> Step {
    let (limit, current) = (config.connection_limit.unwrap_or_default(), has.connections);
    format!("the virtual server has {current} connections of its limit of {limit}")
}

fn count_of_client(config: &VirtualServer, client: IpAddr, has: Has) -> Step {
    let (limit, current) = (config.client_limits.connections.unwrap_or_default(), has.of_client);
    format!("{} has {current} connections of its limit of {limit} for each client", one_client(config, client))
}

/// Returns the client as the limits for each client see it: an address, or a network of them.
fn one_client(config: &VirtualServer, client: IpAddr) -> String {
    let mask = config.client_limits.mask;
    let (bits, all) = if client.is_ipv4() { (mask.v4, 32) } else { (mask.v6, 128) };
    if bits >= all { client.to_string() } else { format!("{}/{bits}", mask.apply(client)) }
}
