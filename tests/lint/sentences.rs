//! What findings say of clients: every sentence comes from the model of clients.

use pronk::lint::{Finding, Severity, Trust, Use};
use rcgen::CertificateParams;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::corpus::{FRONT, NODE, NOW, extension, grave, linter, one, role, subject, well_named};
use crate::support::ca::{Authority, Leaf, LeafBuilder};

const DAY: i64 = 86_400;

fn in_days(days: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW + days * DAY).unwrap()
}

/// What is found in a chain below a root, both of which are linted.
fn chain_and_root(root: &Authority, chain: &[CertificateDer<'static>], usage: Use) -> Vec<Finding> {
    let files =
        [subject("lb.pem", chain, role(usage)), subject("ca.pem", &[root.certificate().clone()], role(Use::Authority))];
    linter(&[root]).lint(&files).findings
}

/// The sentences of a check, one for each of its findings.
fn said<'a>(found: &'a [Finding], check: &str) -> Vec<&'a str> {
    found.iter().filter(|it| it.check.id == check).map(|it| it.clients.as_str()).collect()
}

#[test]
fn what_ends_soon_is_judged_as_of_the_second_after() {
    let ends = |params: &mut CertificateParams| params.not_after = in_days(5);
    let (plain, openssl) =
        ("from then on: every client refuses it", "OpenSSL and what is built on it (such as Python)");
    let of_root = format!("from then on: refused by {openssl}; the others take it");
    let root = Authority::new("root");
    let middle = root.intermediate_adjusted("middle", ends);
    let old = Authority::adjusted("old root", ends);
    for (root, leaf, remedy, expected) in [
        (&root, well_named(&root).adjusted(ends).build(), "issue the certificate anew", plain),
        (&root, well_named(&middle).build(), "put the authority's renewed certificate", plain),
        (&old, well_named(&old).build(), "renew the root, and put it into the truststore", &of_root),
    ] {
        let found = chain_and_root(root, &leaf.chain, Use::FrontEnd);
        let soon = one(&found, "expiring-soon");
        assert_eq!((soon.clients.as_str(), soon.severity), (expected, Severity::Warning), "{}", soon.message);
        assert!(soon.remedy.starts_with(remedy), "{}", soon.remedy);
    }
}

#[test]
fn root_that_ends_soon_beside_its_renewed_one_is_a_note() {
    let root = Authority::adjusted("root", |params| params.not_after = in_days(5));
    let leaf = well_named(&root).build();
    // Its name and key, until 2090.
    let renewed = root.cross_signed_by(&root);
    let anchors = [root.certificate().clone(), renewed];
    let mut linter = linter(&[]);
    linter.trust = Trust { given: true, anchors: anchors.to_vec().into() };
    let files =
        [subject("lb.pem", &leaf.chain, role(Use::FrontEnd)), subject("ca.pem", &anchors[..1], role(Use::Authority))];
    let found = linter.lint(&files).findings;
    let soon = one(&found, "expiring-soon");
    assert_eq!((soon.severity, soon.clients.as_str()), (Severity::Info, "from then on: no client minds it"));
}

#[test]
fn member_toward_pronk_is_refused_by_pronk_and_by_no_client() {
    let root = Authority::adjusted("root", |params| params.not_after = in_days(-1));
    let leaf = well_named(&root).client().build();
    let found = chain_and_root(&root, &leaf.chain, Use::ReEncrypt);
    for check in ["eku-no-server-auth", "root-expired"] {
        assert_eq!(said(&found, check), ["pronk refuses the member"], "{check}");
    }
    assert!(found.iter().all(|it| !it.clients.contains("every client")), "{found:#?}");
}

#[test]
fn names_that_are_asked_for_are_judged_as_clients_judge_them() {
    let root = Authority::new("root");
    let lint = |leaf: LeafBuilder<'_>| chain_and_root(&root, &leaf.build().chain, Use::Passthrough);
    let found = lint(root.issue(NODE).dns(FRONT));
    assert!(said(&found, "san-missing-node")[0].starts_with("asked for node1.example.com: refused by "), "{found:#?}");
    // With nothing but an address among the alternative names some clients go by the common name.
    let of_address = lint(root.issue("other.example.com").ip("10.0.0.1"));
    let of_name = lint(root.issue("other.example.com").dns(FRONT).dns(NODE));
    let sentence = |found: &[Finding]| said(found, "cn-not-in-san")[0].to_owned();
    assert!(!sentence(&of_address).contains("every client"), "{}", sentence(&of_address));
    assert_ne!(sentence(&of_address), sentence(&of_name));
}

#[test]
fn what_no_verifier_has_a_rule_about_is_minded_by_none() {
    let root = Authority::new("root");
    let staple = extension(&[1, 3, 6, 1, 5, 5, 7, 1, 24], false, &[0x30, 0x03, 0x02, 0x01, 0x05]);
    let leaf = well_named(&root).adjusted(|params| params.custom_extensions.push(staple)).build();
    let chain = [leaf.chain[0].clone(), root.certificate().clone(), root.certificate().clone()];
    let found = chain_and_root(&root, &chain, Use::FrontEnd);
    for check in ["must-staple", "chain-root-included", "chain-duplicate"] {
        assert_eq!(said(&found, check), ["no client minds it"], "{check}");
    }
}

#[test]
fn server_that_is_its_own_authority_is_one_server() {
    type Change = fn(LeafBuilder<'static>) -> LeafBuilder<'static>;
    let makes: [(&str, Change); 4] = [
        ("expired", LeafBuilder::expired),
        ("eku-no-server-auth", LeafBuilder::client),
        ("leaf-is-ca", LeafBuilder::marked_as_authority),
        ("self-signed", |leaf| leaf),
    ];
    for (check, change) in makes {
        let leaf: Leaf = change(LeafBuilder::self_signed(FRONT).dns(FRONT).dns(NODE)).build();
        let entry = [leaf.certificate().clone()];
        let mut linter = linter(&[]);
        linter.trust = Trust { given: true, anchors: entry.to_vec().into() };
        let files =
            [subject("lb.pem", &leaf.chain, role(Use::FrontEnd)), subject("copy.pem", &entry, role(Use::Authority))];
        let found = linter.lint(&files).findings;
        assert_eq!(said(&found, check).len(), 1, "{check}: {found:#?}");
        assert!(found.iter().all(|it| it.origin.source() == "lb.pem"), "{check}: {found:#?}");
        assert!(!grave(&found).contains(&"root-expired") && !grave(&found).contains(&"chain-invalid"), "{check}");
    }
}

#[test]
fn server_without_the_key_of_what_it_shows_is_refused_by_all_in_the_table_too() {
    let root = Authority::new("root");
    let leaf = well_named(&root.intermediate("issuing")).build();
    let wrong = [leaf.chain[1].clone(), leaf.chain[0].clone()];
    let linter = linter(&[&root]);
    let files = [subject("lb.pem", &wrong, role(Use::FrontEnd))];
    let found = linter.lint(&files).findings;
    let order = one(&found, "chain-out-of-order");
    assert_eq!((order.severity, order.clients.as_str()), (Severity::Error, "every client refuses it"));
    let matrix = pronk::lint::clients::Matrix::of(&linter, &files);
    assert!(matrix.rows[0].verdicts.iter().all(|(_, verdict)| !verdict.accepts), "{:?}", matrix.rows[0]);
    // A format without an order has no wrong one.
    let unordered = files.map(|file| file.unordered(true));
    assert!(grave(&linter.lint(&unordered).findings).is_empty());
}
