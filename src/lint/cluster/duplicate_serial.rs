//! Certificates of one issuer that share a serial number.

use std::collections::{BTreeMap, HashMap};

use crate::cert::Field;
use crate::lint::{Check, Clients, Family, Finding, Located, Severity, Subject};

pub(super) static DUPLICATE_SERIAL: Check = Check {
    id: "duplicate-serial",
    family: Family::Cluster,
    severity: Severity::Warning,
    title: "two certificates of one issuer have the same serial number",
    basis: "RFC 5280, section 4.1.2.2",
    clients: Clients::Unminded,
    explanation: "Issuer and serial number identify a certificate. Scripts that run `openssl x509 -set_serial 1`, or copy an \
        authority's folder from host to host, number alike. Revoking one then revokes the other, and Firefox says \
        `SEC_ERROR_REUSED_ISSUER_AND_SERIAL`.",
    remedy: "let the authority choose random serial numbers (openssl x509 -CAcreateserial) and issue one of the two anew",
};

/// Returns the certificates with an issuer and serial number that another one has too, each with one of the others.
pub(in crate::lint) fn duplicates(subjects: &[Subject]) -> Vec<(&Located, &Located)> {
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
