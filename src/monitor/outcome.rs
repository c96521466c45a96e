use crate::pool::Verdict;

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answers,
    /// There was no good answer, with the reason in words. Only time makes this a verdict.
    Fails(String),
    /// The member said so itself, and it holds at once.
    Told(Verdict),
}

impl Outcome {
    /// The better of two addresses of one member: it is up while any of them is.
    pub fn or(self, other: Self) -> Self {
        if other.badness() < self.badness() { other } else { self }
    }

    fn badness(&self) -> u8 {
        match self {
            Self::Answers | Self::Told(Verdict::Up) => 0,
            Self::Told(Verdict::Unavailable(_)) => 1,
            Self::Told(Verdict::Disabled(_)) => 2,
            Self::Fails(_) => 3,
            Self::Told(Verdict::Down(_)) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_of_several_addresses_counts_and_the_first_of_equals() {
        let fails = |reason: &str| Outcome::Fails(reason.into());
        let draining = || Outcome::Told(Verdict::Disabled("drains".into()));
        assert_eq!(fails("a").or(Outcome::Answers), Outcome::Answers);
        assert_eq!(fails("a").or(fails("b")), fails("a"));
        assert_eq!(fails("a").or(draining()), draining());
        assert_eq!(draining().or(Outcome::Told(Verdict::Down("executor".into()))), draining());
    }
}
