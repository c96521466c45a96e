//! A pool while it runs: its members, its queue and its counts, kept across reloads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use parking_lot::Mutex;

use super::atomic_instant::{self, Moment};
use super::elsewhere::Elsewhere;
use super::member::LiveMember;
use super::queue::{Queue, Turnstile};
use super::removed::RemovedMembers;
use super::select::Standings;
use super::shared::PoolShared;
use crate::model::{MemberKey, Name, ServiceDownAction};
use crate::stats::{Baseline, Connections, Counts, Traffic};

/// A pool while it runs.
#[derive(Debug)]
pub struct LivePool {
    pub connections: Connections,
    pub traffic: Traffic,
    baseline: Baseline,
    pub(super) name: Name,
    members: Mutex<HashMap<MemberKey, Arc<LiveMember>>>,
    pub(super) removed: RemovedMembers,
    pub(super) queue: Arc<Queue>,
    pub(super) shared: Arc<PoolShared>,
    /// What choices go by, of the configuration that chose last. Locked under the turnstile's lock only.
    pub(super) standings: Mutex<Standings>,
    /// When the trends of its members were last looked at.
    pub(super) trends_taken: Moment,
    /// Whether the method lacks fresh measurements, which is logged once.
    pub(super) lacks_measurements: AtomicBool,
}

impl LivePool {
    pub(super) fn new(name: Name, turnstile: &Arc<Turnstile>) -> Self {
        atomic_instant::set_origin();
        Self {
            connections: Connections::default(),
            traffic: Traffic::default(),
            baseline: Baseline::default(),
            name,
            members: Mutex::default(),
            removed: RemovedMembers::default(),
            queue: Queue::new(turnstile),
            shared: Arc::new(PoolShared::new(turnstile)),
            standings: Mutex::default(),
            trends_taken: Moment::default(),
            lacks_measurements: AtomicBool::default(),
        }
    }

    /// Returns the live member of that key, made when it is new. One that joins a pool which serves already begins
    /// slowly.
    pub fn member(&self, key: &MemberKey, now: Instant) -> Arc<LiveMember> {
        let back = self.removed.take(key);
        let mut members = self.members.lock();
        if let Some(live) = back {
            // It has the connections yet that it had before.
            live.apply_service_down(ServiceDownAction::None);
            members.entry(key.clone()).or_insert(live);
        }
        let serves = self.connections.total() > 0;
        let live = members.entry(key.clone()).or_insert_with(|| {
            let member = LiveMember::new(self.name.clone(), key.clone(), Arc::clone(&self.shared));
            if serves {
                member.ramp.start(now);
            }
            Arc::new(member)
        });
        Arc::clone(live)
    }

    /// Returns every member.
    pub(super) fn members(&self) -> Vec<(MemberKey, Arc<LiveMember>)> {
        self.members.lock().iter().map(|(key, live)| (key.clone(), Arc::clone(live))).collect()
    }

    /// Forgets the members that are not wanted. Those that have connections are set aside to drain.
    pub(super) fn retain_members(&self, is_wanted: impl Fn(&MemberKey) -> bool, now: Instant) {
        let unwanted = || self.members.lock().extract_if(|key, _| !is_wanted(key)).collect();
        self.removed.set_aside(unwanted, now);
    }

    /// Lets its statistics begin anew.
    pub fn reset_statistics(&self, now: SystemTime) {
        self.baseline.reset(&self.connections, &self.traffic, Vec::new(), now);
    }

    /// Returns its statistics since they were reset.
    pub fn statistics(&self) -> Counts {
        self.baseline.since_reset(&self.connections, &self.traffic, Vec::new())
    }

    /// Returns how many connections wait for a member.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Returns how many connections go before one that arrives now.
    pub(super) fn ahead(&self) -> usize {
        self.queue.ahead()
    }

    /// Sets how many connections there are elsewhere to each of its members. Returns whether there is more room than before.
    pub(super) fn set_elsewhere(&self, members: Option<&HashMap<MemberKey, Elsewhere>>) -> bool {
        let (mut all, mut has_more_room) = (0_u32, false);
        for (key, live) in self.members() {
            let of = members.and_then(|members| members.get(&key)).copied().unwrap_or_default();
            all = all.saturating_add(of.connections);
            has_more_room |= live.set_elsewhere(of);
        }
        self.connections.set_elsewhere(all);
        has_more_room
    }
}
