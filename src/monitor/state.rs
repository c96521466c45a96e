//! When probes make a member up or down; pure, so that it is tested without waiting.

use std::time::{Duration, Instant};

use crate::pool::Verdict;

/// What a monitor thinks of one member.
#[derive(Debug)]
pub(super) struct Standing {
    timeout: Duration,
    last_success: Instant,
    up: Option<bool>,
}

impl Standing {
    /// Nothing is known yet at `now`.
    pub fn new(timeout: Duration, now: Instant) -> Self {
        Self { timeout, last_success: now, up: None }
    }

    /// Takes the outcome of a probe and tells the verdict, when it changes. One success marks up; being without one
    /// for the timeout marks down (F5's `timeout`).
    pub fn observe(&mut self, outcome: Result<(), String>, now: Instant) -> Option<Verdict> {
        let up = match outcome {
            Ok(()) => {
                self.last_success = now;
                Ok(())
            }
            Err(reason) if now.saturating_duration_since(self.last_success) >= self.timeout => Err(reason),
            Err(_) => return None,
        };
        let changed = self.up != Some(up.is_ok());
        self.up = Some(up.is_ok());
        changed.then(|| up.map_or_else(Verdict::Down, |()| Verdict::Up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_after_the_timeout_and_up_with_the_first_success() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut standing = Standing::new(Duration::from_secs(16), start);
        let refused = || Err("refused".to_owned());
        assert_eq!(standing.observe(Ok(()), at(0)), Some(Verdict::Up));
        for second in [5, 10, 15] {
            assert_eq!(standing.observe(refused(), at(second)), None, "{second}");
        }
        assert_eq!(standing.observe(refused(), at(20)), Some(Verdict::Down("refused".into())));
        assert_eq!(standing.observe(refused(), at(25)), None);
        assert_eq!(standing.observe(Ok(()), at(30)), Some(Verdict::Up));
        assert_eq!(standing.observe(refused(), at(35)), None);
    }
}
