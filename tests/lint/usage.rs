//! What a certificate may be used for.

use pronk::lint::{Finding, Severity, Use};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose as Purpose, IsCa, KeyUsagePurpose as Usage};

use crate::corpus::{Case, FRONT, NODE, extension, grave, lint, linter, one, role, subject, well_named};
use crate::support::ca::{Authority, LeafBuilder};

pub static CASES: &[Case] = &[
    Case {
        check: "eku-no-server-auth",
        fires: || purposes(&[Purpose::ClientAuth]),
        silent: || purposes(&[Purpose::ServerAuth, Purpose::ClientAuth]),
    },
    Case {
        check: "eku-any-only",
        fires: || purposes(&[Purpose::Any]),
        silent: || purposes(&[Purpose::Any, Purpose::ServerAuth]),
    },
    Case { check: "eku-absent", fires: || purposes(&[]), silent: || purposes(&[Purpose::ServerAuth]) },
    Case {
        check: "ku-no-digital-signature",
        fires: || usages(&[Usage::KeyEncipherment]),
        silent: || usages(&[Usage::DigitalSignature]),
    },
    Case {
        check: "ku-cert-sign-on-leaf",
        fires: || usages(&[Usage::DigitalSignature, Usage::KeyCertSign]),
        silent: || usages(&[]),
    },
    Case { check: "leaf-is-ca", fires: || authority_as_server(Use::Passthrough), silent: || of(|_| ()) },
    Case { check: "self-signed", fires: || self_signed(true), silent: || self_signed(false) },
    Case {
        check: "unknown-critical-extension",
        fires: || with_extension(&[1, 3, 6, 1, 4, 1, 99999, 1], true),
        silent: || with_extension(&[1, 3, 6, 1, 4, 1, 99999, 1], false),
    },
    Case {
        check: "certificate-malformed",
        // An issuer's alternative names.
        fires: || with_extension(&[2, 5, 29, 18], true),
        silent: || with_extension(&[2, 5, 29, 18], false),
    },
    Case { check: "must-staple", fires: || with_extension(MUST_STAPLE, false), silent: || of(|_| ()) },
];

fn of(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    lint(&ca, &well_named(&ca).adjusted(adjust).build().chain, role(Use::Passthrough))
}

fn purposes(purposes: &[Purpose]) -> Vec<Finding> {
    of(|params| params.extended_key_usages = purposes.to_vec())
}

fn usages(usages: &[Usage]) -> Vec<Finding> {
    of(|params| params.key_usages = usages.to_vec())
}

fn with_extension(oid: &[u64], critical: bool) -> Vec<Finding> {
    // TLS Feature: status_request, and good enough for an extension that nobody knows.
    let value = [0x30, 0x03, 0x02, 0x01, 0x05];
    of(|params| params.custom_extensions.push(extension(oid, critical, &value)))
}

/// What `openssl req -x509` makes, as its own trust entry.
fn authority_as_server(usage: Use) -> Vec<Finding> {
    let leaf = LeafBuilder::self_signed(FRONT).dns(FRONT).dns(NODE).marked_as_authority().build();
    let mut linter = linter(&[]);
    linter.trust.anchors = leaf.chain.clone().into();
    linter.trust.given = true;
    linter.lint(&[subject("lb.pem", &leaf.chain, role(usage))]).findings
}

/// With CA:FALSE; trusted itself, or beside another authority that is.
fn self_signed(trusted: bool) -> Vec<Finding> {
    let leaf = LeafBuilder::self_signed(FRONT).dns(FRONT).dns(NODE).build();
    let other = Authority::new("other ca");
    let mut linter = linter(&[&other]);
    if trusted {
        linter.trust.anchors = leaf.chain.clone().into();
    }
    linter.lint(&[subject("lb.pem", &leaf.chain, role(Use::Passthrough))]).findings
}

#[test]
fn each_mistake_of_usage_is_one_finding() {
    assert_eq!(grave(&purposes(&[Purpose::ClientAuth])), ["eku-no-server-auth"]);
    assert_eq!(grave(&purposes(&[Purpose::Any])), ["eku-any-only"]);
    assert_eq!(grave(&usages(&[Usage::KeyEncipherment])), ["ku-no-digital-signature"]);
    assert_eq!(grave(&usages(&[Usage::DigitalSignature, Usage::KeyCertSign])), ["ku-cert-sign-on-leaf"]);
    assert_eq!(grave(&with_extension(&[1, 3, 6, 1, 4, 1, 99999, 1], true)), ["unknown-critical-extension"]);
    assert_eq!(grave(&authority_as_server(Use::Passthrough)), ["leaf-is-ca"]);
}

#[test]
fn what_every_client_takes_is_no_more_than_information() {
    for found in [purposes(&[]), usages(&[]), with_extension(MUST_STAPLE, false), self_signed(true)] {
        assert!(grave(&found).is_empty(), "{:?}", grave(&found));
    }
}

#[test]
fn clients_authentication_is_not_missed() {
    let found = purposes(&[Purpose::ServerAuth]);
    assert!(!found.iter().any(|it| it.check.id.starts_with("eku")), "{found:?}");
}

#[test]
fn a_server_that_says_it_is_an_authority_is_an_error_where_pronk_verifies_it() {
    let finding = |usage| one(&authority_as_server(usage), "leaf-is-ca").clone();
    assert_eq!(finding(Use::Passthrough).severity, Severity::Warning);
    let refused = finding(Use::ReEncrypt);
    assert_eq!(refused.severity, Severity::Error);
    assert!(refused.message.contains("pronk refuses"), "{}", refused.message);
}

#[test]
fn the_purpose_that_is_there_is_named() {
    let found = purposes(&[Purpose::ClientAuth]);
    let finding = one(&found, "eku-no-server-auth");
    assert_eq!(finding.message, "the certificate is for TLS Web Client Authentication, not for a server");
    assert_eq!(finding.expected, "TLS Web Server Authentication");
}

#[test]
fn a_certificate_without_basic_constraints_is_a_server_all_the_same() {
    let found = of(|params| params.is_ca = IsCa::NoCa);
    assert!(grave(&found).is_empty(), "{:?}", grave(&found));
}

const MUST_STAPLE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];
