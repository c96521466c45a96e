//! Rise and fall in any order of outcomes, deadlines and resumes, against a model that counts seconds.

use proptest::prelude::*;

use super::outcome::Outcome;
use super::rise_fall::tests::{refused, rise_fall};
use super::test_assignment::seconds;
use crate::model::Monitor;
use crate::pool::Verdict;

/// Seconds since the step before, and what happens.
fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let reported = prop_oneof![
        Just(Verdict::Down("executor".to_owned())),
        Just(Verdict::Disabled("drains".to_owned())),
        Just(Verdict::Unavailable("full".to_owned())),
    ];
    let step = prop_oneof![
        3 => Just(Step::Probe(Outcome::Answers)),
        4 => Just(Step::Probe(refused())),
        1 => reported.prop_map(|verdict| Step::Probe(Outcome::Reported(verdict))),
        4 => Just(Step::Probe(Outcome::NotMade("out of file descriptors".into()))),
        1 => Just(Step::Resume),
    ];
    prop::collection::vec((0_u64..9, step), 0..60)
}

#[derive(Clone, Debug)]
enum Step {
    Probe(Outcome),
    Resume,
}

proptest! {
    /// In any order of outcomes, the verdicts are those of the time in which there were probes.
    #[test]
    fn time_without_probes_is_as_if_it_had_not_been(
        steps in steps(), until_up in 0_u64..20, manual_resume: bool,
    ) {
        let change = |monitor: &mut Monitor| {
            monitor.probing.time_until_up = seconds(until_up);
            monitor.probing.manual_resume = manual_resume;
        };
        let ((mut real, at), (mut cut, cut_at)) = (rise_fall(change), rise_fall(change));
        let (mut now, mut last_probe, mut blind) = (0, 0, 0);
        for (gap, step) in steps {
            now += gap;
            match step {
                Step::Resume => {
                    real.resume();
                    cut.resume();
                }
                Step::Probe(outcome @ Outcome::NotMade(_)) => {
                    prop_assert_eq!(real.observe(outcome, at(now)), None);
                    blind += now - last_probe;
                    last_probe = now;
                }
                Step::Probe(outcome) => {
                    let verdict = real.observe(outcome.clone(), at(now));
                    prop_assert_eq!(verdict, cut.observe(outcome, cut_at(now - blind)));
                    prop_assert_eq!(real.is_up(), cut.is_up());
                    last_probe = now;
                }
            }
        }
    }
}

/// What the verdicts should be, counted second by second.
struct Counted {
    timeout: u64,
    until_up: u64,
    manual_resume: bool,
    verdict: Option<&'static str>,
    held: bool,
    /// Seconds since the last success, and since the last probe.
    silent: u64,
    unprobed: u64,
    /// For how long a member that is not up has answered every probe.
    answering: Option<u64>,
}

impl Counted {
    fn second_passes(&mut self) {
        self.silent += 1;
        self.unprobed += 1;
        self.answering = self.answering.map(|seconds| seconds + 1);
    }

    fn time_out(&mut self) {
        if self.verdict != Some("down") && self.silent >= self.timeout {
            self.go_down();
        }
    }

    fn go_down(&mut self) {
        if self.verdict != Some("down") {
            self.answering = None;
        }
        (self.verdict, self.held) = (Some("down"), self.manual_resume);
    }

    fn probed(&mut self, outcome: &Outcome) {
        let unprobed = std::mem::take(&mut self.unprobed);
        match outcome {
            Outcome::Answers | Outcome::Reported(Verdict::Up) => {
                self.silent = 0;
                let answering = *self.answering.get_or_insert(0);
                if self.held {
                    self.go_down();
                } else if answering >= self.until_up || self.verdict == Some("up") {
                    self.verdict = Some("up");
                }
            }
            Outcome::Reported(Verdict::Down(_)) => self.go_down(),
            Outcome::Reported(_) if self.held => {
                self.silent = 0;
                self.go_down();
            }
            Outcome::Reported(verdict) => (self.silent, self.verdict) = (0, Some(verdict.as_str())),
            Outcome::Fails(_) | Outcome::Silent(_) => {
                if self.verdict != Some("up") {
                    self.answering = None;
                }
                if self.silent >= self.timeout {
                    self.go_down();
                }
            }
            Outcome::NotMade(_) => {
                self.silent -= unprobed;
                self.answering = self.answering.map(|seconds| seconds - unprobed);
            }
        }
    }
}

proptest! {
    /// In any order of outcomes, deadlines and resumes.
    #[test]
    fn verdicts_are_those_that_counting_seconds_gives(
        steps in steps(), timeout in 1_u64..20, until_up in 0_u64..20, manual_resume: bool,
    ) {
        let (mut real, at) = rise_fall(|monitor| {
            monitor.probing.timeout = seconds(timeout);
            monitor.probing.time_until_up = seconds(until_up);
            monitor.probing.manual_resume = manual_resume;
        });
        let mut counted = Counted {
            timeout, until_up, manual_resume,
            verdict: None, held: false, silent: 0, unprobed: 0, answering: None,
        };
        let (mut now, mut said) = (0, None);
        for (gap, step) in steps {
            for second in 1..=gap {
                now += 1;
                counted.second_passes();
                // What a probe finds in the second of the deadline is taken first.
                if second == gap && matches!(step, Step::Probe(_)) {
                    break;
                }
                counted.time_out();
                if real.deadline().is_some_and(|deadline| deadline <= at(now)) {
                    said = real.check_deadline(at(now)).or(said);
                }
                prop_assert_eq!(said.as_ref().map(Verdict::as_str), counted.verdict, "at {} s", now);
            }
            match step {
                Step::Resume => {
                    real.resume();
                    counted.held = false;
                }
                Step::Probe(outcome) => {
                    counted.probed(&outcome);
                    said = real.observe(outcome, at(now)).or(said);
                    counted.time_out();
                    said = real.check_deadline(at(now)).or(said);
                }
            }
            prop_assert_eq!(said.as_ref().map(Verdict::as_str), counted.verdict, "at {} s", now);
            let deadline = (counted.verdict != Some("down")).then(|| at(now + timeout - counted.silent));
            prop_assert_eq!(real.deadline(), deadline);
        }
    }
}
