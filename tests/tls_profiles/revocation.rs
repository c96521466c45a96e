//! What revocation lists decide, on both sides and in both versions of TLS, beside what OpenSSL decides.

use std::path::{Path, PathBuf};
use std::process::Command;

use pronk::model::profile::{CrlScope, PeerCertMode, TlsVersion, TlsVersions, TrustAnchors};
use pronk::tls::{LiveClientSsl, TlsFault};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose};

use crate::handshake::{Bench, Clock, from_client, member, member_server, to_member};
use crate::support::ca::{Authority, Leaf, LeafBuilder, pem_of, time, write};
use crate::support::crl::{List, pem, point, tlv};

const HOST: &str = "lb.example.com";
/// 2026-01-01.
const NOW: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

/// A chain, whom to trust, the lists in the order of their file, and what is to come of it.
struct Case {
    name: &'static str,
    leaf: Leaf,
    roots: Vec<Authority>,
    lists: Vec<Vec<u8>>,
    scope: CrlScope,
    now: i64,
    accepted: bool,
    /// Why OpenSSL decides otherwise.
    openssl_differs: Option<&'static str>,
}

impl Case {
    fn new(name: &'static str, accepted: bool, root: Authority, leaf: Leaf, lists: Vec<Vec<u8>>) -> Self {
        let (roots, scope) = (vec![root], CrlScope::Chain);
        Self { name, leaf, roots, lists, scope, now: NOW, accepted, openssl_differs: None }
    }

    fn leaf_only(self) -> Self {
        Self { scope: CrlScope::Leaf, ..self }
    }

    fn at(self, now: i64) -> Self {
        Self { now, ..self }
    }

    fn unlike_openssl(self, why: &'static str) -> Self {
        Self { openssl_differs: Some(why), ..self }
    }
}

fn both_purposes(builder: LeafBuilder<'_>) -> LeafBuilder<'_> {
    builder.dns(HOST).adjusted(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    })
}

fn leaf(issuer: &Authority) -> Leaf {
    both_purposes(issuer.issue(HOST)).build()
}

/// A case of one authority, whose lists are made for its leaf.
fn simple(name: &'static str, accepted: bool, lists: impl FnOnce(&Leaf) -> Vec<List>) -> Case {
    let root = Authority::new("ca");
    let leaf = leaf(&root);
    let lists = lists(&leaf).iter().map(|list| list.der(&root)).collect();
    Case::new(name, accepted, root, leaf, lists)
}

/// A case of a leaf under an issuing authority: lists of the root and of that authority.
fn under(name: &'static str, accepted: bool, lists: impl FnOnce(&Leaf) -> (Vec<List>, Vec<List>)) -> Case {
    let root = Authority::new("ca");
    let issuing = root.intermediate_adjusted("issuing ca", |params| params.serial_number = Some(4711_u64.into()));
    let leaf = leaf(&issuing);
    let (of_root, of_issuing) = lists(&leaf);
    let of_root = of_root.iter().map(|list| list.der(&root));
    let lists = of_root.chain(of_issuing.iter().map(|list| list.der(&issuing))).collect();
    Case::new(name, accepted, root, leaf, lists)
}

/// An authority that was made anew with another key; the leaf is under the old key.
fn rekeyed(
    name: &'static str,
    accepted: bool,
    lists: impl FnOnce(&Leaf, &Authority, &Authority) -> Vec<Vec<u8>>,
) -> Case {
    let (old, new) = (Authority::new("ca"), Authority::new("ca"));
    let leaf = leaf(&old);
    let lists = lists(&leaf, &old, &new);
    Case { roots: vec![new, old], ..Case::new(name, accepted, Authority::new("unused"), leaf, lists) }
}

fn with_point(builder: LeafBuilder<'_>, uri: &str) -> Leaf {
    let points = tlv(0x30, &tlv(0x30, &point(uri)));
    let extension = CustomExtension::from_oid_content(&[2, 5, 29, 31], points);
    both_purposes(builder).adjusted(|params| params.custom_extensions.push(extension)).build()
}

