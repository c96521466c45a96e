use std::time::{Duration, Instant};

/// What a member last told of its own load. Whatever it did not tell is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// When it was told.
    pub taken: Instant,
    /// For how long it may be gone by.
    pub good_for: Duration,
    /// The connections that its node had got from all pools by then.
    pub connections_got: u64,
    /// Queries that the coordinator has under way, from any client.
    pub queries_registered: Option<u64>,
    /// Connections to the port, from anyone: pronk, other load balancers, clients that go past them.
    pub connections_in_use: Option<u64>,
    /// Connections to the port that it serves at once (Impala's `--fe_service_threads`).
    pub service_threads: Option<u64>,
    /// Connections that wait for their TLS or SASL to be negotiated.
    pub setup_queue: Option<u64>,
    /// Queries that wait for admission at this coordinator.
    pub admission_queued: Option<u64>,
    /// Memory in use as a share of the process's limit; above 1 is over it.
    pub memory_fraction: Option<f64>,
}

/// How busy a member is, smoothed over what it told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// In queries under way: what waits counts double, an idle connection a tenth.
    pub work: f64,
    /// How much dearer each query is for want of memory; 1 with enough of it.
    pub pressure: f64,
    /// The connections that its node had got from all pools when it was measured.
    connections_got: u64,
    taken: Instant,
    good_for: Duration,
}

impl Load {
    /// What a measurement tells, given what was known before; `None` when it tells nothing of use.
    pub(super) fn of(measurement: &Measurement, before: Option<&Self>) -> Option<Self> {
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

    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.taken) < self.good_for
    }

    /// What the next connection would find, given the connections that the node has got by now: each since the
    /// measurement is taken for a query, so that no member draws everybody until the next one.
    pub(super) fn expected(&self, connections_got: u64) -> f64 {
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
pub(super) fn measurement(taken: Instant, queries: u64) -> Measurement {
    Measurement {
        taken,
        good_for: Duration::from_secs(16),
        connections_got: 0,
        queries_registered: Some(queries),
        connections_in_use: None,
        service_threads: None,
        setup_queue: None,
        admission_queued: None,
        memory_fraction: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
