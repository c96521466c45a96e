//! The checks of servers beside each other, one after the other.

use std::collections::HashMap;

use super::{Pairs, duplicate_serial, mixed_issuers, san_drift, served_differs, shared_key};
use crate::lint::{Check, Finding, Subject, Use};
use crate::model::Host;

pub(in crate::lint) static CHECKS: &[&Check] = &[
    &duplicate_serial::DUPLICATE_SERIAL,
    &shared_key::SHARED_KEY,
    &san_drift::SAN_DRIFT,
    &mixed_issuers::MIXED_ISSUERS,
    &served_differs::SERVED_DIFFERS,
];

/// Compares all subjects; takes time in proportion to their number.
pub(in crate::lint) fn lint(subjects: &[Subject]) -> Vec<Finding> {
    let pairs = Pairs::of(subjects);
    let mut findings = duplicate_serial::duplicate_serials(subjects);
    findings.extend(shared_key::shared_keys(subjects, &pairs));
    findings.extend(within_clusters(subjects, &pairs));
    findings.extend(served_differs::lint(subjects, &pairs));
    findings
}

/// Returns what differs among the servers that serve the same names in the same way.
fn within_clusters(subjects: &[Subject], pairs: &Pairs) -> Vec<Finding> {
    let mut clusters: HashMap<(Use, &[Host]), Vec<&Subject>> = HashMap::new();
    let mut order = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        // Of a file and the port that shows it, the file counts.
        if !subject.is_server() || pairs.file_of(index).is_some() {
            continue;
        }
        let cluster = (subject.role.usage, subject.role.front_ends.as_slice());
        let members = clusters.entry(cluster).or_default();
        if members.is_empty() {
            order.push(cluster);
        }
        members.push(subject);
    }
    let mut findings = Vec::new();
    for servers in order.iter().filter_map(|cluster| clusters.get(cluster)) {
        findings.extend(san_drift::san_drift(servers));
        findings.extend(mixed_issuers::mixed_issuers(servers));
    }
    findings
}
