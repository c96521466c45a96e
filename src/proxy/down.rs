//! What becomes of clients whose member goes down, or whom no member could take.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::virtual_server::LiveVirtualServer;
use crate::model::{AdminState, ServiceDownAction};
use crate::net;
use crate::pool::{Availability, LiveMember, Pool, Status};

/// Waits until something is to be done with a member's connections, and tells what.
pub(super) async fn comes(mut fate: watch::Receiver<ServiceDownAction>) -> ServiceDownAction {
    let action = fate.wait_for(|fate| *fate != ServiceDownAction::None).await.map(|action| *action);
    match action {
        Ok(action) => action,
        // The member's state outlives its connections, as their guards hold it.
        Err(_) => pending().await,
    }
}

/// Whether a member's end of a connection should wait a moment for the verdict on the member: where its connections
/// are to be cut when it goes down, clients should see that rather than an end in order.
pub(super) fn waits_for_verdict(member: &LiveMember) -> bool {
    member.service_down_action() != ServiceDownAction::None
}

/// Why nobody can take a client that comes now, if so. A pool that queues takes clients at a limit.
pub(super) fn nobody_can_serve(pool: &Pool, now: Instant) -> Option<String> {
    // Almost always so, and costs no words.
    if pool.has_choice(now) {
        return None;
    }
    let Status { availability, reason, .. } = pool.status_at(now);
    match availability {
        Availability::Offline => Some(reason),
        Availability::Unavailable if !pool.config.queue.on_connection_limit => Some(reason),
        _ => None,
    }
}

/// Keeps a client without a word until it leaves, for `limit`, or until `ends`. A process cannot forget a connection
/// as F5 does: its kernel would answer the client's next packet with a reset.
pub(super) async fn hold_in_silence(client: &TcpStream, limit: Option<Duration>, ends: impl Future<Output = ()>) {
    let long_enough = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = net::peer_closed(client) => {}
        () = long_enough => {}
        () = ends => {}
    }
}

impl LiveVirtualServer {
    /// Its status as an LTM derives it: from its pool, its own limit and its administrative state.
    pub fn status(&self) -> Status {
        let snapshot = self.snapshot.load();
        let config = &snapshot.config;
        let Status { mut availability, mut reason, .. } = snapshot.pool.status();
        let current = self.connections.current();
        if let Some(limit) = config.connection_limit.filter(|limit| current >= *limit)
            && availability != Availability::Offline
        {
            availability = Availability::Unavailable;
            reason = format!("at its connection limit of {limit}");
        }
        match config.state {
            AdminState::Enabled => {}
            AdminState::Disabled => {
                reason = format!("disabled, lets in whoever has a persistence record; {reason}");
            }
            AdminState::ForcedOffline => reason = format!("forced offline, does not listen; {reason}"),
        }
        Status { availability, state: config.state, reason }
    }
}
