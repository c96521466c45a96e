//! Status and its reason in words, as an LTM's network map shows them.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::member::Health;
use super::pool::{Pool, PoolMember};
use super::select::{Applicant, NoMember, Refused, instead};
use crate::model::AdminState;
use crate::stats::Connections;

/// Whether traffic can go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Green circle.
    Available,
    /// Yellow triangle: not now, as at a connection limit.
    Unavailable,
    /// Red diamond.
    Offline,
    /// Blue square: nobody has checked.
    Unknown,
}

impl Availability {
    pub const ALL: [Self; 4] = [Self::Available, Self::Unavailable, Self::Offline, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Unavailable => "unavailable",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }
}

/// Availability, administrative state and the reason for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub availability: Availability,
    pub state: AdminState,
    pub reason: String,
}

/// Returns how many connections are those of processes that drain after an upgrade, in words; empty if none is.
pub fn of_other_processes(connections: &Connections) -> String {
    match connections.elsewhere() {
        0 => String::new(),
        count => format!(", {count} of them in processes that drain"),
    }
}

impl PoolMember {
    fn health_status(&self, health: &Health) -> (Availability, String) {
        if self.node.addresses().is_empty() {
            return (Availability::Offline, format!("the name {} does not resolve", self.config.node.address));
        }
        match health {
            Health::Down(reason) => (Availability::Offline, reason.clone()),
            Health::Disabled(reason) => {
                (Availability::Unavailable, format!("{reason}; it gets no new connection, those that it has go on"))
            }
            Health::Unavailable(reason) => (Availability::Unavailable, reason.clone()),
            Health::Up => (Availability::Available, "every monitor succeeds".into()),
            Health::Unknown => (Availability::Unknown, "no monitor has reported; the member is used".into()),
        }
    }
}

impl Pool {
    pub fn member_status(&self, index: usize) -> Status {
        self.member_status_at(index, Instant::now())
    }

    fn member_status_at(&self, index: usize, now: Instant) -> Status {
        let member = &self.members[index];
        let health = member.live.health();
        let (mut availability, mut reason) = member.health_status(&health);
        let limit = |limit: Option<u32>| limit.unwrap_or_default();
        let at_limit = match self.refused_in_health(index, &health, Applicant::UNKNOWN.persistent(), now) {
            Some(Refused::Limit) => {
                let others = of_other_processes(&member.live.connections);
                Some(format!("at its connection limit of {}{others}", limit(member.config.connection_limit)))
            }
            Some(Refused::NoThread) => {
                let threads = member.live.measurement().and_then(|it| it.service_threads).unwrap_or_default();
                Some(format!("all of its {threads} service threads are in use"))
            }
            Some(Refused::NodeLimit) => {
                let (limit, others) =
                    (limit(member.config.node.connection_limit), of_other_processes(&member.node.connections));
                Some(format!("its node is at its connection limit of {limit}{others}"))
            }
            Some(Refused::Rate) => {
                Some(format!("at its rate limit of {} connections in a second", limit(member.config.rate_limit)))
            }
            Some(Refused::NodeRate) => {
                let limit = limit(member.config.node.rate_limit);
                Some(format!("its node is at its rate limit of {limit} connections in a second"))
            }
            _ => None,
        };
        if let Some(at_limit) = at_limit {
            (availability, reason) = (Availability::Unavailable, at_limit);
        }
        if let Some(suspicion) = member.live.suspicion().filter(|_| !health.is_down()) {
            reason = format!("suspect, so others are tried first ({}); {reason}", suspicion.reason());
        }
        let state = member.state();
        if state != AdminState::Enabled {
            reason = format!("{}; {reason}", member.state_in_words());
        }
        Status { availability, state, reason }
    }

    /// Returns what decides instead while the method lacks measurements; empty when it does not.
    fn decides_instead(&self) -> String {
        let method = self.config.load_balancing_mode;
        if !(method.needs_measurements() && self.live.lacks_measurements.load(Ordering::Relaxed)) {
            return String::new();
        }
        format!("; a member has not reported its load recently: {}", instead(method))
    }

    /// Returns the best of its members' statuses.
    pub fn status(&self) -> Status {
        self.status_at(Instant::now())
    }

    /// Returns the same as [`status`](Self::status), with rates and measurements as they are at `now`.
    pub fn status_at(&self, now: Instant) -> Status {
        self.status_over(&self.member_statuses_at(now))
    }

    /// Returns the statuses of its members, in their order.
    pub fn member_statuses(&self) -> Vec<Status> {
        self.member_statuses_at(Instant::now())
    }

    fn member_statuses_at(&self, now: Instant) -> Vec<Status> {
        (0..self.members.len()).map(|index| self.member_status_at(index, now)).collect()
    }

    /// Returns the best of these statuses of its members.
    pub fn status_over(&self, statuses: &[Status]) -> Status {
        let usable =
            |wanted| statuses.iter().filter(|it| it.state == AdminState::Enabled && it.availability == wanted).count();
        if let Some(NoMember::TooFew { up, needed }) = self.too_few_up() {
            let reason = format!("{up} members are up and {needed} must be (min-up-members)");
            return Status { availability: Availability::Offline, state: AdminState::Enabled, reason };
        }
        let all = statuses.len();
        let (availability, reason) = match () {
            () if all == 0 => (Availability::Unknown, "the pool has no members".into()),
            () if usable(Availability::Available) > 0 => {
                let up = usable(Availability::Available);
                (Availability::Available, format!("{up} of {all} members available{}", self.decides_instead()))
            }
            () if usable(Availability::Unknown) > 0 => (Availability::Unknown, "no member has been checked".into()),
            () if usable(Availability::Unavailable) > 0 => {
                (Availability::Unavailable, "every member is at a limit, draining or offline".into())
            }
            () => (Availability::Offline, "no member is available".into()),
        };
        Status { availability, state: AdminState::Enabled, reason }
    }
}
