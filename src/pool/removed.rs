//! Members that a reload removed and that still have connections: they drain, and after a while their pool's
//! service-down-action is taken.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::member::LiveMember;
use super::service_down::ServiceDown;
use crate::model::{MemberKey, Name, ServiceDownAction};

/// The removed members of one pool that still have connections.
#[derive(Debug, Default)]
pub(super) struct RemovedMembers(Mutex<HashMap<MemberKey, Removed>>);

#[derive(Debug)]
struct Removed {
    live: Arc<LiveMember>,
    since: Instant,
}

/// A removed member that still has connections, for display.
#[derive(Clone, Debug)]
pub struct Draining {
    pub pool: Name,
    pub member: MemberKey,
    pub connections: u32,
    /// What is done with them and when, if anything is.
    pub action: Option<(ServiceDownAction, Instant)>,
}

impl RemovedMembers {
    /// Takes out a member that is wanted again.
    pub(super) fn take(&self, key: &MemberKey) -> Option<Arc<LiveMember>> {
        Some(self.0.lock().remove(key)?.live)
    }

    /// Keeps those of the members that have connections, and forgets those that have none any more. `members` takes
    /// them out of the pool, so that they are here or there whoever looks.
    pub(super) fn set_aside(&self, members: impl FnOnce() -> Vec<(MemberKey, Arc<LiveMember>)>, now: Instant) {
        let has_connections = |live: &LiveMember| live.connections.current() > 0;
        let mut removed = self.0.lock();
        removed.retain(|_, removed| has_connections(&removed.live));
        for (key, live) in members() {
            if has_connections(&live) {
                removed.insert(key, Removed { live, since: now });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Returns those that have connections, and what becomes of these by the pool's policy.
    pub(super) fn draining(&self, pool: &Name, policy: ServiceDown) -> Vec<(Draining, Arc<LiveMember>)> {
        let ServiceDown { action, drain_time } = policy;
        let removed = self.0.lock();
        let draining = removed.iter().map(|(key, removed)| {
            let at = drain_time.and_then(|time| removed.since.checked_add(time));
            let draining = Draining {
                pool: pool.clone(),
                member: key.clone(),
                connections: removed.live.connections.current(),
                action: at.filter(|_| action != ServiceDownAction::None).map(|at| (action, at)),
            };
            (draining, Arc::clone(&removed.live))
        });
        draining.filter(|(draining, _)| draining.connections > 0).collect()
    }
}
