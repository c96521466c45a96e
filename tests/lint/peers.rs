//! What profiles verify their peers against: authorities and revocation lists.

use std::path::PathBuf;

use pronk::lint::{Finding, PeerFile, PeerFiles, Severity};
use rcgen::DnType;

use crate::corpus::{Case, NOW, one};
use crate::support::ca::{Authority, time};
use crate::support::crl::List;

const DAY: i64 = 86_400;

pub static CASES: &[Case] = &[
    Case { check: "crl-expiring-soon", fires: || listed(&[due_in(6 * DAY)]), silent: || listed(&[due_in(8 * DAY)]) },
    Case { check: "crl-missing", fires: || missing(false), silent: || missing(true) },
    Case {
        check: "crl-partial",
        fires: || listed(&[due_in(8 * DAY), due_in(8 * DAY).delta(1)]),
        silent: || listed(&[due_in(8 * DAY)]),
    },
    Case { check: "trusted-authority-expired", fires: || ending(NOW - 1), silent: || ending(NOW) },
    Case { check: "trusted-authority-expiring-soon", fires: || ending(NOW + DAY), silent: || ending(NOW + 40 * DAY) },
    Case { check: "authority-names-too-long", fires: || named(600), silent: || named(300) },
];

fn lint(files: &PeerFiles) -> Vec<Finding> {
    files.lint(NOW, 28).into_iter().map(|(_, finding)| finding).collect()
}

fn files(authorities: &[&Authority], lists: Option<Vec<Vec<u8>>>) -> PeerFiles {
    let certificates = authorities.iter().map(|it| it.certificate().clone()).collect();
    PeerFiles {
        authorities: Some((PathBuf::from("ca.pem"), certificates)),
        revocation_lists: lists.map(|lists| (PathBuf::from("crl.pem"), lists.into_iter().map(Into::into).collect())),
        are_clients: true,
    }
}

/// A list of 40 days, of which so many seconds are left.
fn due_in(left: i64) -> List {
    List::new(NOW).number(7).dated(NOW + left - 40 * DAY, NOW + left)
}

fn listed(lists: &[List]) -> Vec<Finding> {
    let ca = Authority::new("ca");
    lint(&files(&[&ca], Some(lists.iter().map(|list| list.der(&ca)).collect())))
}

/// An authority that was made anew with another key, with a list of each or of the old key alone.
fn missing(both: bool) -> Vec<Finding> {
    let (old, new) = (Authority::new("ca"), Authority::new("ca"));
    let lists = [&old, &new].into_iter().take(if both { 2 } else { 1 });
    let lists = lists.map(|key| due_in(8 * DAY).der(key)).collect();
    lint(&files(&[&old, &new], Some(lists)))
}

fn ending(not_after: i64) -> Vec<Finding> {
    lint(&files(&[&Authority::adjusted("ca", |params| params.not_after = time(not_after))], None))
}

fn named(count: usize) -> Vec<Finding> {
    let authorities: Vec<_> = (0..count)
        .map(|number| {
            Authority::adjusted(&format!("Example Issuing Authority {number:04}"), |params| {
                params.distinguished_name.push(DnType::OrganizationName, "Example Corporation Trust Services");
            })
        })
        .collect();
    lint(&files(&authorities.iter().collect::<Vec<_>>(), None))
}

fn said(findings: &[Finding]) -> Vec<(&str, Severity)> {
    findings.iter().map(|it| (it.check.id, it.severity)).collect()
}

#[test]
fn lists_are_reported_by_how_much_of_their_time_is_left() {
    let of = |lifetime: i64, left: i64| {
        let findings = listed(&[List::new(NOW).number(7).dated(NOW + left - lifetime, NOW + left)]);
        findings.first().map(|it| (it.check.id, it.severity))
    };
    let soon = "crl-expiring-soon";
    for (lifetime, left, expected) in [
        (30 * DAY, 7 * DAY, None),
        (30 * DAY, 7 * DAY - 1, Some((soon, Severity::Warning))),
        (7 * DAY, 6 * DAY, Some((soon, Severity::Info))),
        (7 * DAY, DAY, Some((soon, Severity::Warning))),
        (DAY, DAY / 2, Some((soon, Severity::Info))),
        (DAY, DAY / 4, Some((soon, Severity::Warning))),
        (DAY, 1, Some((soon, Severity::Warning))),
        (DAY, 0, Some(("crl-stale", Severity::Error))),
        (30 * DAY, -DAY, Some(("crl-stale", Severity::Error))),
        (DAY, DAY + 60, Some(("crl-stale", Severity::Error))),
    ] {
        assert_eq!(of(lifetime, left), expected, "{left} s left of {lifetime} s");
    }
}

#[test]
fn only_the_list_that_decides_is_reported() {
    let stale = List::new(NOW).number(6).dated(NOW - 9 * DAY, NOW - DAY);
    for lists in [[stale.clone(), due_in(20 * DAY)], [due_in(20 * DAY), stale.clone()]] {
        assert_eq!(said(&listed(&lists)), [], "another is in date");
    }
    let findings = listed(&[stale.clone(), stale]);
    assert_eq!(said(&findings), [("crl-stale", Severity::Error)], "once");
    assert_eq!(
        findings[0].message,
        "the revocation list of CN=ca should have been replaced by 2025-12-31 00:00:00 UTC: every peer of that authority is refused"
    );
}

#[test]
fn findings_tell_which_file_to_change() {
    let (ca, other) =
        (Authority::new("ca"), Authority::adjusted("other ca", |params| params.not_after = time(NOW + DAY)));
    let found = files(&[&ca, &other], Some(vec![due_in(20 * DAY).der(&ca)])).lint(NOW, 28);
    let found: Vec<_> = found.iter().map(|(file, finding)| (*file, finding.check.id)).collect();
    let soon = "trusted-authority-expiring-soon";
    assert_eq!(found, [(PeerFile::CrlFile, "crl-missing"), (PeerFile::CaFile, soon)]);
    assert_eq!(PeerFile::CrlFile.key(), "crl-file");
}

#[test]
fn authority_that_was_renewed_with_its_key_is_not_missed() {
    let (ca, list) = (Authority::adjusted("ca", |params| params.not_after = time(NOW - 1)), due_in(20 * DAY));
    let renewed = ca.cross_signed_by(&ca);
    let mut files = files(&[&ca], Some(vec![list.der(&ca)]));
    assert_eq!(said(&lint(&files)), [("trusted-authority-expired", Severity::Warning)]);
    files.authorities.as_mut().unwrap().1.push(renewed);
    assert_eq!(said(&lint(&files)), []);
}

#[test]
fn many_authorities_are_counted_and_a_few_named() {
    let authorities: Vec<_> = (0..9).map(|number| Authority::new(&format!("ca {number}"))).collect();
    let found =
        lint(&files(&authorities.iter().collect::<Vec<_>>(), Some(vec![due_in(20 * DAY).der(&authorities[0])])));
    let missing = one(&found, "crl-missing");
    assert!(missing.message.contains("CN=ca 1; CN=ca 2; CN=ca 3; and 5 more"), "{}", missing.message);
    assert_eq!(missing.observed, "8 of 9 authorities without a list");
}
