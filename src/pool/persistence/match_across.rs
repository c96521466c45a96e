//! Which virtual servers share persistence records (`match-across-…`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::records::Records;
use crate::model::profile::Affinity;
use crate::model::{Model, Name, VirtualServer};

/// Who shares persistence records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// One virtual server alone.
    VirtualServer(Name),
    /// Virtual servers with this address (`match-across-services`).
    Address(IpAddr),
    /// All whose profile has `match-across-virtuals`.
    All,
}

impl Sharing {
    /// Returns with whom a virtual server shares its records.
    pub fn of(virtual_server: &VirtualServer, affinity: &Affinity) -> Self {
        match affinity {
            Affinity { match_across_virtuals: true, .. } => Self::All,
            Affinity { match_across_services: true, .. } => Self::Address(virtual_server.destination.ip()),
            _ => Self::VirtualServer(virtual_server.name.clone()),
        }
    }

    fn is_among(&self, model: &Model) -> bool {
        match self {
            Self::VirtualServer(name) => model.virtual_servers.contains_key(name),
            Self::Address(address) => model.virtual_servers.values().any(|it| it.destination.ip() == *address),
            Self::All => true,
        }
    }
}

/// All records, by who shares them.
#[derive(Debug, Default)]
pub(in crate::pool) struct SharedRecords {
    shared: Mutex<HashMap<Sharing, Arc<Records>>>,
    /// Records that nobody shares any more, until they are discarded little by little. Otherwise the last connection to
    /// hold them would free all of them at once.
    gone: Mutex<Vec<Arc<Records>>>,
}

impl SharedRecords {
    /// Returns the records that are shared so, made when they are new.
    pub(crate) fn of(&self, sharing: &Sharing) -> Arc<Records> {
        Arc::clone(self.shared.lock().entry(sharing.clone()).or_default())
    }

    /// Returns all of them, in order.
    pub(crate) fn all(&self) -> Vec<(Sharing, Arc<Records>)> {
        let mut all: Vec<_> =
            self.shared.lock().iter().map(|(it, records)| (it.clone(), Arc::clone(records))).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// Forgets the records that nobody shares in this model.
    pub(crate) fn retain(&self, model: &Model) {
        let mut shared = self.shared.lock();
        let gone = shared.extract_if(|sharing, _| !sharing.is_among(model)).map(|(_, records)| records);
        self.gone.lock().extend(gone);
    }

    /// Removes what has expired or is gone from a part of each table.
    pub(crate) fn sweep(&self, now: Instant) {
        for (_, records) in self.all() {
            records.sweep(now);
        }
        let mut gone = std::mem::take(&mut *self.gone.lock());
        gone.retain(|records| !records.discard());
        self.gone.lock().extend(gone);
    }
}
