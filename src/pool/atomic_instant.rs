//! A point in time that threads share without a lock.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A point in time, or none, that threads read and write without a lock. Exact to the nanosecond, and never before the
/// first use of any.
#[derive(Debug, Default)]
pub(super) struct Moment(AtomicU64);

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Moment {
    pub(super) fn set(&self, at: Instant) {
        let since = at.saturating_duration_since(*ORIGIN).as_nanos().saturating_add(1);
        self.0.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(super) fn get(&self) -> Option<Instant> {
        let since = self.0.load(Ordering::Acquire).checked_sub(1)?;
        ORIGIN.checked_add(Duration::from_nanos(since))
    }
}

/// Makes now the origin, unless it is set: moments before it are all the same.
pub(super) fn set_origin() {
    LazyLock::force(&ORIGIN);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_kept() {
        set_origin();
        let moment = Moment::default();
        assert_eq!(moment.get(), None);
        let at = Instant::now() + Duration::from_secs(7);
        moment.set(at);
        assert_eq!(moment.get(), Some(at));
    }
}
