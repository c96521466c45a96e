//! The verdicts of a member's monitors, and its health that follows from them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard};

use super::health::{Health, Verdict};
use super::probe_results::{MonitorView, ProbeCounts, ProbeResult};
use crate::model::Name;

/// The verdicts of a member's monitors, and its health that follows from them.
#[derive(Debug)]
pub(super) struct Verdicts {
    by_monitor: Mutex<ByMonitor>,
    health: ArcSwap<Health>,
    /// Of the monitors that have probed the member.
    probes: Mutex<BTreeMap<Name, ProbeCounts>>,
}

impl Default for Verdicts {
    fn default() -> Self {
        let health = ArcSwap::new(shared(Health::default()));
        Self { by_monitor: Mutex::default(), health, probes: Mutex::default() }
    }
}

impl Verdicts {
    pub(super) fn health(&self) -> Arc<Health> {
        self.health.load_full()
    }

    pub(super) fn with_health<T>(&self, look: impl FnOnce(&Arc<Health>) -> T) -> T {
        look(&self.health.load())
    }

    /// Takes the monitors that watch the member. Verdicts of others are forgotten, those of these kept.
    pub(super) fn set_monitors(&self, monitors: impl IntoIterator<Item = Name>, needed: Option<usize>) {
        let mut by_monitor = self.by_monitor.lock();
        let mut before = std::mem::take(&mut by_monitor.verdicts);
        by_monitor.needed = needed;
        by_monitor.verdicts.extend(monitors.into_iter().map(|name| {
            let verdict = before.remove(&name).flatten();
            (name, verdict)
        }));
        self.health.store(shared(by_monitor.health()));
        self.probes.lock().retain(|monitor, _| by_monitor.verdicts.contains_key(monitor));
    }

    /// Counts a probe. That of a monitor that does not watch the member any more is not counted.
    pub(super) fn count_probe(&self, monitor: &Name, result: ProbeResult) {
        if self.by_monitor.lock().verdicts.contains_key(monitor) {
            self.probes.lock().entry(monitor.clone()).or_default()[result as usize] += 1;
        }
    }

    /// Returns what each monitor concludes, and how its probes went.
    pub(super) fn monitors(&self) -> Vec<MonitorView> {
        let (by_monitor, probes) = (self.by_monitor.lock(), self.probes.lock());
        let view = |(monitor, verdict): (&Name, &Option<Verdict>)| MonitorView {
            monitor: monitor.clone(),
            is_up: verdict.as_ref().map(|verdict| *verdict == Verdict::Up),
            probes: probes.get(monitor).copied().unwrap_or_default(),
        };
        by_monitor.verdicts.iter().map(view).collect()
    }

    /// Returns the verdict of one monitor, if it has one.
    pub(super) fn of(&self, monitor: &Name) -> Option<Verdict> {
        self.by_monitor.lock().verdicts.get(monitor).cloned().flatten()
    }

    /// Returns the verdicts of the monitors that have one.
    pub(super) fn all(&self) -> Vec<(Name, Verdict)> {
        let by_monitor = self.by_monitor.lock();
        by_monitor.verdicts.iter().filter_map(|(name, verdict)| Some((name.clone(), verdict.clone()?))).collect()
    }

    /// Takes verdicts that were found before, with which the member begins.
    pub(super) fn begin_with(&self, verdicts: impl IntoIterator<Item = (Name, Verdict)>) {
        let mut by_monitor = self.by_monitor.lock();
        by_monitor.verdicts.extend(verdicts.into_iter().map(|(name, verdict)| (name, Some(verdict))));
        self.health.store(shared(by_monitor.health()));
    }

    /// Takes or forgets the verdict of one monitor. The health that follows is for the caller to publish. A monitor
    /// that does not watch the member changes nothing.
    pub(super) fn change(&self, monitor: &Name, verdict: Option<Verdict>) -> Option<HealthChange<'_>> {
        let mut by_monitor = self.by_monitor.lock();
        *by_monitor.verdicts.get_mut(monitor)? = verdict;
        let (before, after) = (self.health(), shared(by_monitor.health()));
        Some(HealthChange { published: &self.health, before, after, _one_at_a_time: by_monitor })
    }
}

/// A change of a member's health, one at a time: others wait until this one is dropped.
pub(super) struct HealthChange<'a> {
    published: &'a ArcSwap<Health>,
    before: Arc<Health>,
    after: Arc<Health>,
    _one_at_a_time: MutexGuard<'a, ByMonitor>,
}

impl HealthChange<'_> {
    /// Returns whether the member takes connections again.
    pub(super) fn is_back(&self) -> bool {
        self.before.takes_no_connection() && !self.after.takes_no_connection()
    }

    pub(super) fn goes_down(&self) -> bool {
        self.after.is_down() && !self.before.is_down()
    }

    pub(super) fn comes_up(&self) -> bool {
        self.before.is_down() && !self.after.is_down()
    }

    /// Lets everybody see the new health.
    pub(super) fn publish(&self) {
        self.published.store(Arc::clone(&self.after));
    }
}

/// The verdicts by monitor, and how many of them must be good.
#[derive(Debug, Default)]
struct ByMonitor {
    verdicts: BTreeMap<Name, Option<Verdict>>,
    /// `None` is all.
    needed: Option<usize>,
}

