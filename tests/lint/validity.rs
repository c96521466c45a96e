//! From when and until when certificates are valid.

use pronk::cert::Field;
use pronk::lint::{Finding, Linter, Severity, Use};
use rcgen::CertificateParams;
use time::{Duration, OffsetDateTime};

use crate::corpus::{Case, NOW, grave, lint, linter, one, role, subject, well_named};
use crate::support::ca::Authority;

pub static CASES: &[Case] = &[
    Case { check: "expired", fires: || until(-1), silent: || until(0) },
    Case { check: "not-yet-valid", fires: || from(1), silent: || from(0) },
    Case { check: "expiring-soon", fires: || until(27 * DAY), silent: || until(28 * DAY) },
    Case { check: "lifetime-long", fires: || lasting(399), silent: || lasting(398) },
    Case {
        check: "authority-expired",
        fires: || below_intermediate(|params| params.not_after = at(-1)),
        silent: || below_intermediate(|params| params.not_after = at(0)),
    },
    Case {
        check: "root-expired",
        fires: || below_root(|params| params.not_after = at(-1)),
        silent: || below_root(|params| params.not_after = at(0)),
    },
];

fn of(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    lint(&ca, &well_named(&ca).adjusted(adjust).build().chain, role(Use::Passthrough))
}

fn until(seconds: i64) -> Vec<Finding> {
    of(|params| params.not_after = at(seconds))
}

fn from(seconds: i64) -> Vec<Finding> {
    of(|params| params.not_before = at(seconds))
}

fn lasting(days: i64) -> Vec<Finding> {
    of(|params| {
        params.not_before = at(-10 * DAY);
        params.not_after = at((days - 10) * DAY);
    })
}

fn below_intermediate(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let intermediate = root.intermediate_adjusted("issuing ca", adjust);
    lint(&root, &well_named(&intermediate).build().chain, role(Use::Passthrough))
}

fn below_root(adjust: impl FnOnce(&mut CertificateParams)) -> Vec<Finding> {
    let root = Authority::adjusted("root ca", adjust);
    lint(&root, &well_named(&root).build().chain, role(Use::Passthrough))
}

/// Seconds from the time at which the corpus is judged.
fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap() + Duration::seconds(seconds)
}

#[test]
fn an_expired_certificate_is_one_finding() {
    let found = until(-3 * DAY);
    assert_eq!(grave(&found), ["expired"]);
    let expired = one(&found, "expired");
    assert_eq!(expired.message, "the certificate expired on 2025-12-29, 3 days ago");
    assert_eq!(expired.field, Some(Field::NotAfter));
    assert!(expired.paste[0].starts_with("pronk cert csr node1 --common-name lb"));
}

#[test]
fn an_expired_authority_is_one_finding_at_its_place() {
    let found = below_intermediate(|params| params.not_after = at(-DAY));
    assert_eq!(grave(&found), ["authority-expired"]);
    let expired = one(&found, "authority-expired");
    assert_eq!(expired.message, "the certificate of the authority CN=issuing ca expired on 2025-12-31, 1 day ago");
    assert_eq!(expired.origin.position(), (2, 2));
}

#[test]
fn an_expired_chain_still_has_to_lead_to_a_trusted_authority() {
    let (trusted, other) = (Authority::new("root ca"), Authority::new("other root ca"));
    let leaf = well_named(&other).expired().build();
    assert_eq!(grave(&lint(&trusted, &leaf.chain, role(Use::Passthrough))), ["expired", "issuer-unknown"]);
}

#[test]
fn an_expired_root_in_the_truststore_is_an_error() {
    let found = below_root(|params| params.not_after = at(-1));
    assert_eq!(grave(&found), ["root-expired"]);
    let expired = one(&found, "root-expired");
    assert_eq!(expired.severity, Severity::Error);
    assert_eq!(expired.message, "the trusted root CN=root ca expired on 2025-12-31");
    assert_eq!(expired.clients, "refused by OpenSSL and what is built on it (such as Python); the others take it");
}

#[test]
fn an_expired_root_among_the_files_is_told_at_its_place_only() {
    let root = Authority::adjusted("root ca", |params| params.not_after = at(-1));
    let leaf = well_named(&root).build();
    let files = [
        subject("node.pem", &leaf.chain, role(Use::Passthrough)),
        subject("ca.pem", &[root.certificate().clone()], role(Use::Authority)),
    ];
    let found = linter(&[&root]).lint(&files).findings;
    assert_eq!(grave(&found), ["root-expired"]);
    assert_eq!(found.iter().find(|it| it.check.id == "root-expired").unwrap().origin.source(), "ca.pem");
}

#[test]
fn warnings_before_the_end_get_more_urgent() {
    let early = until(20 * DAY);
    assert_eq!(one(&early, "expiring-soon").message, "the certificate expires in 20 days, on 2026-01-21");
    let late = until(13 * DAY);
    assert_eq!(
        one(&late, "expiring-soon").message,
        "the certificate expires in 13 days, on 2026-01-14: replace it now"
    );
    assert_eq!(grave(&late), ["expiring-soon"]);
}

#[test]
fn the_user_says_how_early_to_be_warned() {
    let ca = Authority::new("cluster ca");
    let leaf = well_named(&ca).adjusted(|params| params.not_after = at(50 * DAY)).build();
    let file = [subject("lb.pem", &leaf.chain, role(Use::FrontEnd))];
    let patient = linter(&[&ca]);
    assert!(grave(&patient.lint(&file).findings).is_empty());
    let anxious = Linter { expiry_days: 60, ..patient };
    assert_eq!(grave(&anxious.lint(&file).findings), ["expiring-soon"]);
}

const DAY: i64 = 86_400;
