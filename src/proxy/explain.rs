//! Why a client would get in, and where it would go, in plain words.

use std::net::IpAddr;
use std::time::Instant;

use super::admission_rules::{self, AdmittedBy, ReadOnlyLimits, RefusedBy};
use super::choose;
use super::close_reasons::CloseReason;
use super::virtual_server::LiveVirtualServer;
use crate::model::VirtualServer;
use crate::pool::{Arrival, Asker, Step};

/// Where a client would go at this moment, and each step on the way there.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub steps: Vec<Step>,
    /// The member, as `node:port`; none when the client would be refused or wait.
    pub member: Option<String>,
    /// The reason for which its connection would end at once, if so.
    pub refused: Option<CloseReason>,
}

impl LiveVirtualServer {
    /// Explains what would become of a connection from `client`. Nothing is counted.
    pub fn explain(&self, client: IpAddr, now: Instant) -> Explanation {
        let snapshot = self.snapshot.load_full();
        let (config, pool) = (&snapshot.config, &snapshot.pool);
        let client = client.to_canonical();
        let looks = ReadOnlyLimits { virtual_server: self, current: self.connections.current(), now };
        let mut steps = Vec::new();
        let passed = |rule| steps.push(let_in(rule, config, client, looks.current));
        if let Err(refusal) = admission_rules::decide(&snapshot, client, now, &looks, passed) {
            steps.push(kept_out(&refusal.by, config, client, looks.current));
            return Explanation { steps, member: None, refused: Some(refusal.by.close(&pool.config.name).reason) };
        }
        let (of_pool, arrival) = pool.explain(Asker { client, persistence: &snapshot.persistence, tried: &[] }, now);
        steps.extend(of_pool);
        let (mut member, mut refused) = (None, None);
        match arrival {
            Arrival::Served(index) => member = Some(pool.members[index].key.to_string()),
            Arrival::Queued(0) => steps.push("no member can take it yet: the client is the first to queue".to_owned()),
            Arrival::Queued(before) => {
                steps.push(format!("whoever waits comes first: the client queues behind {before} others"));
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

/// A rule that lets the client pass, in words.
fn let_in(rule: AdmittedBy, config: &VirtualServer, client: IpAddr, current: u32) -> Step {
    match rule {
        AdmittedBy::Source => format!("{client} is in the networks of `source` ({})", networks(config)),
        AdmittedBy::PersistenceRecord => {
            "the virtual server is disabled, and lets the client in for its persistence record".to_owned()
        }
        AdmittedBy::ConnectionLimit => count(config, current),
    }
}

/// The rule that keeps the client out, in words.
fn kept_out(rule: &RefusedBy, config: &VirtualServer, client: IpAddr, current: u32) -> Step {
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
            format!("nobody can serve ({reason}), and service-down-immediate-action is {action}")
        }
        RefusedBy::ConnectionLimit => format!("{}: the client is reset", count(config, current)),
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

fn count(config: &VirtualServer, current: u32) -> Step {
    let limit = config.connection_limit.unwrap_or_default();
    format!("the virtual server has {current} connections of its limit of {limit}")
}
