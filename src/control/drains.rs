//! Taking a member, a node or a virtual server out of service: it is forced offline, and this task ends what is left of
//! its connections, when an administrator asked for that. It does not depend on the command that asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::administration::{DrainPlan, Request, Target};
use super::serving::Serving;
use crate::model::{AdminState, SetBy};
use crate::proxy::{OpenConnections, Remaining, Selection, Stop};

/// What is being drained. A drain is over when no connection is left, or when the target is put back into service.
#[derive(Debug, Default)]
pub(super) struct Drains {
    pending: Mutex<BTreeMap<Target, Drain>>,
    changed: Notify,
}

/// A drain that is not over.
#[derive(Clone, Debug)]
pub struct Drain {
    pub by: Arc<SetBy>,
    /// When the remaining connections are ended.
    pub deadline: Option<Instant>,
    /// After how long without bytes a connection is ended.
    pub idle_for: Option<Duration>,
    /// How many connections were ended by it.
    pub ended: usize,
}

/// How far a drain is, or that of something that is not drained.
#[derive(Clone, Debug)]
pub struct Drained {
    pub target: Target,
    /// Whether pronk still looks after it.
    pub pending: Option<Drain>,
    pub state: AdminState,
    pub remaining: Remaining,
}

impl Drains {
    /// Follows what an administrator has set.
    pub(super) fn follow(&self, request: &Request, targets: &[Target], now: Instant) {
        let mut pending = self.pending.lock();
        match request {
            Request::Drain { plan: DrainPlan { deadline, idle_for }, by, .. } => {
                let deadline = deadline.and_then(|time| now.checked_add(time));
                let drain = Drain { by: Arc::new(by.clone()), deadline, idle_for: *idle_for, ended: 0 };
                pending.extend(targets.iter().map(|target| (target.clone(), drain.clone())));
            }
            Request::Set { change, .. } if !change.is_state() => return,
            Request::Clear { target: None, .. } => pending.clear(),
            Request::Set { .. } | Request::Clear { .. } => {
                pending.retain(|target, _| !targets.contains(target));
            }
        }
        drop(pending);
        self.changed.notify_one();
    }

    /// Returns what is being drained.
    pub(super) fn pending(&self) -> Vec<(Target, Drain)> {
        self.pending.lock().iter().map(|(target, drain)| (target.clone(), drain.clone())).collect()
    }

    /// Returns how far the drain of a target is.
    pub(super) fn look(&self, target: Target, serving: &Serving, open: &OpenConnections) -> Drained {
        let pending = self.pending.lock().get(&target).cloned();
        let remaining = remaining(&target, serving, open);
        Drained { pending, state: state_of(&target, serving), remaining, target }
    }

    /// Ends what is to be ended, again and again.
    pub(super) async fn carry_out(&self, serving: impl Fn() -> Arc<Serving>, open: &OpenConnections) -> Infallible {
        loop {
            if self.pending.lock().is_empty() {
                self.changed.notified().await;
            }
            let begun = Instant::now();
            self.step(&serving(), open, begun);
            // However much there is, the thread is free most of the time.
            sleep(EVERY.max(20 * begun.elapsed())).await;
        }
    }

    fn step(&self, serving: &Serving, open: &OpenConnections, now: Instant) {
        for (target, drain) in self.pending() {
            if state_of(&target, serving) == AdminState::Enabled {
                tracing::info!(%target, "it is in service again, and is not drained any more");
                self.pending.lock().remove(&target);
                continue;
            }
            let ended = drain.end_what_is_due(&target, open, now);
            let remaining = remaining(&target, serving, open);
            if ended > 0 {
                tracing::info!(%target, ended, remaining = remaining.connections, "connections ended by a drain");
            }
            let mut pending = self.pending.lock();
            // It may have been replaced or given up meanwhile.
            let Some(known) = pending.get_mut(&target).filter(|known| Arc::ptr_eq(&known.by, &drain.by)) else {
                continue;
            };
            known.ended += ended;
            if remaining.connections == 0 {
                tracing::info!(%target, ended = known.ended, "drained: no connection is left");
                pending.remove(&target);
            }
        }
    }
}

impl Drain {
    /// Ends the connections whose time has come, and returns how many.
    fn end_what_is_due(&self, target: &Target, open: &OpenConnections, now: Instant) -> usize {
        let reason = self.by.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let why = |what: &str| Arc::from(format!("{} drains {target}{reason}; {what}", self.by.who));
        let selection = selection(target);
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return open.stop(&selection, Stop::DrainDeadline, &why("the deadline is over"), None);
        }
        let Some(idle_for) = self.idle_for else { return 0 };
        open.stop(&selection, Stop::DrainIdle, &why(&format!("it was idle for {idle_for:?}")), Some(idle_for))
    }
}

/// Returns the connections of a target.
fn selection(target: &Target) -> Selection {
    match target.clone() {
        Target::Node(node) => Selection { node: Some(node), ..Selection::default() },
        Target::Member { pool, member } => Selection { pool: Some(pool), member: Some(member), ..Selection::default() },
        Target::VirtualServer(name) => Selection { virtual_server: Some(name), ..Selection::default() },
    }
}

/// Returns what is left of a target's connections. A connection for which a member was just chosen counts before it is
/// listed as the member's.
fn remaining(target: &Target, serving: &Serving, open: &OpenConnections) -> Remaining {
    let counted = match target {
        Target::VirtualServer(name) => serving.virtual_servers.get(name).map(|live| live.connections.current()),
        Target::Node(name) => {
            let mut members = serving.pools.values().flat_map(|pool| &pool.members);
            members.find(|member| member.key.node == *name).map(|member| member.node.connections.current())
        }
        Target::Member { pool, member } => {
            let mut members = serving.pools.get(pool).into_iter().flat_map(|pool| &pool.members);
            members.find(|it| it.key == *member).map(|it| it.live.connections.current())
        }
    };
    let mut remaining = open.remaining(&selection(target));
    remaining.connections = remaining.connections.max(counted.unwrap_or_default() as usize);
    remaining
}

/// Returns the state of a target; what is gone has none, and nothing new comes to it.
fn state_of(target: &Target, serving: &Serving) -> AdminState {
    match target {
        Target::VirtualServer(name) => serving.virtual_servers.get(name).map(|live| live.snapshot.load().config.state),
        Target::Node(name) => {
            let mut members = serving.pools.values().flat_map(|pool| &pool.members);
            members.find(|member| member.key.node == *name).map(|member| member.config.node.state)
        }
        Target::Member { pool, member } => {
            let mut members = serving.pools.get(pool).into_iter().flat_map(|pool| &pool.members);
            members.find(|it| it.key == *member).map(|it| it.config.state)
        }
    }
    .unwrap_or(AdminState::ForcedOffline)
}

/// How often it is looked at what is left.
const EVERY: Duration = Duration::from_millis(500);