fn shard(name: &'static str, accepted: bool, of_leaf: Option<&str>, of_list: &str) -> Case {
    let root = Authority::new("ca");
    let leaf = of_leaf.map_or_else(|| leaf(&root), |uri| with_point(root.issue(HOST), uri));
    let list = list().scope(&point(of_list)).der(&root);
    // OpenSSL looks for the root's own revocation too, and the root names no place.
    Case::new(name, accepted, root, leaf, vec![list]).leaf_only()
}

/// A case of a root whose certificate is other than usual.
fn odd_root(name: &'static str, accepted: bool, adjust: impl FnOnce(&mut CertificateParams)) -> Case {
    let root = Authority::adjusted("ca", adjust);
    let (leaf, list) = (leaf(&root), list().der(&root));
    Case::new(name, accepted, root, leaf, vec![list])
}

fn list() -> List {
    List::new(NOW).number(8)
}

/// A list of a day before the others.
fn old() -> List {
    List::new(NOW).number(7).dated(NOW - 2 * DAY, NOW + DAY)
}

fn expired(number: u64) -> List {
    List::new(NOW).number(number).dated(NOW - 3 * DAY, NOW - DAY)
}

fn cases() -> Vec<Case> {
    const USER: &[u8] = &[0x81, 1, 0xff];
    const AUTHORITIES: &[u8] = &[0x82, 1, 0xff];
    const SOME_REASONS: &[u8] = &[0x83, 2, 1, 0x40];
    vec![
        simple("one list", true, |_| vec![list()]),
        simple("one list with the certificate", false, |leaf| vec![list().revoking(leaf)]),
        simple("no list", false, |_| Vec::new()),
        // Order in the file
        simple("old, then new that revokes", false, |leaf| vec![old(), list().revoking(leaf)]),
        simple("new that revokes, then old", false, |leaf| vec![list().revoking(leaf), old()]),
        simple("old that revokes, then new that took back", true, |leaf| vec![old().revoking(leaf), list()]),
        simple("new that took back, then old that revokes", true, |leaf| vec![list(), old().revoking(leaf)]),
        simple("three, the newest in the middle revokes", false, |leaf| vec![old(), list().revoking(leaf), old()]),
        simple("without numbers, by date", false, |leaf| {
            let (one, other) = (List::new(NOW).dated(NOW - DAY, NOW + DAY), List::new(NOW).dated(NOW - 5, NOW + DAY));
            vec![one, other.revoking(leaf)]
        }),
        simple("by number, whatever the date", true, |leaf| {
            vec![
                List::new(NOW).number(9).dated(NOW - 9, NOW + DAY),
                List::new(NOW).number(8).dated(NOW - 5, NOW + DAY).revoking(leaf),
            ]
        })
        .unlike_openssl("it goes by the date alone"),
        simple("a number of more bytes is greater", false, |leaf| {
            vec![List::new(NOW).number(255), List::new(NOW).number(256).dated(NOW - 5, NOW + DAY).revoking(leaf)]
        }),
        // Expiry
        simple("expired, then current", true, |_| vec![expired(7), list()]),
        simple("current, then expired", true, |_| vec![list(), expired(7)]),
        simple("expired that revokes, then current that took back", true, |leaf| {
            vec![expired(7).revoking(leaf), list()]
        }),
        simple("expired alone", false, |_| vec![expired(7)]),
        simple("expired alone, with the certificate", false, |leaf| vec![expired(7).revoking(leaf)]),
        simple("newer but expired, older but in date", true, |_| vec![expired(9), old()]),
        simple("newer but expired that revokes, older but in date", false, |leaf| {
            vec![expired(9).revoking(leaf), old()]
        })
        .unlike_openssl("it does not look at lists past their date while it has another"),
        simple("not valid yet", false, |_| vec![List::new(NOW).number(9).dated(NOW + 60, NOW + DAY)]),
        simple("not valid yet, beside a current one", true, |_| {
            vec![List::new(NOW).number(9).dated(NOW + 60, NOW + DAY), list()]
        }),
        // One second
        simple("in the last second", true, |_| vec![list()]).at(NOW + DAY - 1),
        simple("in the second of the next update", false, |_| vec![list()]).at(NOW + DAY),
        simple("in the first second", true, |_| vec![list()]).at(NOW - DAY),
        simple("a second before the first", false, |_| vec![list()]).at(NOW - DAY - 1),
        simple("newer by a second revokes", false, |leaf| {
            let dated = |from| List::new(NOW).number(8).dated(from, NOW + DAY);
            vec![dated(NOW - 61), dated(NOW - 60).revoking(leaf), dated(NOW - 61)]
        }),
        simple("newer by a second took back", true, |leaf| {
            let dated = |from| List::new(NOW).number(8).dated(from, NOW + DAY);
            vec![dated(NOW - 61).revoking(leaf), dated(NOW - 60)]
        }),
        // Keys
        rekeyed("the new key's list alone", false, |_, _, new| vec![list().der(new)]),
        rekeyed("a list of each key, the new one first", true, |_, old, new| vec![list().der(new), list().der(old)]),
        rekeyed("a list of each key, the old one first", true, |_, old, new| vec![list().der(old), list().der(new)]),
        rekeyed("revoked by the old key, and the new key's list is newer", false, |leaf, old_key, new| {
            vec![list().der(new), old().revoking(leaf).der(old_key)]
        }),
        rekeyed("the other key has a certificate with that number", true, |leaf, old, new| {
            vec![list().revoking(leaf).der(new), list().der(old)]
        }),
        rekeyed("lists do not name their keys", true, |_, old_key, new| {
            vec![list().of_unnamed_key().der(new), old().of_unnamed_key().der(old_key)]
        })
        .unlike_openssl("it takes the newest and finds another key's signature"),
        odd_root("the authority may not sign lists", false, |params| {
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }),
        odd_root("the authority has no key usage", true, |params| params.key_usages = Vec::new()),
        odd_root("the authority has expired", false, |params| params.not_after = time(NOW - 1)),
        odd_root("the authority is not valid yet", false, |params| params.not_before = time(NOW + 1)),
        // The chain
        under("a list of both authorities", true, |_| (vec![list()], vec![list()])),
        under("the root's list is missing", false, |_| (vec![], vec![list()])),
        under("the root's list is missing and not looked at", true, |_| (vec![], vec![list()])).leaf_only(),
        under("the authority is revoked", false, |_| (vec![list().revoking_serial(4711)], vec![list()])),
        under("the authority is revoked and not looked at", true, |_| {
            (vec![list().revoking_serial(4711)], vec![list()])
        })
        .leaf_only(),
        under("the leaf is revoked", false, |leaf| (vec![list()], vec![list().revoking(leaf)])).leaf_only(),
        under("the issuing authority's list is missing", false, |_| (vec![list()], vec![])).leaf_only(),
        under("the root's list is old in front of the one that revokes", false, |_| {
            (vec![old(), list().revoking_serial(4711)], vec![list()])
        }),
        // Scope
        simple("a list of users", true, |_| vec![list().scope(USER)]).leaf_only(),
        simple("a list of authorities for a user", false, |_| vec![list().scope(AUTHORITIES)]),
        under("a list of users for an authority", false, |_| (vec![list().scope(USER)], vec![list()])),
        under("a list of authorities, and one of users", true, |_| {
            (vec![list().scope(AUTHORITIES)], vec![list().scope(USER)])
        }),
        simple("a newer list of authorities does not decide on a user", false, |leaf| {
            vec![old().revoking(leaf), List::new(NOW).number(9).scope(AUTHORITIES)]
        }),
        simple("a list for some reasons alone", false, |_| vec![list().scope(SOME_REASONS)]),
        simple("a list for some reasons, beside a complete one", true, |_| vec![old(), list().scope(SOME_REASONS)]),
        simple("revoked for one of some reasons", false, |leaf| {
            vec![list(), list().scope(SOME_REASONS).revoking(leaf)]
        })
        .unlike_openssl("it passes over such lists"),
        shard("the list that the certificate names", true, Some("http://ca/1"), "http://ca/1"),
        shard("another list than the certificate names", false, Some("http://ca/1"), "http://ca/2"),
        shard("a list with a place, and a certificate without", false, None, "http://ca/1"),
        // Deltas
        simple("a delta alone", false, |_| vec![list().delta(7)])
            .unlike_openssl("it takes a delta for a complete list"),
        simple("a delta that revokes, beside its base", false, |leaf| vec![old(), list().delta(7).revoking(leaf)]),
        simple("a delta with nothing, beside a base that revokes", false, |leaf| {
            vec![old().revoking(leaf), list().delta(7)]
        })
        .unlike_openssl("it takes a delta for a complete list"),
        simple("a delta that takes back", false, |leaf| vec![old().revoking(leaf), list().delta(7).taking_back(leaf)])
            .unlike_openssl("it takes a delta for a complete list"),
        simple("a delta that revokes, older than the complete list that took back", true, |leaf| {
            vec![old().delta(6).revoking(leaf), list()]
        }),
    ]
}

