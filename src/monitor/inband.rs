//! Inband (passive) monitoring: counts how clients' own connections fail, and makes none.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Instant;

use tokio::sync::broadcast::error::RecvError;

use super::assignment::Assignment;
use crate::model::Inband;
use crate::net::until;
use crate::pool::{PassiveEvent, Verdict};

/// Counts how clients' connections to a member fail, for as long as the task runs.
pub(super) async fn run(assignment: &Assignment, config: Inband) -> Infallible {
    let mut served = assignment.live.passive_events();
    let mut failures = Failures::new(config);
    let mut last = None;
    match assignment.live.verdict_of(&assignment.monitor.name) {
        // By other settings, or in the process that this one took over from.
        Some(Verdict::Down(_)) => failures.down_since = Some(tokio::time::Instant::now().into_std()),
        // Nobody has failed yet.
        _ => assignment.report(Verdict::Up, &mut last),
    }
    loop {
        let retry_at = failures.retry_at().map(Into::into);
        let verdict = tokio::select! {
            event = served.recv() => match event {
                Ok(served) => failures.observe(served, tokio::time::Instant::now().into_std()),
                Err(RecvError::Lagged(_)) => None,
                // The member outlives its monitors.
                Err(RecvError::Closed) => std::future::pending().await,
            },
            () = until(retry_at) => Some(failures.retry()),
            () = assignment.resume.notified() => Some(failures.retry()),
        };
        if let Some(verdict) = verdict {
            assignment.report(verdict, &mut last);
        }
    }
}

/// The failures of one member that still count. Pure, so that it is tested without waiting.
#[derive(Debug)]
struct Failures {
    config: Inband,
    /// When each was, oldest first; no more than the monitor counts.
    recent: VecDeque<Instant>,
    down_since: Option<Instant>,
}

impl Failures {
    pub(crate) fn new(config: Inband) -> Self {
        Self { config, recent: VecDeque::new(), down_since: None }
    }

    /// Takes how a connection went. Returns a verdict when it was one failure too many.
    pub(crate) fn observe(&mut self, served: PassiveEvent, now: Instant) -> Option<Verdict> {
        let Inband { failures, failure_interval, response_time, .. } = self.config;
        let reason = match served {
            PassiveEvent::Failed(reason) | PassiveEvent::TimedOut(reason) => reason,
            PassiveEvent::Silent(time) if !response_time.is_zero() && time >= response_time => {
                format!("a connection ended after {time:.1?} without a byte from it")
            }
            PassiveEvent::Silent(_) | PassiveEvent::Hanging | PassiveEvent::Lost => return None,
        };
        if self.down_since.is_some() {
            return None;
        }
        self.recent.push_back(now);
        self.recent.retain(|failure| now.saturating_duration_since(*failure) < failure_interval);
        if self.recent.len() < failures as usize {
            return None;
        }
        self.down_since = Some(now);
        let count = self.recent.len();
        Some(Verdict::Down(format!("{count} connections failed within {failure_interval:?}; the last: {reason}")))
    }

    /// Returns when clients try the member again: never while it is up, and never without a retry time.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        if self.config.retry_time.is_zero() {
            return None;
        }
        self.down_since?.checked_add(self.config.retry_time)
    }

    /// Forgets every failure.
    pub(crate) fn retry(&mut self) -> Verdict {
        self.recent.clear();
        self.down_since = None;
        Verdict::Up
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CONFIG: Inband = Inband {
        failures: 3,
        failure_interval: Duration::from_secs(30),
        response_time: Duration::from_secs(10),
        retry_time: Duration::from_secs(300),
    };

    fn failed() -> PassiveEvent {
        PassiveEvent::Failed("refused".into())
    }

    #[test]
    fn too_many_failures_in_a_while_mark_down_until_the_retry_time() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut failures = Failures::new(CONFIG);
        for second in [0, 20, 40, 60] {
            assert_eq!(failures.observe(failed(), at(second)), None, "only two within 30 s");
        }
        let Some(Verdict::Down(reason)) = failures.observe(failed(), at(65)) else { panic!() };
        assert_eq!(reason, "3 connections failed within 30s; the last: refused");
        assert_eq!(failures.observe(failed(), at(66)), None, "down already");
        assert_eq!(failures.retry_at(), Some(at(365)));
        assert_eq!(failures.retry(), Verdict::Up);
        assert_eq!(failures.retry_at(), None);
        assert_eq!(failures.observe(failed(), at(366)), None, "it begins anew");
    }

    #[test]
    fn silence_counts_beyond_the_response_time() {
        let now = Instant::now();
        let silent = |seconds| PassiveEvent::Silent(Duration::from_secs(seconds));
        let mut failures = Failures::new(Inband { failures: 1, ..CONFIG });
        assert_eq!(failures.observe(silent(9), now), None);
        assert!(failures.observe(silent(10), now).is_some());
        let mut failures = Failures::new(Inband { failures: 1, response_time: Duration::ZERO, ..CONFIG });
        assert_eq!(failures.observe(silent(1000), now), None);
    }

    #[test]
    fn without_a_retry_time_it_stays_down() {
        let mut failures = Failures::new(Inband { failures: 1, retry_time: Duration::ZERO, ..CONFIG });
        assert!(failures.observe(failed(), Instant::now()).is_some());
        assert_eq!(failures.retry_at(), None);
    }
}
