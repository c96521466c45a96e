//! Serial numbers and keys that several servers have in common.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::served::live_host;
use super::{Pairs, is_server, some};
use crate::cert::Field;
use crate::lint::{Check, Family, Finding, Located, Severity, Subject};

pub(super) static DUPLICATE_SERIAL: Check = Check {
    id: "duplicate-serial",
    family: Family::Cluster,
    severity: Severity::Warning,
    title: "two certificates of one issuer have the same serial number",
    basis: "RFC 5280, section 4.1.2.2",
    clients: "NSS (Firefox) refuses the second that it sees; a revocation list revokes both",
    explanation: "Issuer and serial number identify a certificate. Scripts that run `openssl x509 -set_serial 1`, or copy an \
        authority's folder from host to host, number alike. Revoking one then revokes the other, and Firefox says \
        `SEC_ERROR_REUSED_ISSUER_AND_SERIAL`.",
    remedy: "let the authority choose random serial numbers (openssl x509 -CAcreateserial) and issue one of the two anew",
};

pub(super) static SHARED_KEY: Check = Check {
    id: "shared-key",
    family: Family::Cluster,
    severity: Severity::Info,
    title: "several servers have the same private key",
    basis: "no rule; a key that is in fewer places is lost less often",
    clients: "none notice",
    explanation: "One certificate for all nodes, with all their names or a wildcard, is easy to roll out and works. Who takes \
        the key from one node has it for all of them, and all must be replaced at once. Certificates that differ and \
        share a key have the disadvantage without the ease.",
    remedy: "give each node a key of its own, unless one certificate for all is what you want",
};

/// Certificates with an issuer and serial number that another certificate has too: themselves, and one of the others.
pub(crate) fn duplicates(subjects: &[Subject]) -> Vec<(&Located, &Located)> {
    let all = || subjects.iter().flat_map(Subject::chain);
    let number = |it: &'_ Located| (it.certificate.issuer.clone(), it.certificate.serial.clone());
    let mut first: HashMap<(&str, &str), &Located> = HashMap::new();
    let mut doubled: BTreeMap<_, BTreeMap<&[u8], &Located>> = BTreeMap::new();
    for located in all() {
        let certificate = &located.certificate;
        let known = *first.entry((&certificate.issuer, &certificate.serial)).or_insert(located);
        if known.certificate.der != certificate.der {
            let group = doubled.entry(number(located)).or_default();
            group.entry(&known.certificate.der).or_insert(known);
            group.entry(&certificate.der).or_insert(located);
        }
    }
    let mut found = Vec::new();
    for group in doubled.values() {
        let members: Vec<_> = group.values().copied().collect();
        let others = members.iter().cycle().skip(1);
        found.extend(members.iter().copied().zip(others.copied()));
    }
    found
}

pub(super) fn duplicate_serials(subjects: &[Subject]) -> Vec<Finding> {
    let finding = |(located, other): (&Located, &Located)| {
        let certificate = &located.certificate;
        let message = format!("the certificate in {} has the same issuer and serial number", other.origin);
        Finding::new(&DUPLICATE_SERIAL, located, message)
            .field(Field::Serial)
            .observed(format!("serial number {} of {}, twice", certificate.serial, certificate.issuer))
            .expected("a serial number that the issuer has used once")
            .note(format!("the other is {}'s", other.certificate.title()))
    };
    duplicates(subjects).into_iter().map(finding).collect()
}

/// One finding a key.
pub(super) fn shared_keys(subjects: &[Subject], pairs: &Pairs) -> Vec<Finding> {
    let mut by_key: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, subject) in subjects.iter().enumerate().filter(|(_, subject)| is_server(subject)) {
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
            .observed(format!("one key in {}", some(places)))
            .expected("a key of its own for each server"),
    )
}
