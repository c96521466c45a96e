//! All checks, and what they come to.

use serde::Serialize;

use super::check::{Check, Outcome, Step};

/// All checks, by step.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub steps: Vec<(Step, Vec<Check>)>,
}

/// The report as JSON (`pronk verify --json`).
#[derive(Debug, Serialize)]
pub struct View<'a> {
    pub version: u32,
    pub file: &'a str,
    pub outcome: Outcome,
    pub checks: Vec<CheckView<'a>>,
}

/// A check as JSON.
#[derive(Debug, Serialize)]
pub struct CheckView<'a> {
    pub step: Step,
    #[serde(flatten)]
    pub check: &'a Check,
}

impl Report {
    /// Returns the worst outcome; a check that was skipped makes nothing worse.
    pub fn outcome(&self) -> Outcome {
        let worst = self.checks().map(|(_, check)| check.outcome).max().unwrap_or(Outcome::Ok);
        if worst == Outcome::Skipped { Outcome::Ok } else { worst }
    }

    /// Returns how many checks had an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.checks().filter(|(_, check)| check.outcome == outcome).count()
    }

    pub fn checks(&self) -> impl Iterator<Item = (Step, &Check)> {
        self.steps.iter().flat_map(|(step, checks)| checks.iter().map(|check| (*step, check)))
    }

    /// Returns it as programs read it.
    pub fn view<'a>(&'a self, file: &'a str) -> View<'a> {
        let checks = self.checks().map(|(step, check)| CheckView { step, check }).collect();
        View { version: 1, file, outcome: self.outcome(), checks }
    }
}