/// Whether OpenSSL accepts the leaf, as a client's certificate.
fn openssl_accepts(case: &Case, folder: &Path) -> bool {
    let roots: Vec<_> = case.roots.iter().map(|root| root.certificate().clone()).collect();
    let file = |name: &str, text: String| write(folder, name, text.as_bytes(), 0o644);
    let mut command = Command::new("openssl");
    command.args(["verify", "-purpose", "sslclient", "-attime", &case.now.to_string()]);
    command.arg(if case.scope == CrlScope::Chain { "-crl_check_all" } else { "-crl_check" });
    command.arg("-CAfile").arg(file("roots.pem", pem_of(&roots)));
    command.arg("-untrusted").arg(file("untrusted.pem", pem_of(&case.leaf.chain)));
    if !case.lists.is_empty() {
        command.arg("-CRLfile").arg(file("lists.pem", pem(&case.lists)));
    }
    command.arg(file("leaf.pem", pem_of(&case.leaf.chain[..1])));
    command.output().expect("openssl is installed by tests/setup.sh").status.success()
}

/// Whether pronk accepts the leaf: of clients and of members, in TLS 1.2 and 1.3.
async fn pronk_accepts(case: &Case, bench: &Bench) -> [bool; 4] {
    let roots: Vec<_> = case.roots.iter().map(|root| root.certificate().clone()).collect();
    let ca_file = write(bench.path(), "roots.pem", pem_of(&roots).as_bytes(), 0o644);
    let lists: PathBuf = match case.lists.as_slice() {
        // A list of another authority: a file without any is a mistake.
        [] => write(bench.path(), "lists.pem", pem(&[list().der(&bench.ca)]).as_bytes(), 0o644),
        lists => write(bench.path(), "lists.pem", pem(lists).as_bytes(), 0o644),
    };
    let clock = Clock::at(case.now);
    let mut accepted = Vec::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let versions = TlsVersions { minimum: version, maximum: version };
        let mut front = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
        (front.versions, front.peer_cert_mode) = (versions, PeerCertMode::Require);
        (front.ca_file, front.crl_file, front.crl_scope) = (Some(ca_file.clone()), Some(lists.clone()), case.scope);
        let live = bench.serve_at(&front, &clock);
        let config = bench.client().showing(&case.leaf).config();
        accepted.push(from_client(&live, &config, HOST).await.ours.is_ok());

        let mut back = bench.server_ssl();
        (back.versions, back.ca_file) = (versions, TrustAnchors::File(ca_file.clone()));
        (back.crl_file, back.crl_scope) = (Some(lists.clone()), case.scope);
        let tls = bench.toward_at(&back, &member("10.0.0.1", Some(HOST)), &clock);
        accepted.push(to_member(&tls, &member_server(&case.leaf, None)).await.ours.is_ok());
    }
    accepted.try_into().unwrap()
}

