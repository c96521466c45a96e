//! How long a probe may take.

use std::fmt;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// How long a probe, or a part of one, may take: all its steps together.
#[derive(Clone, Copy, Debug)]
pub(in crate::monitor) struct Limit {
    end: Instant,
    length: Duration,
}

impl Limit {
    /// Begins now.
    pub(crate) fn new(length: Duration) -> Self {
        Self { end: Instant::now() + length, length }
    }

    /// Returns a limit that begins now and ends with this one at the latest.
    pub(super) fn within(self, length: Duration) -> Self {
        Self::new(length.min(self.left()))
    }

    pub(super) fn length(self) -> Duration {
        self.length
    }

    pub(super) fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits until `what` is done or the limit is over.
    pub(super) async fn keep<T>(self, what: impl Future<Output = T>) -> Result<T, Elapsed> {
        timeout_at(self.end, what).await
    }
}

/// As `1.7s` or `300ms`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.length < Duration::from_secs(1) { 1 } else { 100 };
        let micros = self.length.as_micros() as u64;
        write!(f, "{:?}", Duration::from_millis((micros + unit * 500) / (unit * 1000) * unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_round_numbers() {
        let told = |micros| Limit { end: Instant::now(), length: Duration::from_micros(micros) }.to_string();
        let lengths = [300_000, 299_990, 5_000_000, 4_999_700, 1_666_667, 16_000_000];
        assert_eq!(lengths.map(told), ["300ms", "300ms", "5s", "5s", "1.7s", "16s"]);
    }

    #[tokio::test(start_paused = true)]
    async fn part_of_a_limit_never_outlasts_it() {
        let seconds = Duration::from_secs;
        let limit = Limit::new(seconds(5));
        assert_eq!(limit.within(seconds(2)).left(), seconds(2));
        tokio::time::advance(seconds(4)).await;
        assert_eq!(limit.within(seconds(2)).left(), seconds(1));
        assert!(limit.keep(std::future::pending::<()>()).await.is_err());
        assert_eq!(limit.left(), Duration::ZERO);
    }
}
