//! A member while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwapOption;
use tokio::sync::broadcast;

use super::counts::Counts;
use super::health::{Health, Verdict};
use super::load::{Load, MeasuredLoad};
use super::measurement::Measurement;
use super::method_state::Turns;
use super::passive_events::{PassiveEvent, PassiveEvents};
use super::probe_results::{MonitorView, ProbeResult};
use super::slow_ramp::SlowRamp;
use super::suspicion::{Contact, Failure, Suspicion};
use super::verdicts::Verdicts;
use crate::model::{MemberKey, Name, ServiceDownAction};
use crate::pool::atomic_instant::Moment;
use crate::pool::elsewhere::Elsewhere;
use crate::pool::marks::Changed;
use crate::pool::persistence::RecordTarget;
use crate::pool::service_down::ActionInForce;
use crate::pool::shared::PoolShared;
use crate::stats::{Baseline, Connections, Counts as StatisticsCounts, Traffic};

/// A member while it runs: what is counted of it, what the choice remembers of it, and what monitors find.
#[derive(Debug)]
pub struct LiveMember {
    pub connections: Connections,
    pub traffic: Traffic,
    baseline: Baseline,
    pub(in crate::pool) counts: Counts,
    /// What persistence records name.
    pub(in crate::pool) target: Arc<RecordTarget>,
    pub(in crate::pool) turns: Turns,
    pub(in crate::pool) ramp: SlowRamp,
    /// Held by whoever probes: a member has few threads to answer with.
    pub probing: tokio::sync::Mutex<()>,
    /// Whether its port took the last connection.
    listens: AtomicBool,
    suspicion: ArcSwapOption<Suspicion>,
    /// When its process last sent anything, to within [`ANSWERS_WITHIN`].
    answered: Moment,
    /// The kinds of openings that it has answered, one bit each.
    openings: AtomicU32,
    /// What monitors found that its port speaks: [`UNKNOWN`], [`PLAINTEXT`] or [`TLS`].
    transport: AtomicU8,
    verdicts: Verdicts,
    load: MeasuredLoad,
    passive_events: PassiveEvents,
    service_down: ActionInForce,
}

impl Default for LiveMember {
    fn default() -> Self {
        Self::new(Name::from(""), MemberKey { node: Name::from(""), port: 0 }, Arc::default())
    }
}

impl LiveMember {
    pub(in crate::pool) fn new(pool: Name, member: MemberKey, shared: Arc<PoolShared>) -> Self {
        Self {
            connections: Connections::default(),
            traffic: Traffic::default(),
            baseline: Baseline::default(),
            counts: Counts::default(),
            target: RecordTarget::new(pool, member, shared),
            turns: Turns::default(),
            ramp: SlowRamp::default(),
            probing: tokio::sync::Mutex::default(),
            listens: AtomicBool::default(),
            suspicion: ArcSwapOption::empty(),
            answered: Moment::default(),
            openings: AtomicU32::default(),
            transport: AtomicU8::new(UNKNOWN),
            verdicts: Verdicts::default(),
            load: MeasuredLoad::default(),
            passive_events: PassiveEvents::default(),
            service_down: ActionInForce::default(),
        }
    }

    pub fn key(&self) -> &MemberKey {
        &self.target.member
    }

    pub fn health(&self) -> Arc<Health> {
        self.verdicts.health()
    }

    pub(in crate::pool) fn with_health<T>(&self, look: impl FnOnce(&Arc<Health>) -> T) -> T {
        self.verdicts.with_health(look)
    }

    /// Takes the monitors that watch this member, and how many of them must be good (`None` is all). Verdicts of others
    /// are forgotten, those of these kept.
    pub fn set_monitors(&self, monitors: impl IntoIterator<Item = Name>, needed: Option<usize>) {
        self.verdicts.set_monitors(monitors, needed);
        self.target.mark(Changed::now());
    }

    /// Returns the verdict of one monitor, if it has one.
    pub fn verdict_of(&self, monitor: &Name) -> Option<Verdict> {
        self.verdicts.of(monitor)
    }

    /// Returns the verdicts of the monitors that have one.
    pub fn verdicts(&self) -> Vec<(Name, Verdict)> {
        self.verdicts.all()
    }

    /// Takes the verdicts that another process has found, before any connection. They hold until their monitors say
    /// otherwise.
    pub fn begin_with(&self, verdicts: impl IntoIterator<Item = (Name, Verdict)>) {
        self.verdicts.begin_with(verdicts);
        self.target.mark(Changed::now());
    }

    /// Takes a monitor's verdict. A monitor that does not watch this member has none.
    pub fn set_verdict(&self, monitor: &Name, verdict: Verdict, now: Instant) {
        self.change_verdict(monitor, Some(verdict), now);
    }

    /// Forgets a monitor's verdict, as when the monitor panicked: what it found last need not be so any more.
    pub fn forget_verdict(&self, monitor: &Name, now: Instant) {
        self.change_verdict(monitor, None, now);
    }

