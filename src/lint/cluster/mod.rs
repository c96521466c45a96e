//! The servers of a cluster beside each other: what only shows when their certificates are compared.

mod drift;
mod served;
mod shared;

use super::{Check, Finding, Subject, Use};

pub(crate) use served::Pairs;
pub(crate) use shared::duplicates;

pub(super) static CHECKS: &[&Check] = &[
    &shared::DUPLICATE_SERIAL,
    &shared::SHARED_KEY,
    &drift::SAN_DRIFT,
    &drift::MIXED_ISSUERS,
    &served::SERVED_DIFFERS,
];

/// Takes time in proportion to the number of subjects.
pub(super) fn lint(subjects: &[Subject]) -> Vec<Finding> {
    let pairs = Pairs::of(subjects);
    let mut findings = shared::duplicate_serials(subjects);
    findings.extend(shared::shared_keys(subjects, &pairs));
    findings.extend(drift::lint(subjects, &pairs));
    findings.extend(served::lint(subjects, &pairs));
    findings
}

/// Whether a subject is a server's.
pub(crate) fn is_server(subject: &Subject) -> bool {
    subject.role.usage != Use::Authority
}

/// The first few of a list, and how many more there are.
fn some(items: impl IntoIterator<Item = String>) -> String {
    let mut items = items.into_iter();
    let mut text = items.by_ref().take(FEW).collect::<Vec<_>>().join(", ");
    let more = items.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

const FEW: usize = 4;
