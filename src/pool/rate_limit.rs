//! The rate limit: connections of the last second, counted exactly.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Counts the connections of the last second exactly: in no second are there more than the limit, wherever it begins.
#[derive(Debug, Default)]
pub struct RateLimiter {
    recent: Mutex<VecDeque<Instant>>,
    /// Whether there was a limit lately, so that nothing is locked without one.
    in_use: AtomicBool,
}

const SECOND: Duration = Duration::from_secs(1);

impl RateLimiter {
    /// Counts one connection, unless `limit` entered within the last second. Returns whether it was counted.
    pub fn try_enter(&self, limit: Option<u32>, now: Instant) -> bool {
        let Some(limit) = limit else {
            if self.in_use.load(Ordering::Relaxed) {
                self.in_use.store(false, Ordering::Relaxed);
                self.recent.lock().clear();
            }
            return true;
        };
        self.in_use.store(true, Ordering::Relaxed);
        let mut recent = self.recent.lock();
        forget(&mut recent, now);
        let enters = recent.len() < limit as usize;
        if enters {
            recent.push_back(now);
        }
        enters
    }

    /// Returns when the next connection may enter, if not now.
    pub fn next(&self, limit: Option<u32>, now: Instant) -> Option<Instant> {
        let limit = limit? as usize;
        let mut recent = self.recent.lock();
        forget(&mut recent, now);
        // As many as the limit must be left at most, less the next one.
        let last_to_go = recent.len().checked_sub(limit)?;
        recent.get(last_to_go)?.checked_add(SECOND)
    }
}

fn forget(recent: &mut VecDeque<Instant>, now: Instant) {
    while recent.front().is_some_and(|oldest| now.saturating_duration_since(*oldest) >= SECOND) {
        recent.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_the_limit() {
        let (rate, start) = (RateLimiter::default(), Instant::now());
        let mut entered = Vec::new();
        for millisecond in (0..10_000).step_by(7) {
            let now = start + Duration::from_millis(millisecond);
            assert_eq!(
                rate.next(Some(5), now).is_none(),
                rate.try_enter(Some(5), now).then(|| entered.push(now)).is_some()
            );
        }
        for window in entered.windows(6) {
            assert!(window[5] - window[0] >= SECOND);
        }
        assert!(entered.len() >= 49, "{}", entered.len());
        assert!(rate.try_enter(None, start), "without a limit everybody enters");
    }

    #[test]
    fn next_is_when_there_is_room() {
        let (rate, start) = (RateLimiter::default(), Instant::now());
        assert_eq!(rate.next(Some(2), start), None);
        for after in [0, 300] {
            assert!(rate.try_enter(Some(2), start + Duration::from_millis(after)));
        }
        let now = start + Duration::from_millis(500);
        assert_eq!(rate.next(Some(2), now), Some(start + SECOND));
        assert_eq!(rate.next(Some(1), now), Some(start + SECOND + Duration::from_millis(300)), "the limit was lowered");
    }
}
