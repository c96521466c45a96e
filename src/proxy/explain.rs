//! Why a client would get in, and where it would go, in plain words.

use std::net::IpAddr;
use std::time::Instant;

use super::down;
use super::virtual_server::LiveVirtualServer;
use super::wait;
use crate::model::{AdminState, ImmediateAction};
use crate::pool::{Arrival, Asker, Step};

/// Where a client would go at this moment, and each step on the way there.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub steps: Vec<Step>,
    /// The member, as `node:port`; none when the client would be refused or wait.
    pub member: Option<String>,
}

impl LiveVirtualServer {
    /// Explains what would become of a connection from `client`. Nothing is counted.
    pub fn explain(&self, client: IpAddr, now: Instant) -> Explanation {
        let snapshot = self.snapshot.load_full();
        let config = &snapshot.config;
        let client = client.to_canonical();
        let mut steps = Vec::new();
        let refused = |mut steps: Vec<Step>, why: String| {
            steps.push(why);
            Explanation { steps, member: None }
        };
        if !config.source.is_empty() {
            let networks: Vec<_> = config.source.iter().map(ToString::to_string).collect();
            let networks = networks.join(", ");
            if !config.source.iter().any(|network| network.contains(&client)) {
                return refused(
                    steps,
                    format!("{client} is in none of the networks of `source` ({networks}): it is reset"),
                );
            }
            steps.push(format!("{client} is in the networks of `source` ({networks})"));
        }
        match config.state {
            AdminState::Enabled => {}
            AdminState::Disabled if snapshot.has_record(client) => {
                steps.push(
                    "the virtual server is disabled, and lets the client in for its persistence record".to_owned(),
                );
            }
            AdminState::Disabled => {
                let why = "the virtual server is disabled, and the client has no persistence record: it is reset";
                return refused(steps, why.to_owned());
            }
            AdminState::ForcedOffline => {
                return refused(steps, "the virtual server is forced offline: it does not listen".to_owned());
            }
        }
        if let Some(limit) = config.connection_limit {
            let current = self.connections.current();
            let count = format!("the virtual server has {current} connections of its limit of {limit}");
            if current >= limit {
                return refused(steps, format!("{count}: the client is reset"));
            }
            steps.push(count);
        }
        if self.rate.next(config.rate_limit, now).is_some() {
            let limit = config.rate_limit.unwrap_or_default();
            return refused(
                steps,
                format!("the virtual server is at its rate limit of {limit} in a second: the client is reset"),
            );
        }
        if config.service_down_immediate_action != ImmediateAction::None
            && let Some(reason) = down::nobody_can_serve(&snapshot.pool)
        {
            let action = config.service_down_immediate_action.as_str();
            return refused(
                steps,
                format!("nobody can serve ({reason}), and service-down-immediate-action is {action}"),
            );
        }
        let asker = Asker { client, persistence: &snapshot.persistence, tried: &[] };
        let pool = &snapshot.pool;
        let (of_pool, arrival) = pool.explain(asker, now);
        steps.extend(of_pool);
        match arrival {
            Arrival::Served(index) => Explanation { steps, member: Some(pool.members[index].key.to_string()) },
            Arrival::Queued(0) => {
                refused(steps, "no member can take it yet: the client is the first to queue".to_owned())
            }
            Arrival::Queued(before) => {
                refused(steps, format!("whoever waits comes first: the client queues behind {before} others"))
            }
            Arrival::QueueFull => {
                let reason = wait::queue_full(pool).reason;
                refused(steps, format!("the queue is full: the client is reset ({reason}); {}", reason.remedy()))
            }
            Arrival::Refused(none) => {
                let reason = wait::no_member(none, pool).reason;
                refused(steps, format!("no member takes it: the client is reset ({reason}); {}", reason.remedy()))
            }
        }
    }
}
