//! The status of a virtual server, derived as an LTM does: from its pool, its connection limit and its state.

use super::snapshot::Snapshot;
use super::virtual_server::LiveVirtualServer;
use crate::model::AdminState;
use crate::pool::{Availability, Status, of_other_processes, set_by_in_words};

impl LiveVirtualServer {
    /// Returns the status of the virtual server, with its reason in words.
    pub fn status(&self) -> Status {
        let snapshot = self.snapshot.load();
        self.status_over(&snapshot, snapshot.pool.status())
    }

    /// Returns the same where the status of the snapshot's pool is known already.
    pub fn status_over(&self, snapshot: &Snapshot, pool: Status) -> Status {
        let config = &snapshot.config;
        let Status { mut availability, mut reason, .. } = pool;
        let current = self.connections.everywhere();
        if let Some(limit) = config.connection_limit.filter(|limit| current >= *limit)
            && availability != Availability::Offline
        {
            availability = Availability::Unavailable;
            reason = format!("at its connection limit of {limit}{}", of_other_processes(&self.connections));
        }
        let set_by = set_by_in_words(config.state_set_by.as_ref());
        match config.state {
            AdminState::Enabled => {}
            AdminState::Disabled => {
                reason = format!("disabled{set_by}, lets in only clients with a persistence record; {reason}");
            }
            AdminState::ForcedOffline => reason = format!("forced offline{set_by}, does not listen; {reason}"),
        }
        Status { availability, state: config.state, reason }
    }
}
