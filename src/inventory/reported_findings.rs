//! Which findings were reported in the log, so that each is reported once.

use std::collections::HashMap;

use crate::lint::{Family, Finding};

/// The findings that were reported, by what identifies them: not their messages, which count days.
#[derive(Debug, Default)]
pub(super) struct ReportedFindings(HashMap<FindingId, Reported>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FindingId {
    source: String,
    position: usize,
    check: &'static str,
    span: Option<String>,
}

#[derive(Debug)]
struct Reported {
    at: i64,
    message: String,
}

/// A finding that was reported and is not found any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) source: String,
    pub(super) check: &'static str,
    pub(super) message: String,
}

impl ReportedFindings {
    /// Takes the findings of `now` (seconds since 1970). Returns those to report, which are the new ones and once a day
    /// those about dates and peers' authorities, and those that are resolved.
    pub(super) fn update<'a>(&mut self, findings: &'a [Finding], now: i64) -> (Vec<&'a Finding>, Vec<Resolved>) {
        let mut before = std::mem::take(&mut self.0);
        let mut new = Vec::new();
        for finding in findings {
            let key = FindingId::of(finding);
            if self.0.contains_key(&key) {
                continue;
            }
            let is_daily = matches!(finding.check.family, Family::Validity | Family::Peers);
            let known = before.remove(&key).filter(|it| !is_daily || now - it.at < DAY);
            let reported = known.unwrap_or_else(|| {
                new.push(finding);
                Reported { at: now, message: finding.message.clone() }
            });
            self.0.insert(key, reported);
        }
        let resolved = |(key, reported): (FindingId, Reported)| Resolved {
            source: key.source,
            check: key.check,
            message: reported.message,
        };
        let mut resolved: Vec<_> = before.into_iter().map(resolved).collect();
        resolved.sort_by(|a, b| (&a.source, a.check).cmp(&(&b.source, b.check)));
        (new, resolved)
    }
}

impl FindingId {
    fn of(finding: &Finding) -> Self {
        Self {
            source: finding.origin.source(),
            position: finding.origin.position().0,
            check: finding.check.id,
            span: finding.span.clone(),
        }
    }
}

const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Check, PortFailure, Severity, port_failure};

    static ENDS_SOON: Check = Check {
        id: "ends-soon",
        family: Family::Validity,
        severity: Severity::Warning,
        title: "it ends soon",
        basis: "RFC 5280",
        clients: crate::lint::Clients::Unminded,
        explanation: "It ends soon.",
        remedy: "renew it",
    };

    #[test]
    fn a_date_is_reported_again_each_day_whatever_its_words() {
        let mut reported = ReportedFindings::default();
        let ends_in = |days: i64| {
            let port = port_failure(PortFailure::Ended, "a:1", &format!("ends in {days} days"), "later");
            [Finding { check: &ENDS_SOON, ..port }]
        };
        let times = [(0, 1), (3600, 0), (DAY - 1, 0), (DAY, 1), (DAY + 3600, 0), (2 * DAY, 1)];
        for (now, expected) in times {
            let found = ends_in(20 - now / DAY);
            let (new, gone) = reported.update(&found, now);
            assert_eq!((new.len(), gone.len()), (expected, 0), "{now}");
        }
    }

    #[test]
    fn a_finding_is_reported_once_and_once_more_when_it_is_gone() {
        let mut reported = ReportedFindings::default();
        let found = [port_failure(PortFailure::Plaintext, "a:1", "speaks plain HTTP", "TLS")];
        assert_eq!(reported.update(&found, 0).0.len(), 1);
        let (new, gone) = reported.update(&found, 10 * DAY);
        assert!(new.is_empty() && gone.is_empty());
        let (new, gone) = reported.update(&[], 10 * DAY);
        assert!(new.is_empty());
        assert_eq!(
            gone.iter().map(|it| (it.source.as_str(), it.check)).collect::<Vec<_>>(),
            [("a:1", "port-plaintext")]
        );
        assert!(reported.update(&[], 10 * DAY).1.is_empty());
    }
}
