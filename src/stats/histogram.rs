//! How long something took, counted in buckets: cheap to add to, and read without stopping whoever adds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Durations, counted in buckets. To add one takes two relaxed additions; as long as there is none there are no counters, as
/// many phases never occur.
#[derive(Debug)]
pub struct Histogram {
    /// The upper bounds of the buckets, in ascending order. Beyond the last there is one more bucket.
    bounds: &'static [Duration],
    counters: OnceLock<Counters>,
}

#[derive(Debug)]
struct Counters {
    buckets: Box<[AtomicU64]>,
    /// In microseconds, as a sum of nanoseconds would overflow within weeks where many connections last for days.
    sum: AtomicU64,
}

/// Figures read from a [`Histogram`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramCounts {
    /// The upper bound of each bucket in seconds, and how many were in that bucket alone. The last has no bound.
    pub buckets: Vec<(f64, u64)>,
    pub sum_seconds: f64,
    pub count: u64,
}

impl Histogram {
    pub const fn new(bounds: &'static [Duration]) -> Self {
        Self { bounds, counters: OnceLock::new() }
    }

    pub fn observe(&self, duration: Duration) {
        let counters = self.counters.get_or_init(|| Counters::new(self.bounds.len() + 1));
        let bucket = self.bounds.partition_point(|bound| *bound < duration);
        counters.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        counters.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// Returns what was counted. The count is that of the buckets, also while others add.
    pub fn read(&self) -> HistogramCounts {
        let counters = self.counters.get();
        let bounds = self.bounds.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let count = |bucket: usize| counters.map_or(0, |it| it.buckets[bucket].load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.enumerate().map(|(bucket, bound)| (bound, count(bucket))).collect();
        let sum_seconds = counters.map_or(0.0, |it| it.sum.load(Ordering::Relaxed) as f64 / 1e6);
        HistogramCounts { count: buckets.iter().map(|(_, count)| count).sum(), buckets, sum_seconds }
    }
}

impl Counters {
    fn new(buckets: usize) -> Self {
        Self { buckets: (0..buckets).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(10)];

    #[test]
    fn duration_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let histogram = Histogram::new(BOUNDS);
        assert_eq!(histogram.read().buckets, [(0.001, 0), (0.01, 0), (f64::INFINITY, 0)]);
        for micros in [0, 1000, 1001, 10_000, 10_001, 5_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let read = histogram.read();
        assert_eq!(read.buckets, [(0.001, 2), (0.01, 2), (f64::INFINITY, 2)]);
        assert_eq!((read.count, read.sum_seconds), (6, 5.022_002));
    }

    #[test]
    fn nothing_is_lost_when_threads_observe_at_once() {
        let histogram = Histogram::new(BOUNDS);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| histogram.observe(Duration::from_millis(2))));
            }
        });
        let read = histogram.read();
        assert_eq!((read.count, read.sum_seconds), (8000, 16.0));
    }
}
