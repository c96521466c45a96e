//! How busy a member is, by its own account: for least-load, dynamic ratio and the limit on service threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::measurement::Measurement;

/// The newest measurement of a member, and its load by all of them.
#[derive(Debug, Default)]
pub(super) struct MeasuredLoad {
    measurement: ArcSwapOption<Measurement>,
    load: ArcSwapOption<Load>,
    /// Connections that it had from others than us when it was measured.
    of_others: AtomicU64,
}

impl MeasuredLoad {
    pub(super) fn measurement(&self) -> Option<Arc<Measurement>> {
        self.measurement.load_full()
    }

    /// Takes a measurement of a member that has `own` connections of ours.
    pub(super) fn set(&self, measurement: Measurement, own: u32) {
        let of_others = measurement.connections_in_use.unwrap_or(0).saturating_sub(own.into());
        self.of_others.store(of_others, Ordering::Relaxed);
        let load = Load::of(&measurement, self.load.load().as_deref());
        self.load.store(load.map(Arc::new));
        self.measurement.store(Some(Arc::new(measurement)));
    }

    /// Returns how busy the member is, if that was measured lately.
    pub(super) fn load(&self, now: Instant) -> Option<Load> {
        self.load.load().as_deref().copied().filter(|load| load.is_fresh(now))
    }

    /// Returns how many service threads the member has, if every one of them is in use: by its own account of others'
    /// connections, and by ours as they are at this moment. So a thread that is free again goes to one client, not to
    /// all that wait.
    pub(super) fn all_threads_in_use(&self, own: u32, now: Instant) -> Option<u64> {
        let measurement = self.measurement.load();
        let Measurement { taken, good_for, service_threads, .. } = *measurement.as_deref()?;
        let threads = service_threads.filter(|_| now.saturating_duration_since(taken) < good_for)?;
        let used = self.of_others.load(Ordering::Relaxed).saturating_add(own.into());
        (used >= threads).then_some(threads)
    }

    /// Returns until when all threads count as in use, if they do.
    pub(super) fn threads_in_use_until(&self, own: u32, now: Instant) -> Option<Instant> {
        self.all_threads_in_use(own, now)?;
        let measurement = self.measurement.load();
        let Measurement { taken, good_for, .. } = *measurement.as_deref()?;
        taken.checked_add(good_for)
    }
}

/// How busy a member is, smoothed over its measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// In queries under way: what waits counts double, an idle connection a tenth.
    pub work: f64,
    /// The factor by which scarce memory raises the cost of a query; 1 with enough of it.
    pub pressure: f64,
    /// The connections that its node had got from all pools when it was measured.
    connections_got: u64,
    taken: Instant,
    good_for: Duration,
}

impl Load {
    /// Returns the load by a measurement, given what was known before; `None` when the measurement has nothing of use.
    fn of(measurement: &Measurement, before: Option<&Self>) -> Option<Self> {
        let Measurement { queries_registered, connections_in_use, setup_queue, admission_queued, .. } = *measurement;
        queries_registered.or(connections_in_use)?;
        let count = |count: Option<u64>| count.unwrap_or(0) as f64;
        let work = count(queries_registered)
            + WAITING * (count(setup_queue) + count(admission_queued))
            + IDLE * count(connections_in_use);
        let used = measurement.memory_fraction.unwrap_or(0.0).clamp(0.0, FULL);
        let pressure = ((1.0 - MEMORY_IS_SHORT) / (1.0 - used)).max(1.0);
        let before = before.filter(|before| before.is_fresh(measurement.taken));
        let smooth =
            |new: f64, old: fn(&Self) -> f64| before.map_or(new, |before| NEWEST * new + (1.0 - NEWEST) * old(before));
        Some(Self {
            work: smooth(work, |before| before.work),
            pressure: smooth(pressure, |before| before.pressure),
            connections_got: measurement.connections_got,
            taken: measurement.taken,
            good_for: measurement.good_for,
        })
    }

    fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.taken) < self.good_for
    }

    /// Returns until when the load counts, if it ever ends to.
    pub(in crate::pool) fn fresh_until(&self) -> Option<Instant> {
        self.taken.checked_add(self.good_for)
    }

    /// Returns what the next connection would find, given the connections that the node has got by now: each since the
    /// measurement is taken for a query, so that no member draws everybody until the next one.
    pub(in crate::pool) fn expected(&self, connections_got: u64) -> f64 {
        (self.work + connections_got.saturating_sub(self.connections_got) as f64 + 1.0) * self.pressure
    }
}

const WAITING: f64 = 2.0;
const IDLE: f64 = 0.1;
/// The weight of the newest measurement; the rest is what was known before.
const NEWEST: f64 = 0.5;
/// From this share of its memory on a daemon is spared, the more the less is left.
const MEMORY_IS_SHORT: f64 = 0.8;
const FULL: f64 = 0.99;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::member::measurement::measurement;

    #[test]
    fn load_is_smoothed_and_what_waits_counts_double() {
        let start = Instant::now();
        let first = Load::of(&measurement(start, 10), None).unwrap();
        assert_eq!((first.work, first.pressure), (10.0, 1.0));
        let second = Measurement { setup_queue: Some(5), ..measurement(start + Duration::from_secs(5), 20) };
        assert_eq!(Load::of(&second, Some(&first)).unwrap().work, 20.0, "half of 30 and half of 10");
        let late = measurement(start + Duration::from_secs(60), 20);
        assert_eq!(Load::of(&late, Some(&first)).unwrap().work, 20.0, "what is stale counts no more");
        let nothing = Measurement { queries_registered: None, ..measurement(start, 0) };
        assert_eq!(Load::of(&nothing, None), None);
    }

    #[test]
    fn connections_since_the_measurement_and_short_memory_add_to_it() {
        let load = Load::of(&Measurement { connections_got: 100, ..measurement(Instant::now(), 4) }, None).unwrap();
        assert_eq!([100, 103].map(|got| load.expected(got)), [5.0, 8.0]);
        let short = Measurement { memory_fraction: Some(0.9), ..measurement(Instant::now(), 4) };
        assert!((Load::of(&short, None).unwrap().expected(0) - 10.0).abs() < 1e-9);
        let over = Measurement { memory_fraction: Some(7.0), ..measurement(Instant::now(), 4) };
        assert!(Load::of(&over, None).unwrap().expected(0).is_finite());
    }
}
