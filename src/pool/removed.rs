//! Members that a reload removed and that still have connections: they drain, and after a while their pool's
//! service-down-action is taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::live::{LiveMember, LivePool, Registry};
use crate::model::{MemberKey, Name, ServiceDownAction};

/// What becomes of connections whose member goes down or is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceDown {
    pub action: ServiceDownAction,
    /// How long after a removal; `None` is never.
    pub drain_time: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Removed {
    pub live: Arc<LiveMember>,
    since: Instant,
}

/// A removed member with connections, to be looked at.
#[derive(Clone, Debug)]
pub struct Draining {
    pub pool: Name,
    pub member: MemberKey,
    pub connections: u32,
    /// What is done with them and when, if anything is.
    pub action: Option<(ServiceDownAction, Instant)>,
}

impl LivePool {
    /// Sets members aside that are not wanted and have connections, and forgets those that have none.
    pub(super) fn remove(&self, is_wanted: impl Fn(&MemberKey) -> bool, now: Instant) {
        let has_connections = |live: &LiveMember| live.connections.current() > 0;
        let mut removed = self.removed.lock();
        removed.retain(|_, removed| has_connections(&removed.live));
        for (key, live) in self.members.lock().extract_if(|key, _| !is_wanted(key)) {
            if has_connections(&live) {
                removed.insert(key, Removed { live, since: now });
            }
        }
    }

    pub(super) fn has_removed(&self) -> bool {
        !self.removed.lock().is_empty()
    }

    fn draining(&self) -> Vec<(Draining, Arc<LiveMember>)> {
        let ServiceDown { action, drain_time } = **self.service_down.load();
        let removed = self.removed.lock();
        let draining = removed.iter().map(|(key, removed)| {
            let at = drain_time.and_then(|time| removed.since.checked_add(time));
            let draining = Draining {
                pool: self.name.clone(),
                member: key.clone(),
                connections: removed.live.connections.current(),
                action: at.filter(|_| action != ServiceDownAction::None).map(|at| (action, at)),
            };
            (draining, Arc::clone(&removed.live))
        });
        draining.filter(|(draining, _)| draining.connections > 0).collect()
    }
}

impl Registry {
    /// Members that reloads removed and that still have connections, by pool and name.
    pub fn draining(&self) -> Vec<Draining> {
        let mut all: Vec<_> = self.removed().into_iter().map(|(draining, _)| draining).collect();
        all.sort_by(|one, other| (&one.pool, &one.member).cmp(&(&other.pool, &other.member)));
        all
    }

    /// Takes the action on removed members whose time is over, and tells when the next one's is.
    pub fn act_on_removed(&self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (Draining { pool, member, connections, action }, live) in self.removed() {
            match action {
                Some((action, at)) if at <= now => {
                    let is_new = live.doom(action);
                    if is_new {
                        let action = action.as_str();
                        tracing::warn!(%pool, %member, connections, action, "a removed member's drain time is over");
                    }
                }
                Some((_, at)) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        next
    }

    fn removed(&self) -> Vec<(Draining, Arc<LiveMember>)> {
        self.every_pool().iter().flat_map(|pool| pool.draining()).collect()
    }
}
