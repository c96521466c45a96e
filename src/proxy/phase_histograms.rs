//! How long the phases of a virtual server's connections take, counted when a connection ends.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

use crate::stats::Histogram;

/// How long each phase took that a connection went through.
#[derive(Debug, Default)]
pub(super) struct PhaseTimes {
    pub client_tls: Option<PhaseTime>,
    pub first_byte: Option<PhaseTime>,
    pub queue: Option<PhaseTime>,
    pub connect: Option<PhaseTime>,
    pub member_tls: Option<PhaseTime>,
}

/// How long a phase took. Half as large as a [`Duration`], as each open connection keeps five.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhaseTime {
    nanoseconds_and_one: NonZeroU64,
}

impl PhaseTime {
    /// Returns the time since a phase began.
    pub(super) fn since(began: Instant) -> Self {
        let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self { nanoseconds_and_one: NonZeroU64::MIN.saturating_add(nanoseconds) }
    }
}

impl From<PhaseTime> for Duration {
    fn from(time: PhaseTime) -> Self {
        Self::from_nanos(time.nanoseconds_and_one.get() - 1)
    }
}

/// How long the phases of a virtual server's connections took. A connection counts in those phases that it got through.
#[derive(Debug)]
pub struct PhaseHistograms {
    pub client_handshake: Histogram,
    pub first_byte: Histogram,
    pub queue: Histogram,
    pub connect: Histogram,
    pub member_handshake: Histogram,
    /// From accept to the end.
    pub connection: Histogram,
}

impl Default for PhaseHistograms {
    fn default() -> Self {
        let phase = || Histogram::new(PHASES);
        Self {
            client_handshake: phase(),
            first_byte: phase(),
            queue: phase(),
            connect: phase(),
            member_handshake: phase(),
            connection: Histogram::new(CONNECTIONS),
        }
    }
}

impl PhaseHistograms {
    /// Counts a connection that has ended, and lasted for so long.
    pub(super) fn observe(&self, times: &PhaseTimes, lasted: Duration) {
        let phases = [
            (&self.client_handshake, times.client_tls),
            (&self.first_byte, times.first_byte),
            (&self.queue, times.queue),
            (&self.connect, times.connect),
            (&self.member_handshake, times.member_tls),
        ];
        for (histogram, time) in phases {
            if let Some(time) = time {
                histogram.observe(time.into());
            }
        }
        self.connection.observe(lasted);
    }
}

/// From the fastest local network to a handshake-timeout or a long queue.
const PHASES: &[Duration] = &[
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// From a probe of the port to a connection pool's connection.
const CONNECTIONS: &[Duration] = &[
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(24 * 3600),
    Duration::from_secs(7 * 24 * 3600),
];
