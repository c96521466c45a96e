//! What statistics count from after a reset. The counters themselves go on, as what collects them must never see one fall.

use std::time::SystemTime;

use parking_lot::Mutex;

use super::{ConnectionCounts, Connections, Traffic, TrafficCounts};

/// Where the counts of a virtual server, pool or member stood when its statistics were reset.
#[derive(Debug, Default)]
pub struct Baseline(Mutex<Option<Box<Reset>>>);

#[derive(Debug)]
struct Reset {
    at: SystemTime,
    total: u64,
    traffic: TrafficCounts,
    /// Closed connections by reason, where they are counted.
    closes: Vec<u64>,
}

/// Counts since the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// When the last reset was, if there was one.
    pub since: Option<SystemTime>,
    pub connections: ConnectionCounts,
    pub traffic: TrafficCounts,
    pub closes: Vec<u64>,
}

impl Baseline {
    /// Lets counts begin at zero, and the maximum at what is open now.
    pub fn reset(&self, connections: &Connections, traffic: &Traffic, closes: Vec<u64>, at: SystemTime) {
        connections.reset_maximum();
        let reset = Reset { at, total: connections.total(), traffic: traffic.read(), closes };
        *self.0.lock() = Some(Box::new(reset));
    }

    /// Returns the counts since the last reset.
    pub fn since_reset(&self, connections: &Connections, traffic: &Traffic, mut closes: Vec<u64>) -> Counts {
        let reset = self.0.lock();
        let (mut connections, mut traffic) = (connections.read(), traffic.read());
        if let Some(reset) = reset.as_deref() {
            connections.total -= reset.total;
            traffic = traffic.since(&reset.traffic);
            // Those may have been read before the reset.
            closes.iter_mut().zip(&reset.closes).for_each(|(count, before)| *count = count.saturating_sub(*before));
        }
        Counts { since: reset.as_ref().map(|reset| reset.at), connections, traffic, closes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_begin_anew_and_the_counters_go_on() {
        let (connections, traffic, baseline) = (Connections::default(), Traffic::default(), Baseline::default());
        let passed = TrafficCounts { bytes_in: 5, bytes_out: 7, packets_in: 1, packets_out: 2 };
        for _ in 0..3 {
            assert!(connections.try_enter(None));
            traffic.add(&passed);
        }
        connections.leave();
        let before = baseline.since_reset(&connections, &traffic, vec![4, 0]);
        assert_eq!((before.since, before.connections.total, before.closes), (None, 3, vec![4, 0]));

        let at = SystemTime::now();
        baseline.reset(&connections, &traffic, vec![4, 0], at);
        let counts = baseline.since_reset(&connections, &traffic, vec![4, 0]);
        assert_eq!(counts.connections, ConnectionCounts { current: 2, maximum: 2, ..ConnectionCounts::default() });
        assert_eq!((counts.since, counts.traffic, counts.closes), (Some(at), TrafficCounts::default(), vec![0, 0]));

        assert!(connections.try_enter(None));
        traffic.add(&passed);
        let counts = baseline.since_reset(&connections, &traffic, vec![5, 1]);
        assert_eq!(counts.connections, ConnectionCounts { current: 3, elsewhere: 0, maximum: 3, total: 1 });
        assert_eq!((counts.traffic, counts.closes), (passed, vec![1, 1]));
        assert_eq!((connections.total(), traffic.read().bytes_in), (4, 20), "the counters never fall");
    }
}
