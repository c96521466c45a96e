//! Slow ramp (`slow-ramp-time`): a member that begins to take connections gets its full share only little by little.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::pool::atomic_instant::Moment;

/// When a member's share began to grow.
#[derive(Debug)]
pub(in crate::pool) struct SlowRamp {
    since: Moment,
    /// Whether an administrator had it enabled when that was last looked at.
    enabled: AtomicBool,
}

impl Default for SlowRamp {
    fn default() -> Self {
        Self { since: Moment::default(), enabled: AtomicBool::new(true) }
    }
}

impl SlowRamp {
    /// Begins with a small share.
    pub(crate) fn start(&self, now: Instant) {
        self.since.set(now);
    }

    /// Takes the administrative state; a member that was enabled begins slowly.
    pub(crate) fn set_enabled(&self, enabled: bool, now: Instant) {
        if enabled && !self.enabled.swap(enabled, Ordering::AcqRel) {
            self.start(now);
        }
        self.enabled.store(enabled, Ordering::Release);
    }

    /// Returns the part of its full share that it may have: above 0 and at most 1. `time` is how long the ramp takes.
    pub(crate) fn share(&self, time: Duration, now: Instant) -> f64 {
        let Some(since) = self.since.get().filter(|_| !time.is_zero()) else { return 1.0 };
        let part = now.saturating_duration_since(since).as_secs_f64() / time.as_secs_f64();
        part.clamp(FIRST_STEP, 1.0)
    }
}

/// The share with which a member begins: small, so that it gets something to show whether it works.
const FIRST_STEP: f64 = 0.01;