    fn change_verdict(&self, monitor: &Name, verdict: Option<Verdict>, now: Instant) {
        let Some(change) = self.verdicts.change(monitor, verdict) else { return };
        if change.is_back() {
            self.ramp.start(now);
        }
        change.publish();
        self.target.mark(Changed::now());
        // Only then, as connections that are moved must not choose this member again.
        if change.goes_down() {
            self.record_loss(now);
            self.apply_service_down(self.service_down_action());
        } else if change.comes_up() {
            self.apply_service_down(ServiceDownAction::None);
        }
        drop(change);
        self.target.shared.turnstile.wake();
    }

    /// Puts an action in force on its connections; returns whether it is another one than before.
    pub(in crate::pool) fn apply_service_down(&self, action: ServiceDownAction) -> bool {
        self.service_down.set(action)
    }

    /// Returns what becomes of the connections of this member when it goes down, by the latest configuration.
    pub fn service_down_action(&self) -> ServiceDownAction {
        self.target.shared.service_down.load().action
    }

    /// Waits until a service-down action is in force on its connections, and returns it.
    pub fn service_down_due(&self) -> impl Future<Output = ServiceDownAction> {
        self.service_down.due()
    }

    /// Records that a connection to the member was made, in which so much of it answered.
    pub fn record_connected(&self, answered: Contact, now: Instant) {
        if !self.listens.load(Ordering::Relaxed) {
            self.listens.store(true, Ordering::Relaxed);
        }
        self.record_answer(answered, now);
    }

    /// Returns when the member's process last sent anything to anybody.
    pub fn last_answer(&self) -> Option<Instant> {
        self.answered.get()
    }

    /// Records that the member sent bytes to a client. Written seldom, as all of its connections share it.
    pub fn record_bytes(&self, now: Instant) {
        if self.answered.get().is_none_or(|last| now.saturating_duration_since(last) >= ANSWERS_WITHIN) {
            self.answered.set(now);
        }
    }

