//! Servers that share a private key.

use std::collections::{BTreeSet, HashMap};

use super::Pairs;
use super::pairs::live_host;
use super::shortened_list::first_few;
use crate::cert::Field;
use crate::lint::{Check, Clients, Family, Finding, Severity, Subject};

pub(super) static SHARED_KEY: Check = Check {
    id: "shared-key",
    family: Family::Cluster,
    severity: Severity::Info,
    title: "several servers have the same private key",
    basis: "no rule; a key that is in fewer places is lost less often",
    clients: Clients::Unminded,
    explanation: "One certificate for all nodes, with all their names or a wildcard, is easy to roll out and works. Who takes \
        the key from one node has it for all of them, and all must be replaced at once. Certificates that differ and \
        share a key have the disadvantage without the ease.",
    remedy: "give each node a key of its own, unless one certificate for all is what you want",
};

/// Returns one finding for each key that is in several places.
pub(super) fn shared_keys(subjects: &[Subject], pairs: &Pairs) -> Vec<Finding> {
    let mut by_key: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, subject) in subjects.iter().enumerate().filter(|(_, subject)| subject.is_server()) {
        by_key.entry(&subject.leaf().key.spki).or_default().push(index);
    }
    let mut groups: Vec<_> = by_key.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_unstable();
    groups.into_iter().filter_map(|group| shared_key(subjects, pairs, &group)).collect()
}

fn shared_key(subjects: &[Subject], pairs: &Pairs, group: &[usize]) -> Option<Finding> {
    let mut places = BTreeSet::new();
    let mut certificates = BTreeSet::new();
    for index in group {
        let subject = subjects.get(*index)?;
        // A file and the port that shows what is in it are one place.
        let live = pairs.live_of(*index).and_then(|live| subjects.get(live)).unwrap_or(subject);
        places.insert(live_host(live).unwrap_or_else(|| subject.source()));
        certificates.insert(&*subject.leaf().der);
    }
    if places.len() < 2 {
        return None;
    }
    let (servers, different) = (places.len(), certificates.len());
    let message = match different {
        1 => format!("the same certificate is in {servers} places"),
        _ => format!("{different} different certificates in {servers} places have the same key"),
    };
    let first = subjects.get(*group.first()?)?.leaf_located();
    Some(
        Finding::new(&SHARED_KEY, first, message)
            .field(Field::PublicKey)
            .observed(format!("one key in {}", first_few(places)))
            .expected("a key of its own for each server"),
    )
}