#[tokio::test]
async fn both_sides_decide_as_openssl_does_but_for_explained_differences() {
    let bench = Bench::new();
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let openssl = openssl_accepts(case, bench.path());
        if (openssl == case.accepted) == case.openssl_differs.is_some() {
            wrong.push(format!("{}: OpenSSL accepts: {openssl}", case.name));
        }
        let pronk = pronk_accepts(case, &bench).await;
        if pronk != [case.accepted; 4] {
            wrong.push(format!("{}: client, member (1.2), client, member (1.3): {pronk:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What differs is refused here, but for what the authority's own numbers settle.
    let laxer = cases.iter().filter(|case| case.openssl_differs.is_some() && case.accepted).map(|case| case.name);
    assert_eq!(laxer.collect::<Vec<_>>(), ["by number, whatever the date", "lists do not name their keys"]);
}

#[tokio::test]
async fn refusal_says_which_list_is_wanting() {
    for (case, words) in [
        (simple("", false, |leaf| vec![list().revoking(leaf)]), "that was revoked"),
        (
            simple("", false, |_| vec![expired(7)]),
            "the revocation list of CN=ca is past its date, 2025-12-31 00:00:00 UTC",
        ),
        (simple("", false, |_| vec![list().delta(7)]), "no complete revocation list of CN=ca"),
        (
            simple("", false, |_| vec![list().dated(NOW + 60, NOW + DAY)]),
            "of CN=ca is not valid before 2026-01-01 00:01:00 UTC",
        ),
        (odd_root("", false, |params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]), "CN=ca may not sign"),
        (
            odd_root("", false, |params| params.not_after = time(NOW - 1)),
            "CN=ca, which ca-file trusts, expired at 2025-12-31",
        ),
        (under("", false, |_| (vec![], vec![list()])), "no complete revocation list of CN=ca for it"),
    ] {
        let bench = Bench::new();
        let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
        profile.peer_cert_mode = PeerCertMode::Require;
        profile.ca_file = Some(case.roots[0].write(bench.path(), "roots.pem"));
        profile.crl_file = Some(write(bench.path(), "lists.pem", pem(&case.lists).as_bytes(), 0o644));
        let live = bench.serve_at(&profile, &Clock::at(NOW));
        let outcome = bench.client().showing(&case.leaf).connect(&live, HOST).await;
        let told = outcome.fault().describe();
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn list_that_cannot_be_used_is_refused_with_its_place_and_the_reason() {
    for (odd, words) in [
        (list().of_version_1(), "version 1"),
        (list().without_next_update(), "no next update"),
        (list().scope(&[0x84, 1, 0xff]), "indirect"),
        (list().scope(&[0x85, 1, 0xff]), "attribute"),
        (list().scope(&[0x81, 1, 1]), "not well-formed"),
        (list().extension(99, true, vec![5, 0]), "critical extension"),
    ] {
        let bench = Bench::new();
        let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
        (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));
        let lists = pem(&[list().der(&bench.ca), odd.der(&bench.ca)]);
        profile.crl_file = Some(write(bench.path(), "lists.pem", lists.as_bytes(), 0o644));
        let errors = LiveClientSsl::build(&profile, bench.path(), None).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        let told = errors[0].to_string();
        assert!(told.contains("crl-file: revocation list 2 (of CN=test ca) in ") && told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn tolerated_expiry_of_a_member_does_not_tolerate_its_revocation() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).until(NOW - 1).build();
    let mut profile = bench.server_ssl();
    profile.expire_cert_response = pronk::model::profile::CertResponse::Ignore;
    for (revoked, fault) in [(false, None), (true, Some(TlsFault::CertificateRevoked))] {
        let list = if revoked { list().revoking(&leaf) } else { list() };
        profile.crl_file = Some(write(bench.path(), "crl.pem", pem(&[list.der(&bench.ca)]).as_bytes(), 0o644));
        let tls = bench.toward_at(&profile, &member("10.0.0.1", Some(HOST)), &Clock::at(NOW));
        let outcome = to_member(&tls, &member_server(&leaf, None)).await;
        assert_eq!(outcome.ours.err(), fault);
    }
}
