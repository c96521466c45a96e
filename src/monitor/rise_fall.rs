//! Rise and fall: when probes mark a member up or down. Pure, so that it is tested without waiting.

use std::time::{Duration, Instant};

use super::outcome::Outcome;
use crate::model::Monitor;
use crate::pool::Verdict;

/// What one monitor has seen of one member, and its verdict.
#[derive(Debug)]
pub(super) struct RiseFall {
    timeout: Duration,
    time_until_up: Duration,
    manual_resume: bool,
    last_success: Instant,
    /// Why the last probe since then failed, if one has.
    last_failure: Option<String>,
    /// When it was last probed, or that was tried.
    last_probe: Instant,
    /// Since when every probe of a member that is not up was answered.
    answering_since: Option<Instant>,
    /// Down until an administrator resumes it.
    held: bool,
    verdict: Option<Verdict>,
}

impl RiseFall {
    /// Begins at `now` with the verdict that the monitor had before, if it had one: by other settings, or in the process
    /// that this one took over from.
    pub(super) fn new(monitor: &Monitor, verdict: Option<Verdict>, now: Instant) -> Self {
        Self {
            timeout: monitor.probing.timeout,
            time_until_up: monitor.probing.time_until_up,
            manual_resume: monitor.probing.manual_resume,
            last_success: now,
            last_failure: None,
            last_probe: now,
            answering_since: None,
            held: monitor.probing.manual_resume && matches!(verdict, Some(Verdict::Down(_))),
            verdict,
        }
    }

    /// Takes the outcome of a probe. Returns the verdict when it or its reason changes.
    ///
    /// An answer marks the member up, after `time-until-up` where there is one. What the member reports of itself holds
    /// at once. A failure alone changes nothing: [`Self::deadline`] does. The time before a probe that could not be made
    /// does not count toward it: nobody looked.
    pub(super) fn observe(&mut self, outcome: Outcome, now: Instant) -> Option<Verdict> {
        let since_last = now.saturating_duration_since(std::mem::replace(&mut self.last_probe, now));
        let verdict = match outcome {
            Outcome::Answers | Outcome::Reported(Verdict::Up) => self.answered(now)?,
            Outcome::Reported(Verdict::Down(reason)) => Verdict::Down(reason),
            Outcome::Reported(verdict) => {
                self.succeeded(now);
                if self.held { Verdict::Down(HELD.into()) } else { verdict }
            }
            Outcome::Fails(reason) | Outcome::Silent(reason) => {
                if !self.is_up() {
                    self.answering_since = None;
                }
                if now < self.times_out_at() {
                    self.last_failure = Some(reason);
                    return None;
                }
                Verdict::Down(reason)
            }
            Outcome::NotMade(_) => {
                self.last_success += since_last;
                self.answering_since = self.answering_since.map(|since| since + since_last);
                return None;
            }
        };
        self.conclude(verdict)
    }

    /// Returns when the member is down unless a probe succeeds before; `None` while it is down.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.is_down()).then(|| self.times_out_at())
    }

    /// Marks the member down if its deadline has passed at `now`, whether or not a probe is under way. Returns the
    /// verdict if so.
    pub(super) fn check_deadline(&mut self, now: Instant) -> Option<Verdict> {
        if now < self.deadline()? {
            return None;
        }
        let silence = || format!("nothing has answered for {:?}", self.timeout);
        let reason = self.last_failure.take().unwrap_or_else(silence);
        self.conclude(Verdict::Down(reason))
    }

    /// Takes a verdict. Returns it when it or its reason is new.
    fn conclude(&mut self, verdict: Verdict) -> Option<Verdict> {
        if matches!(verdict, Verdict::Down(_)) {
            self.held = self.manual_resume;
            if !self.is_down() {
                self.answering_since = None;
            }
        }
        let changed = self.verdict.as_ref() != Some(&verdict);
        self.verdict = Some(verdict.clone());
        changed.then_some(verdict)
    }

    fn answered(&mut self, now: Instant) -> Option<Verdict> {
        self.succeeded(now);
        let since = *self.answering_since.get_or_insert(now);
        if self.held {
            return Some(Verdict::Down(HELD.into()));
        }
        let long_enough = now.saturating_duration_since(since) >= self.time_until_up;
        (self.is_up() || long_enough).then_some(Verdict::Up)
    }

    fn succeeded(&mut self, now: Instant) {
        self.last_success = now;
        self.last_failure = None;
    }

    fn times_out_at(&self) -> Instant {
        self.last_success + self.timeout
    }

    /// Lets a member that is held down come up with its next answer.
    pub(super) fn resume(&mut self) {
        self.held = false;
    }

    pub(super) fn is_up(&self) -> bool {
        self.verdict == Some(Verdict::Up)
    }

    fn is_down(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Down(_)))
    }
}