    /// Records that the member answered an opening of this kind; a kind is a number below 32.
    pub fn record_opening(&self, kind: u8) {
        let bit = 1 << kind;
        if self.openings.load(Ordering::Relaxed) & bit == 0 {
            self.openings.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Returns whether the member has ever answered an opening of this kind.
    pub fn answers_openings(&self, kind: u8) -> bool {
        self.openings.load(Ordering::Relaxed) & (1 << kind) != 0
    }

    /// Records that the member answered a probe in TLS, or in plaintext.
    pub fn record_transport(&self, tls: bool) {
        self.transport.store(if tls { TLS } else { PLAINTEXT }, Ordering::Relaxed);
    }

    /// Returns whether the member speaks TLS, if a probe has found out.
    pub fn speaks_tls(&self) -> Option<bool> {
        match self.transport.load(Ordering::Relaxed) {
            UNKNOWN => None,
            known => Some(known == TLS),
        }
    }

    /// Records that the member answers, which ends a suspicion of as much.
    pub fn record_answer(&self, answered: Contact, now: Instant) {
        if answered == Contact::Process {
            self.answered.set(now);
        }
        if self.suspicion.load().is_none() {
            return;
        }
        let ends = |suspicion: &Option<Arc<Suspicion>>| suspicion.as_ref().is_some_and(|it| it.ends_with(answered));
        let before = self.suspicion.rcu(|suspicion| suspicion.clone().filter(|_| !ends(suspicion)));
        if ends(&before) {
            self.target.mark(Changed::now());
            let RecordTarget { pool, member, .. } = &*self.target;
            tracing::info!(%pool, %member, "suspect member answers again");
            self.target.shared.turnstile.wake();
        }
    }

    /// Makes the member suspect: others are tried first.
    pub fn record_failure(&self, failure: &Failure, now: Instant) {
        let before = self.suspicion.rcu(|before| Some(Arc::new(Suspicion::after(before.as_deref(), failure, now))));
        self.target.mark(Changed::now());
        if before.is_none() {
            let (RecordTarget { pool, member, .. }, reason) = (&*self.target, &failure.reason);
            tracing::warn!(%pool, %member, %reason, "member is suspect: others are tried first");
        }
    }

    /// Returns why the member is suspect, if it is.
    pub fn suspicion(&self) -> Option<Arc<Suspicion>> {
        self.suspicion.load_full()
    }

    /// Records that a connection is sent to the member, which tries it if it is suspect.
    pub(in crate::pool) fn record_try(&self, now: Instant) {
        if self.suspicion.load().is_none() {
            return;
        }
        self.suspicion.rcu(|suspicion| suspicion.as_ref().map(|it| Arc::new(it.tried(now))));
        self.target.mark(Changed::now());
    }

    /// Records that the member's port refuses connections. If it took one before, the member was lost, which pools
    /// without monitors learn in no other way.
    pub fn record_refused(&self, now: Instant) {
        if self.listens.swap(false, Ordering::Relaxed) {
            self.record_loss(now);
        }
    }

    /// Records that the member was lost: its clients will want another member at once. How single connections end says
    /// nothing of that, as a client can make a member reset its own.
    fn record_loss(&self, now: Instant) {
        self.target.shared.last_loss.set(now);
    }

    /// Returns what the member last reported of its load, if a monitor asks it.
    pub fn measurement(&self) -> Option<Arc<Measurement>> {
        self.load.measurement()
    }

    /// Sets how many connections there are to it in other processes. Returns whether there is more room than before.
    pub(in crate::pool) fn set_elsewhere(&self, elsewhere: Elsewhere) -> bool {
        let before = elsewhere.replace_in(&self.connections, &self.counts.persisted);
        if before != elsewhere {
            self.target.mark(Changed::now());
        }
        before.connections > elsewhere.connections
    }

    /// Takes what the member reports of its load.
    pub fn set_measurement(&self, measurement: Measurement) {
        self.load.set(measurement, self.connections.everywhere());
        self.target.mark(Changed::now());
        // Whoever waits may be served.
        self.target.shared.turnstile.wake();
    }

    /// Returns how busy the member is, if it reported that lately.
    pub fn load(&self, now: Instant) -> Option<Load> {
        self.load.load(now)
    }

    /// Returns how many service threads it has, if every one of them is in use.
    pub(in crate::pool) fn all_threads_in_use(&self, now: Instant) -> Option<u64> {
        self.load.all_threads_in_use(self.connections.everywhere(), now)
    }

    /// Returns until when its threads count as in use, if they do.
    pub(in crate::pool) fn threads_in_use_until(&self, now: Instant) -> Option<Instant> {
        self.load.threads_in_use_until(self.connections.everywhere(), now)
    }

    /// Lets its statistics begin anew.
    pub fn reset_statistics(&self, now: SystemTime) {
        self.baseline.reset(&self.connections, &self.traffic, Vec::new(), now);
    }

    /// Returns its statistics since they were reset.
    pub fn statistics(&self) -> StatisticsCounts {
        self.baseline.since_reset(&self.connections, &self.traffic, Vec::new())
    }

    /// Counts a probe of one of its monitors.
    pub fn count_probe(&self, monitor: &Name, result: ProbeResult) {
        self.verdicts.count_probe(monitor, result);
    }

    /// Returns what its monitors conclude, and how their probes went.
    pub fn monitors(&self) -> Vec<MonitorView> {
        self.verdicts.monitors()
    }

    /// Returns how many connections of this process persistence sent to it.
    pub fn persisted(&self) -> u32 {
        self.counts.persisted.current()
    }

    /// Returns how many persistence records name it.
    pub fn records(&self) -> u32 {
        self.target.records()
    }

    /// Passes on to passive monitors how a connection went.
    pub fn publish(&self, event: PassiveEvent) {
        self.passive_events.publish(event);
    }

    /// Follows how connections go from here on.
    pub fn passive_events(&self) -> broadcast::Receiver<PassiveEvent> {
        self.passive_events.subscribe()
    }
}

/// How exactly it is known when a member last sent something.
const ANSWERS_WITHIN: Duration = Duration::from_millis(50);
const UNKNOWN: u8 = 0;
const PLAINTEXT: u8 = 1;
const TLS: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[test]
    fn verdicts_survive_while_their_monitor_does() {
        let member = LiveMember::default();
        let (tcp, tls) = (Name::from("tcp"), Name::from("tls"));
        member.set_monitors([tcp.clone()], None);
        member.set_verdict(&tcp, Verdict::Down("refused".into()), Instant::now());
        assert!(member.health().is_down());
        member.set_monitors([tcp.clone(), tls.clone()], None);
        assert!(member.health().is_down(), "a reload that adds a monitor keeps what the other found");
        member.set_monitors([tls], None);
        assert_eq!(*member.health(), Health::Unknown);
        member.set_verdict(&tcp, Verdict::Up, Instant::now());
        assert_eq!(*member.health(), Health::Unknown, "a monitor that was removed has no verdict");
    }

    #[test]
    fn verdict_of_a_monitor_that_broke_off_is_forgotten() {
        let (member, tcp) = (LiveMember::default(), Name::from("tcp"));
        member.set_monitors([tcp.clone()], None);
        for verdict in [Verdict::Up, Verdict::Down("refused".into()), Verdict::Unavailable("full".into())] {
            member.set_verdict(&tcp, verdict, Instant::now());
            assert_ne!(*member.health(), Health::Unknown);
            member.forget_verdict(&tcp, Instant::now());
            assert_eq!(*member.health(), Health::Unknown);
            assert!(!member.apply_service_down(ServiceDownAction::None), "none was in force");
        }
    }
}
