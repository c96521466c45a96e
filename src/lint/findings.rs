//! The findings of a run of the linter.

use std::collections::HashSet;

use super::{Finding, Severity};

/// Everything that the linter has to say.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// By subject in the order given, the gravest first.
    pub findings: Vec<Finding>,
    /// How many the levels held back.
    pub allowed: usize,
}

impl Findings {
    /// Puts others behind these.
    pub fn extend(&mut self, others: Self) {
        self.findings.extend(others.findings);
        self.allowed += others.allowed;
    }

    /// Drops repeated findings: servers whose certificates are in one file share its authorities.
    pub(super) fn drop_repeated(&mut self) {
        let mut seen = HashSet::new();
        let findings = self.findings.iter();
        let keep: Vec<_> = findings.map(|it| seen.insert((it.check.id, &it.origin, &it.message))).collect();
        let mut keep = keep.into_iter();
        self.findings.retain(|_| keep.next().unwrap_or(true));
    }

    /// Returns the gravest severity; none if there is nothing to say.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