const HELD: &str = "it answers again, and stays down until `pronk member resume` (manual-resume)";

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{MonitorKind, Name};

    /// Returns a monitor with a timeout of 16 s, changed by `change`, and the clock of its test.
    pub(in crate::monitor) fn rise_fall(change: impl Fn(&mut Monitor)) -> (RiseFall, impl Fn(u64) -> Instant) {
        let seconds = Duration::from_secs;
        let mut monitor = Monitor::new(Name::from("m"), MonitorKind::Tcp, seconds(5), seconds(16));
        change(&mut monitor);
        let start = Instant::now();
        (RiseFall::new(&monitor, None, start), move |second| start + seconds(second))
    }

    pub(in crate::monitor) fn refused() -> Outcome {
        Outcome::Fails("refused".into())
    }

    fn down(reason: &str) -> Option<Verdict> {
        Some(Verdict::Down(reason.into()))
    }

    #[test]
    fn down_after_the_timeout_and_up_with_the_first_success() {
        let (mut rise_fall, at) = rise_fall(|_| {});
        assert_eq!(rise_fall.observe(Outcome::Answers, at(0)), Some(Verdict::Up));
        for second in [5, 10, 15] {
            assert_eq!(rise_fall.observe(refused(), at(second)), None, "{second}");
        }
        assert_eq!(rise_fall.observe(refused(), at(20)), down("refused"));
        assert_eq!(rise_fall.observe(refused(), at(25)), None);
        assert_eq!(
            rise_fall.observe(Outcome::Fails("silent".into()), at(26)),
            down("silent"),
            "the reason is kept fresh"
        );
        assert_eq!(rise_fall.observe(Outcome::Answers, at(30)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(35)), None);
    }

    #[test]
    fn what_the_member_says_of_itself_holds_at_once() {
        let (mut rise_fall, at) = rise_fall(|_| {});
        let draining = || Verdict::Disabled("drains".into());
        let full = || Verdict::Unavailable("full".into());
        assert_eq!(rise_fall.observe(Outcome::Answers, at(0)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(Outcome::Reported(full()), at(1)), Some(full()));
        assert_eq!(rise_fall.observe(Outcome::Answers, at(2)), Some(Verdict::Up), "it comes back at once");
        assert_eq!(rise_fall.observe(Outcome::Reported(draining()), at(3)), Some(draining()));
        assert_eq!(rise_fall.observe(refused(), at(18)), None, "what it said last holds until the timeout");
        assert_eq!(rise_fall.observe(refused(), at(19)), down("refused"));
        let executor = Verdict::Down("executor-only".into());
        assert_eq!(rise_fall.observe(Outcome::Answers, at(20)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(Outcome::Reported(executor.clone()), at(21)), Some(executor));
    }

    #[test]
    fn time_until_up_must_pass_with_answers_only() {
        let (mut rise_fall, at) = rise_fall(|monitor| monitor.probing.time_until_up = Duration::from_secs(10));
        assert_eq!(rise_fall.observe(refused(), at(16)), down("refused"));
        assert_eq!(rise_fall.observe(Outcome::Answers, at(20)), None);
        assert_eq!(rise_fall.observe(Outcome::Answers, at(25)), None);
        assert_eq!(rise_fall.observe(refused(), at(28)), None, "one failure begins the wait anew");
        assert_eq!(rise_fall.observe(Outcome::Answers, at(30)), None);
        assert_eq!(rise_fall.observe(Outcome::Answers, at(39)), None);
        assert_eq!(rise_fall.observe(Outcome::Answers, at(40)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(45)), None);
        assert_eq!(rise_fall.observe(Outcome::Answers, at(50)), None, "up it stays");
        assert!(rise_fall.is_up());
        assert_eq!(rise_fall.observe(refused(), at(66)), down("refused"));
        assert_eq!(rise_fall.observe(Outcome::Answers, at(70)), None, "and waits again after the next fall");
    }

    #[test]
    fn probes_that_could_not_be_made_say_nothing() {
        let (mut rise_fall, at) = rise_fall(|_| {});
        let not_made = || Outcome::NotMade("pronk is out of file descriptors".into());
        assert_eq!(rise_fall.observe(not_made(), at(5)), None, "not even when nothing is known");
        assert_eq!(rise_fall.observe(Outcome::Answers, at(10)), Some(Verdict::Up));
        for second in [15, 20, 25, 30] {
            assert_eq!(rise_fall.observe(not_made(), at(second)), None, "{second}");
        }
        for second in [35, 40, 45] {
            assert_eq!(
                rise_fall.observe(refused(), at(second)),
                None,
                "{second}: the timeout is of time that it was seen"
            );
        }
        assert_eq!(rise_fall.observe(refused(), at(46)), down("refused"));
        assert_eq!(rise_fall.observe(not_made(), at(50)), None, "nor does it bring a member up");
        assert!(!rise_fall.is_up());
    }

    #[test]
    fn timeout_marks_down_when_it_passes_with_the_last_failure_as_the_reason() {
        let (mut rise_fall, at) = rise_fall(|_| {});
        assert_eq!(rise_fall.deadline(), Some(at(16)), "also of a member that has never answered");
        assert_eq!(rise_fall.observe(Outcome::Answers, at(2)), Some(Verdict::Up));
        assert_eq!(rise_fall.deadline(), Some(at(18)));
        assert_eq!(rise_fall.check_deadline(at(17)), None);
        assert_eq!(rise_fall.check_deadline(at(18)), down("nothing has answered for 16s"), "no probe has ended");
        assert_eq!((rise_fall.deadline(), rise_fall.check_deadline(at(40))), (None, None), "it is down already");
        assert_eq!(rise_fall.observe(Outcome::Answers, at(50)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(60)), None);
        assert_eq!(rise_fall.deadline(), Some(at(66)));
        assert_eq!(rise_fall.check_deadline(at(66)), down("refused"));
        assert_eq!(rise_fall.observe(Outcome::Answers, at(70)), Some(Verdict::Up));
        assert_eq!(rise_fall.check_deadline(at(86)), down("nothing has answered for 16s"), "of this time");
    }

    #[test]
    fn time_in_which_no_probe_could_be_made_moves_the_deadline() {
        let (mut rise_fall, at) = rise_fall(|_| {});
        let not_made = || Outcome::NotMade("pronk is out of file descriptors".into());
        assert_eq!(rise_fall.observe(Outcome::Answers, at(0)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(5)), None);
        assert_eq!(rise_fall.observe(not_made(), at(10)), None);
        assert_eq!((rise_fall.deadline(), rise_fall.check_deadline(at(16))), (Some(at(21)), None));
        assert_eq!(rise_fall.check_deadline(at(21)), down("refused"));
    }

    #[test]
    fn manual_resume_holds_a_member_down() {
        let (mut rise_fall, at) = rise_fall(|monitor| monitor.probing.manual_resume = true);
        assert_eq!(rise_fall.observe(Outcome::Answers, at(0)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(16)), down("refused"));
        assert_eq!(rise_fall.observe(Outcome::Answers, at(20)), down(HELD));
        assert_eq!(rise_fall.observe(Outcome::Reported(Verdict::Unavailable("full".into())), at(25)), None);
        rise_fall.resume();
        assert_eq!(rise_fall.observe(Outcome::Answers, at(30)), Some(Verdict::Up));
        assert_eq!(rise_fall.observe(refused(), at(46)), down("refused"));
        rise_fall.resume();
        assert_eq!(rise_fall.observe(refused(), at(50)), None, "resumed too early, it is held again");
        assert_eq!(rise_fall.observe(Outcome::Answers, at(55)), down(HELD));
    }
}
