//! What becomes of findings: levels that the user has set, by check.

use std::collections::{BTreeMap, HashMap};

use super::{Check, Finding, Findings, Severity, catalogue, check};
use crate::model::{Level, LintLevel, Name};

/// The levels that the user has set, by check.
#[derive(Clone, Debug, Default)]
pub struct Levels(HashMap<&'static str, (Level, Option<i64>)>);

/// No check has this id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check \"{0}\"")]
pub struct UnknownCheck(pub String);

impl UnknownCheck {
    /// Returns the check that was probably meant.
    pub fn similar(&self) -> Option<&'static str> {
        let near = catalogue().map(|check| (strsim::damerau_levenshtein(&self.0, check.id), check.id)).min()?;
        (near.0 <= 1 + self.0.len() / 4).then_some(near.1)
    }
}

impl Levels {
    /// Returns the levels of a configuration. Ids that no check has are skipped.
    pub fn of(configured: &BTreeMap<Name, LintLevel>) -> Self {
        let mut levels = Self::default();
        for (id, LintLevel { level, until, .. }) in configured {
            // Whoever takes a configuration into force has refused unknown ids.
            let _ = levels.set(id.as_str(), *level, *until);
        }
        levels
    }

    /// Sets the level of a check, until a time (seconds since 1970) if one is given; a later call wins.
    ///
    /// # Errors
    /// There is no such check.
    pub fn set(&mut self, id: &str, level: Level, until: Option<i64>) -> Result<(), UnknownCheck> {
        let known: &Check = check(id).ok_or_else(|| UnknownCheck(id.to_owned()))?;
        self.0.insert(known.id, (level, until));
        Ok(())
    }

    pub(super) fn apply(&self, findings: Vec<Finding>, now: i64) -> Findings {
        let mut kept = Findings::default();
        for mut finding in findings {
            match self.0.get(finding.check.id).filter(|(_, until)| until.is_none_or(|until| now < until)) {
                Some((Level::Allow, _)) => {
                    kept.allowed += 1;
                    continue;
                }
                Some((Level::Warn, _)) => finding.severity = Severity::Warning,
                Some((Level::Deny, _)) => finding.severity = Severity::Error,
                None => {}
            }
            kept.findings.push(finding);
        }
        kept
    }
}