impl ByMonitor {
    /// Returns the worst verdict with all monitors needed, and the N-th best with N needed. From best to worst: up, no
    /// verdict yet, unavailable, disabled, down. Of equals the first by name gives the reason.
    fn health(&self) -> Health {
        let mut verdicts: Vec<_> = self.verdicts.iter().collect();
        let all = verdicts.len();
        let needed = self.needed.unwrap_or(all).min(all);
        verdicts.sort_by_key(|(_, verdict)| badness(verdict.as_ref()));
        let Some((_, deciding)) = needed.checked_sub(1).and_then(|at| verdicts.get(at)) else { return Health::Unknown };
        let equal = |(_, other): &&(&Name, &Option<Verdict>)| badness(other.as_ref()) == badness(deciding.as_ref());
        let reason = verdicts.iter().find(equal).and_then(|(monitor, verdict)| {
            let reason = verdict.as_ref()?.reason()?;
            Some(format!("monitor {monitor}: {reason}"))
        });
        let reason = reason.unwrap_or_default();
        match deciding {
            None => Health::Unknown,
            Some(Verdict::Up) => Health::Up,
            Some(Verdict::Unavailable(_)) => Health::Unavailable(reason),
            Some(Verdict::Disabled(_)) => Health::Disabled(reason),
            Some(Verdict::Down(_)) => Health::Down(reason),
        }
    }
}

/// Returns the health to be published. What has no reason is the same for all of thousands of members.
fn shared(health: Health) -> Arc<Health> {
    static UNKNOWN: LazyLock<Arc<Health>> = LazyLock::new(|| Arc::new(Health::Unknown));
    static UP: LazyLock<Arc<Health>> = LazyLock::new(|| Arc::new(Health::Up));
    match health {
        Health::Unknown => Arc::clone(&UNKNOWN),
        Health::Up => Arc::clone(&UP),
        Health::Unavailable(_) | Health::Disabled(_) | Health::Down(_) => Arc::new(health),
    }
}

fn badness(verdict: Option<&Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Up) => 0,
        None => 1,
        Some(Verdict::Unavailable(_)) => 2,
        Some(Verdict::Disabled(_)) => 3,
        Some(Verdict::Down(_)) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_of_a_monitor_count_as_long_as_it_watches() {
        let (verdicts, [one, other]) = (Verdicts::default(), ["one", "other"].map(Name::from));
        let counts = |monitor: usize| {
            let view = verdicts.monitors().into_iter().nth(monitor);
            view.map(|view| [ProbeResult::Success, ProbeResult::Timeout].map(|result| view.probes(result)))
        };
        verdicts.set_monitors([one.clone(), other.clone()], None);
        verdicts.count_probe(&one, ProbeResult::Success);
        verdicts.count_probe(&one, ProbeResult::Timeout);
        verdicts.count_probe(&one, ProbeResult::Timeout);
        assert_eq!((counts(0), counts(1)), (Some([1, 2]), Some([0, 0])));
        verdicts.set_monitors([one], None);
        verdicts.count_probe(&other, ProbeResult::Success);
        assert_eq!((counts(0), counts(1)), (Some([1, 2]), None), "a reload keeps the counts of what stays");
        verdicts.set_monitors([other], None);
        assert_eq!(counts(0), Some([0, 0]));
    }

    fn verdicts(needed: Option<usize>, given: &[Option<Verdict>]) -> ByMonitor {
        let verdicts = given.iter().enumerate().map(|(at, verdict)| (Name::from(&*format!("m{at}")), verdict.clone()));
        ByMonitor { verdicts: verdicts.collect(), needed }
    }

    fn down() -> Option<Verdict> {
        Some(Verdict::Down("refused".into()))
    }

    #[test]
    fn up_only_while_every_monitor_says_so() {
        let up = || Some(Verdict::Up);
        let health = |given: &[Option<Verdict>]| verdicts(None, given).health();
        assert_eq!(health(&[]), Health::Unknown);
        assert_eq!(health(&[None]), Health::Unknown);
        assert_eq!(health(&[up()]), Health::Up);
        assert_eq!(health(&[up(), None]), Health::Unknown);
        assert_eq!(health(&[up(), down()]), Health::Down("monitor m1: refused".into()));
        assert_eq!(health(&[None, down()]), Health::Down("monitor m1: refused".into()));
    }

    #[test]
    fn worst_of_several_verdicts_holds() {
        let unavailable = || Some(Verdict::Unavailable("full".into()));
        let disabled = || Some(Verdict::Disabled("draining".into()));
        let health = |given: &[Option<Verdict>]| verdicts(None, given).health();
        assert_eq!(health(&[Some(Verdict::Up), unavailable()]), Health::Unavailable("monitor m1: full".into()));
        assert_eq!(health(&[None, unavailable()]), Health::Unavailable("monitor m1: full".into()));
        assert_eq!(health(&[disabled(), unavailable()]), Health::Disabled("monitor m0: draining".into()));
        assert_eq!(health(&[disabled(), down(), unavailable()]), Health::Down("monitor m1: refused".into()));
        assert_eq!(health(&[down(), down()]), Health::Down("monitor m0: refused".into()));
    }

    #[test]
    fn min_of_takes_that_many_of_the_best() {
        let up = || Some(Verdict::Up);
        let health = |needed, given: &[Option<Verdict>]| verdicts(Some(needed), given).health();
        assert_eq!(health(2, &[up(), down(), up()]), Health::Up);
        assert_eq!(health(2, &[up(), down(), None]), Health::Unknown);
        assert!(health(2, &[up(), down(), down()]).is_down());
        assert_eq!(health(1, &[Some(Verdict::Disabled("d".into())), up()]), Health::Up);
        assert_eq!(health(9, &[up(), up()]), Health::Up, "more than there are is all");
    }
}
