//! Authorities' certificates.

use std::sync::Arc;

use pronk::lint::{Finding, Linter, Trust, Use, gather};
use rcgen::{CertificateParams, IsCa, KeyUsagePurpose, SanType};

use crate::corpus::{Case, FRONT, extension, grave, lint, linter, one, role, subject, well_named};
use crate::support::ca::{Authority, LeafBuilder};

pub static CASES: &[Case] = &[
    Case {
        check: "ca-basic-constraints-missing",
        fires: || intermediate(|params| params.is_ca = IsCa::NoCa),
        silent: || intermediate(|_| ()),
    },
    Case {
        check: "ca-basic-constraints-not-critical",
        fires: || intermediate(not_critical),
        silent: || intermediate(|_| ()),
    },
    Case {
        check: "ca-key-usage-missing",
        fires: || intermediate(|params| params.key_usages.clear()),
        silent: || intermediate(|_| ()),
    },
    Case { check: "ca-key-ids-missing", fires: || intermediate(not_critical), silent: || intermediate(|_| ()) },
    Case {
        check: "ca-cannot-sign",
        fires: || intermediate(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        silent: || intermediate(|params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]),
    },
];

/// A server below an intermediate authority.
fn intermediate(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let intermediate = root.intermediate_adjusted("issuing ca", adjust);
    lint(&root, &well_named(&intermediate).build().chain, role(Use::Passthrough))
}

/// CA:TRUE without the mark, and without a key identifier, as rcgen makes the two together.
fn not_critical(params: &mut CertificateParams) {
    params.is_ca = IsCa::NoCa;
    params.custom_extensions.push(extension(&[2, 5, 29, 19], false, &[0x30, 0x03, 0x01, 0x01, 0xff]));
}

/// A root by itself, as a truststore has it.
fn alone(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let root = Authority::adjusted("root ca", adjust);
    lint(&root, &[root.certificate().clone()], role(Use::Authority))
}

#[test]
fn an_authority_without_basic_constraints_is_one_finding() {
    let found = intermediate(|params| params.is_ca = IsCa::NoCa);
    assert_eq!(grave(&found), ["ca-basic-constraints-missing"]);
    let finding = one(&found, "ca-basic-constraints-missing");
    assert_eq!(finding.message, "the authority CN=issuing ca does not say that it is one");
    assert_eq!(finding.origin.position(), (2, 2));
}

#[test]
fn a_servers_own_trust_entry_is_not_judged_as_an_authority() {
    let entry = LeafBuilder::self_signed(FRONT).dns(FRONT).marked_as_authority();
    let entry = entry.adjusted(|params| params.key_usages.clear()).build();
    let found = linter(&[]).lint(&[subject("ca.pem", &entry.chain, role(Use::Authority))]).findings;
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_authority_with_names_is_one_though_its_server_is_in_another_file() {
    let root = Authority::adjusted("ca.example.com", |params| {
        params.subject_alt_names = vec![SanType::DnsName("ca.example.com".try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
    });
    let folder = tempfile::tempdir().unwrap();
    root.write(folder.path(), "ca.pem");
    well_named(&root).build().write(folder.path(), "node1");
    let gathered = gather(&[folder.path().to_owned()], &role(Use::Passthrough), None);
    let trust = Trust { given: false, anchors: Arc::from(gathered.anchors) };
    let found = Linter { trust, ..linter(&[]) }.lint(&gathered.subjects).findings;
    assert_eq!(grave(&found), ["ca-cannot-sign"]);
    let finding = one(&found, "ca-cannot-sign");
    assert!(finding.origin.source().ends_with("ca.pem"), "{finding:?}");
    assert_eq!(
        finding.clients,
        "refused by OpenSSL and what is built on it (such as Python) and Java; the others take it"
    );
}

#[test]
fn what_no_client_uses_is_a_note() {
    let (root, other) = (Authority::new("root ca"), Authority::adjusted("old ca", |params| params.key_usages.clear()));
    let leaf = well_named(&root).build();
    let files = [
        subject("node1.pem", &leaf.chain, role(Use::Passthrough)),
        subject("ca.pem", &[other.certificate().clone()], role(Use::Authority)),
    ];
    let found = linter(&[&root, &other]).lint(&files).findings;
    assert!(grave(&found).is_empty(), "{found:?}");
    assert_eq!(one(&found, "ca-key-usage-missing").clients, "no client uses it");
}

#[test]
fn an_authority_that_may_not_sign_is_one_finding() {
    let found = intermediate(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]);
    assert_eq!(grave(&found), ["ca-cannot-sign"]);
}

#[test]
fn authorities_by_themselves_are_judged_as_authorities_only() {
    assert!(alone(|_| ()).is_empty(), "{:?}", alone(|_| ()));
    assert_eq!(grave(&alone(|params| params.key_usages.clear())), ["ca-key-usage-missing"]);
    assert_eq!(grave(&alone(not_critical)), ["ca-basic-constraints-not-critical", "ca-key-ids-missing"]);
}

#[test]
fn a_server_has_to_name_its_issuers_key() {
    let ca = Authority::new("cluster ca");
    let without = |params: &mut CertificateParams| params.use_authority_key_identifier_extension = false;
    let found = lint(&ca, &well_named(&ca).adjusted(without).build().chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["ca-key-ids-missing"]);
    assert_eq!(one(&found, "ca-key-ids-missing").message, "the certificate does not name its issuer's key");
}
