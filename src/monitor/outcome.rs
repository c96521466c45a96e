//! What one probe found.

use crate::pool::{ProbeResult, Verdict};

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It answers as it should.
    Answers,
    /// There was no good answer, with the reason in words. It becomes a verdict only as time passes.
    Fails(String),
    /// The same, as no answer came in time.
    Silent(String),
    /// The member reports its own state. It holds at once.
    Reported(Verdict),
    /// The probe could not be made because pronk is short of a resource, with the reason in words. It says nothing of
    /// the member.
    NotMade(String),
}

impl Outcome {
    /// Returns the better of two addresses of one member: it is up while any of them is. One that could not be probed
    /// may be up, so nothing but an answer says more.
    pub(super) fn or(self, other: Self) -> Self {
        if other.badness() < self.badness() { other } else { self }
    }

    /// Returns how the probe went, for metrics.
    pub(super) fn result(&self) -> ProbeResult {
        match self {
            Self::Answers | Self::Reported(Verdict::Up) => ProbeResult::Success,
            Self::Fails(_) => ProbeResult::Failure,
            Self::Silent(_) => ProbeResult::Timeout,
            Self::Reported(_) => ProbeResult::Reported,
            Self::NotMade(_) => ProbeResult::NotMade,
        }
    }

    fn badness(&self) -> u8 {
        match self {
            Self::Answers | Self::Reported(Verdict::Up) => 0,
            Self::NotMade(_) => 1,
            Self::Reported(Verdict::Unavailable(_)) => 2,
            Self::Reported(Verdict::Disabled(_)) => 3,
            Self::Fails(_) | Self::Silent(_) => 4,
            Self::Reported(Verdict::Down(_)) => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_of_several_addresses_counts_and_the_first_of_equals() {
        let fails = |reason: &str| Outcome::Fails(reason.into());
        let draining = || Outcome::Reported(Verdict::Disabled("drains".into()));
        assert_eq!(fails("a").or(Outcome::Answers), Outcome::Answers);
        assert_eq!(fails("a").or(fails("b")), fails("a"));
        assert_eq!(fails("a").or(draining()), draining());
        assert_eq!(draining().or(Outcome::Reported(Verdict::Down("executor".into()))), draining());
    }

    #[test]
    fn address_that_could_not_be_probed_counts_unless_another_answers() {
        let not_made = || Outcome::NotMade("pronk is out of file descriptors".into());
        let up = [Outcome::Answers, Outcome::Reported(Verdict::Up)];
        let others = [
            Outcome::Fails("refused".into()),
            Outcome::Reported(Verdict::Unavailable("full".into())),
            Outcome::Reported(Verdict::Disabled("drains".into())),
            Outcome::Reported(Verdict::Down("executor".into())),
        ];
        for outcome in up {
            assert_eq!(not_made().or(outcome.clone()), outcome);
            assert_eq!(outcome.clone().or(not_made()), outcome);
        }
        for outcome in others {
            assert_eq!(not_made().or(outcome.clone()), not_made(), "{outcome:?}");
            assert_eq!(outcome.clone().or(not_made()), not_made(), "{outcome:?}");
        }
    }
}
