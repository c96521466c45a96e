//! Chains.

use pronk::lint::{Finding, Linter, Severity, Trust, Use, gather};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls_pki_types::CertificateDer;

use crate::corpus::{Case, FRONT, NODE, extension, grave, lint, linter, one, role, subject, well_named};
use crate::support::ca::{Authority, LeafBuilder, pem_of};

pub static CASES: &[Case] = &[
    Case { check: "chain-out-of-order", fires: || arranged(&[1, 0, 2]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "chain-missing-intermediate", fires: || arranged(&[0]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "chain-root-included", fires: || arranged(&[0, 1, 2, 3]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "chain-unrelated", fires: || arranged(&[0, 1, 2, 4]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "chain-duplicate", fires: || arranged(&[0, 1, 2, 1]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "issuer-unknown", fires: || trusting(false, true), silent: || trusting(true, true) },
    Case { check: "name-constraints-violated", fires: || within("other.org"), silent: || within("example.com") },
    Case { check: "path-length-exceeded", fires: || path_length(0), silent: || path_length(1) },
    Case { check: "revoked", fires: || revoked(true), silent: || revoked(false) },
    Case { check: "crl-unusable", fires: || not_yet_valid(true), silent: || not_yet_valid(false) },
    Case { check: "crl-stale", fires: || stale(true), silent: || stale(false) },
    Case { check: "authority-key-differs", fires: || naming_key([1; 20]), silent: || arranged(&[0, 1, 2]) },
    Case { check: "issuer-name-form", fires: || issuer_as("printable"), silent: || issuer_as("utf8") },
    Case { check: "signature-invalid", fires: || damaged(true), silent: || damaged(false) },
    Case {
        check: "chain-invalid",
        fires: || intermediate_for(ExtendedKeyUsagePurpose::ClientAuth),
        silent: || intermediate_for(ExtendedKeyUsagePurpose::ServerAuth),
    },
];

/// A server, two intermediates, their root, and an authority that has nothing to do with them: in the order of the
/// file that is wanted.
fn arranged(order: &[usize]) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let policy = root.intermediate("policy ca");
    let issuing = policy.intermediate("issuing ca");
    let mut all = well_named(&issuing).build().chain;
    all.push(root.certificate().clone());
    all.push(Authority::new("old ca").certificate().clone());
    let chain: Vec<_> = order.iter().map(|index| all[*index].clone()).collect();
    lint(&root, &chain, role(Use::Passthrough))
}

/// A chain with its root, under anchors that have it or not.
fn trusting(known: bool, given: bool) -> Vec<Finding> {
    let (root, other) = (Authority::new("root ca"), Authority::new("other ca"));
    let issuing = root.intermediate("issuing ca");
    let mut chain = well_named(&issuing).build().chain;
    chain.push(root.certificate().clone());
    let mut linter = linter(&[if known { &root } else { &other }]);
    linter.trust.given = given;
    linter.lint(&[subject("node.pem", &chain, role(Use::Passthrough))]).findings
}

/// A server's certificate that names a key of its issuer.
fn naming_key(id: [u8; 20]) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let value = [&[0x30, 0x16, 0x80, 0x14][..], &id].concat();
    let leaf = well_named(&root).adjusted(|params| {
        params.use_authority_key_identifier_extension = false;
        params.custom_extensions.push(extension(&[2, 5, 29, 35], false, &value));
    });
    lint(&root, &leaf.build().chain, role(Use::Passthrough))
}

/// A server's certificate whose issuer's name is a string of this type, where the issuer's own is in UTF-8.
fn issuer_as(kind: &str) -> Vec<Finding> {
    let key = KeyPair::generate().unwrap();
    let named = |value: DnValue| {
        let mut params = Authority::new("root ca").issue("root ca").into_params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages.clear();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, value);
        params
    };
    let utf8 = named(DnValue::Utf8String("root ca".into()));
    let other = match kind {
        "printable" => named(DnValue::PrintableString("root ca".try_into().unwrap())),
        _ => utf8.clone(),
    };
    let root = utf8.self_signed(&key).unwrap().der().clone();
    let leaf = Authority::new("unused").issue(FRONT).dns(FRONT).dns(NODE).into_params();
    let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &Issuer::from_params(&other, &key)).unwrap();
    let trust = Trust { given: true, anchors: std::sync::Arc::from([root]) };
    let linter = Linter { trust, ..linter(&[]) };
    linter.lint(&[subject("node.pem", &[leaf.der().clone()], role(Use::Passthrough))]).findings
}

fn within(domain: &str) -> Vec<Finding> {
    let permitted_subtrees = vec![GeneralSubtree::DnsName(domain.into())];
    let constraints = NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() };
    let root = Authority::adjusted("root ca", |params| params.name_constraints = Some(constraints));
    lint(&root, &well_named(&root).build().chain, role(Use::Passthrough))
}

fn path_length(allowed: u8) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let constrain = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(allowed));
    };
    let issuing = root.intermediate_adjusted("policy ca", constrain).intermediate("issuing ca");
    lint(&root, &well_named(&issuing).build().chain, role(Use::Passthrough))
}

fn revoked(it_is: bool) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let (leaf, other) = (well_named(&root).build(), well_named(&root).build());
    let list = root.revocations_der(&[if it_is { &leaf } else { &other }]);
    let linter = Linter { revocation_lists: vec![list.into()], ..linter(&[&root]) };
    linter.lint(&[subject("node.pem", &leaf.chain, role(Use::Passthrough))]).findings
}

/// With a list that is due; beside the current one or by itself.
fn stale(alone: bool) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let mut lists = vec![root.stale_revocations_der().into()];
    if !alone {
        lists.push(root.revocations_der(&[]).into());
    }
    let linter = Linter { revocation_lists: lists, ..linter(&[&root]) };
    linter.lint(&[subject("node.pem", &well_named(&root).build().chain, role(Use::Passthrough))]).findings
}

/// A list whose date is to come, or has come.
fn not_yet_valid(it_is: bool) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let lists = vec![root.revocations_der(&[]).into()];
    let mut linter = Linter { revocation_lists: lists, ..linter(&[&root]) };
    if it_is {
        // Before the list, and before the certificates, which are judged apart from it.
        linter.now = 1_000_000_000;
    }
    linter.lint(&[subject("node.pem", &well_named(&root).build().chain, role(Use::Passthrough))]).findings
}

fn damaged(it_is: bool) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let mut chain = well_named(&root).build().chain;
    if it_is {
        chain[0] = with_wrong_signature(&chain[0]);
    }
    lint(&root, &chain, role(Use::Passthrough))
}

fn with_wrong_signature(certificate: &CertificateDer<'_>) -> CertificateDer<'static> {
    let mut der = certificate.to_vec();
    // The last byte is the end of the signature's second number.
    *der.last_mut().unwrap() ^= 1;
    der.into()
}

fn intermediate_for(purpose: ExtendedKeyUsagePurpose) -> Vec<Finding> {
    let root = Authority::new("root ca");
    let issuing = root.intermediate_adjusted("issuing ca", |params| params.extended_key_usages = vec![purpose]);
    lint(&root, &well_named(&issuing).build().chain, role(Use::Passthrough))
}

#[test]
fn a_chain_that_is_as_it_should_be_has_nothing_grave() {
    assert!(grave(&arranged(&[0, 1, 2])).is_empty());
    assert!(grave(&arranged(&[0, 1, 2, 3])).is_empty(), "the root is worth no more than a word");
}

#[test]
fn each_flaw_of_a_chain_is_one_finding() {
    assert_eq!(grave(&arranged(&[0])), ["chain-missing-intermediate"]);
    assert!(grave(&arranged(&[0, 2, 1])).is_empty());
    assert_eq!(grave(&arranged(&[1, 2, 0])), ["chain-out-of-order"]);
    assert!(grave(&arranged(&[0, 1, 2, 4])).is_empty());
    assert!(grave(&arranged(&[0, 1, 2, 1])).is_empty());
    assert_eq!(grave(&trusting(false, true)), ["issuer-unknown"]);
    assert_eq!(grave(&within("other.org")), ["name-constraints-violated"]);
    assert_eq!(grave(&path_length(0)), ["path-length-exceeded"]);
    assert_eq!(grave(&revoked(true)), ["revoked"]);
    assert_eq!(grave(&stale(true)), ["crl-stale"]);
    assert_eq!(grave(&damaged(true)), ["signature-invalid"]);
    assert_eq!(grave(&intermediate_for(ExtendedKeyUsagePurpose::ClientAuth)), ["chain-invalid"]);
}

#[test]
fn authorities_of_one_name_do_not_make_anybody_wait() {
    let (root, other) = (Authority::new("ca"), Authority::new("other ca"));
    let mut all: Vec<_> = (0..60).map(|_| root.intermediate("ca")).collect();
    let mut chain = well_named(&all.pop().unwrap()).build().chain;
    chain.extend(all.iter().map(|it| it.certificate().clone()));
    let started = std::time::Instant::now();
    assert!(grave(&lint(&other, &chain, role(Use::Passthrough))).contains(&"issuer-unknown"));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn another_certificate_in_front_of_the_servers_is_an_error() {
    let found = arranged(&[1, 0, 2]);
    let front = one(&found, "chain-out-of-order");
    assert_eq!(front.severity, Severity::Error);
    let message = "the first certificate is that of CN=issuing ca, and the server's own is certificate 2";
    assert_eq!(front.message, message);
    let found = arranged(&[0, 2, 1]);
    let behind = one(&found, "chain-out-of-order");
    assert_eq!(behind.severity, Severity::Info);
    assert_eq!(behind.message, "CN=policy ca stands before the certificate that it signed");
}

#[test]
fn a_missing_intermediate_is_named_with_the_place_to_fetch_it() {
    let root = Authority::new("corp root ca");
    let issuing = root.intermediate("issuing ca");
    let url = b"http://pki.example.com/issuing.crt";
    let length = u8::try_from(url.len()).unwrap();
    let ca_issuers = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let mut access = vec![0x30, length + 14, 0x30, length + 12];
    access.extend_from_slice(&ca_issuers);
    access.extend_from_slice(&[0x86, length]);
    access.extend_from_slice(url);
    let told = extension(&[1, 3, 6, 1, 5, 5, 7, 1, 1], false, &access);
    let leaf = well_named(&issuing).adjusted(|params| params.custom_extensions.push(told)).build();
    let found = lint(&root, &leaf.chain[..1], role(Use::Passthrough));
    let missing = one(&found, "chain-missing-intermediate");
    assert_eq!(missing.message, "the certificate of CN=issuing ca, which signed CN=lb.example.com, is missing");
    let note = "the certificate names a place to fetch it from: http://pki.example.com/issuing.crt";
    assert!(missing.notes.iter().any(|it| it == note), "{:?}", missing.notes);
}

#[test]
fn an_issuer_among_the_other_files_tells_what_is_missing() {
    let root = Authority::new("corp authority");
    let issuing = root.intermediate("corp issuing");
    let whole = well_named(&issuing).build();
    let bare = well_named(&issuing).build();
    let files = [
        subject("one.pem", &whole.chain, role(Use::Passthrough)),
        subject("two.pem", &bare.chain[..1], role(Use::Passthrough)),
    ];
    // Nothing is trusted, and still it is certain.
    let found = linter(&[]).lint(&files).findings;
    assert_eq!(grave(&found), ["chain-missing-intermediate"]);
    assert_eq!(one(&found, "chain-missing-intermediate").origin.source(), "two.pem");

    let below_root = well_named(&root).build();
    let files = [
        subject("ca.pem", &[root.certificate().clone()], role(Use::Authority)),
        subject("node.pem", &below_root.chain, role(Use::Passthrough)),
    ];
    let found = linter(&[&Authority::new("other")]).lint(&files).findings;
    assert_eq!(grave(&found), ["issuer-unknown"]);
}

#[test]
fn publicly_issued_certificates_never_come_from_a_root() {
    let issuing = Authority::new("public root").intermediate("public issuing");
    let logged = extension(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], false, &[0x04, 0x02, 0x00, 0x00]);
    let leaf = well_named(&issuing).adjusted(|params| params.custom_extensions.push(logged)).build();
    let mut linter = linter(&[&Authority::new("another public root")]);
    linter.trust.given = false;
    let found = linter.lint(&[subject("lb.pem", &leaf.chain[..1], role(Use::FrontEnd))]).findings;
    assert_eq!(grave(&found), ["chain-missing-intermediate"]);
}

#[test]
fn an_unknown_issuer_is_an_error_only_where_the_user_named_the_authorities() {
    assert_eq!(one(&trusting(false, true), "issuer-unknown").severity, Severity::Error);
    let found = trusting(false, false);
    let finding = one(&found, "issuer-unknown");
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.message, "the chain leads to the root CN=root ca, which is not trusted");
    assert!(finding.check.remedy.contains("--ca-file"));
}

#[test]
fn without_anything_to_trust_no_issuer_is_unknown() {
    let root = Authority::new("root ca");
    let chain = well_named(&root).build().chain;
    assert!(grave(&linter(&[]).lint(&[subject("node.pem", &chain, role(Use::Passthrough))]).findings).is_empty());
}

#[test]
fn a_subjects_own_trust_counts() {
    let (own, general) = (Authority::new("members root"), Authority::new("general root"));
    let leaf = well_named(&own).build();
    let mut member = subject("node.pem", &leaf.chain, role(Use::ReEncrypt));
    assert_eq!(grave(&linter(&[&general]).lint(std::slice::from_ref(&member)).findings), ["issuer-unknown"]);
    member.trust = Some(Trust { anchors: vec![own.certificate().clone()].into(), given: true });
    assert!(grave(&linter(&[&general]).lint(&[member]).findings).is_empty());
}

#[test]
fn an_authority_that_was_made_anew_under_its_name_is_noted() {
    let (before, now) = (Authority::new("cluster ca"), Authority::new("cluster ca"));
    let found = lint(&now, &well_named(&before).build().chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["issuer-unknown"]);
    let notes = &one(&found, "issuer-unknown").notes;
    assert!(notes.iter().any(|it| it.contains("CN=cluster ca is trusted, but with another key")), "{notes:?}");
}

#[test]
fn a_damaged_certificate_below_an_unknown_root_is_found() {
    let (root, other) = (Authority::new("root ca"), Authority::new("other ca"));
    let issuing = root.intermediate("issuing ca");
    let mut chain = well_named(&issuing).build().chain;
    chain[0] = with_wrong_signature(&chain[0]);
    let found = lint(&other, &chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["issuer-unknown", "signature-invalid"]);
    let message = "CN=lb.example.com is not signed with the key of CN=issuing ca, which it names as its issuer";
    assert_eq!(one(&found, "signature-invalid").message, message);
}

#[test]
fn a_damaged_intermediate_is_blamed_itself() {
    let root = Authority::new("root ca");
    let mut chain = well_named(&root.intermediate("issuing ca")).build().chain;
    chain[1] = with_wrong_signature(&chain[1]);
    let found = lint(&root, &chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["signature-invalid"]);
    assert_eq!(one(&found, "signature-invalid").origin.position(), (2, 2));
}

#[test]
fn a_server_that_signs_others_is_no_authority() {
    let root = Authority::new("root ca");
    let server = root.intermediate_adjusted("not an authority", |params| {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let found = lint(&root, &well_named(&server).build().chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["chain-invalid"]);
    let message = "CN=not an authority signed a certificate and is not an authority";
    assert_eq!(one(&found, "chain-invalid").message, message);
}

#[test]
fn a_self_signed_certificate_that_nobody_trusts_is_an_unknown_issuer() {
    let leaf = LeafBuilder::self_signed(FRONT).dns(FRONT).dns(NODE).build();
    let found = lint(&Authority::new("other ca"), &leaf.chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["issuer-unknown"]);
    let message = "CN=lb.example.com is self-signed and not among the trusted authorities itself";
    assert_eq!(one(&found, "issuer-unknown").message, message);
}

#[test]
fn the_path_length_of_a_trusted_root_counts_too() {
    let constrain = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = Authority::adjusted("root ca", constrain);
    let found = lint(&root, &well_named(&root.intermediate("issuing ca")).build().chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["path-length-exceeded"]);
    let finding = one(&found, "path-length-exceeded");
    assert_eq!(finding.message, "CN=root ca allows 0 authorities below it, and has 1");
    assert!(grave(&lint(&root, &well_named(&root).build().chain, role(Use::Passthrough))).is_empty());
}

#[test]
fn a_critical_extension_that_only_rustls_does_not_know_is_told() {
    let policies = extension(&[2, 5, 29, 32], true, &[0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03]);
    let root = Authority::new("root ca");
    let leaf = well_named(&root).adjusted(|params| params.custom_extensions.push(policies)).build();
    let found = lint(&root, &leaf.chain, role(Use::Passthrough));
    assert_eq!(grave(&found), ["unknown-critical-extension"]);
    assert_eq!(one(&found, "unknown-critical-extension").clients, "refused by rustls; the others take it");
}

#[test]
fn violated_constraints_name_the_authority_and_what_it_permits() {
    let found = within("other.org");
    let finding = one(&found, "name-constraints-violated");
    assert_eq!(finding.message, "CN=root ca may not sign for all names of the certificate");
    assert_eq!(finding.expected, "permitted DNS:other.org");
}

#[test]
fn a_revoked_intermediate_is_blamed_itself() {
    let root = Authority::new("root ca");
    let chain = well_named(&root.intermediate_adjusted("issuing ca", |params| {
        params.serial_number = Some(4711_u64.into());
    }))
    .build()
    .chain;
    let double = root.issue("double").with_serial(4711).build();
    let list = root.revocations_der(&[&double]);
    let linter = Linter { revocation_lists: vec![list.into()], ..linter(&[&root]) };
    let found = linter.lint(&[subject("node.pem", &chain, role(Use::Passthrough))]).findings;
    assert_eq!(grave(&found), ["revoked"]);
    assert_eq!(one(&found, "revoked").message, "CN=root ca has revoked the certificate of CN=issuing ca");
}

#[test]
fn a_long_revocation_list_is_read_like_a_short_one() {
    let root = Authority::new("root ca");
    let (bad, good) = (well_named(&root).build(), well_named(&root).build());
    let strangers: Vec<_> = (0..3).map(|_| well_named(&root).build()).collect();
    let mut revoked: Vec<_> = strangers.iter().cycle().take(4000).collect();
    revoked.push(&bad);
    let list = root.revocations_der(&revoked);
    assert!(list.len() > 0xffff, "{}", list.len());
    let linter = Linter { revocation_lists: vec![list.into()], ..linter(&[&root]) };
    let files = [
        subject("good.pem", &good.chain, role(Use::Passthrough)),
        subject("bad.pem", &bad.chain, role(Use::Passthrough)),
    ];
    let found = linter.lint(&files).findings;
    assert_eq!(grave(&found), ["revoked"]);
    assert_eq!(one(&found, "revoked").origin.source(), "bad.pem");
}

#[test]
fn servers_of_one_file_share_its_authorities_and_their_flaws() {
    let root = Authority::new("root ca");
    let issuing = root.intermediate_adjusted("issuing ca", |params| params.key_usages.clear());
    let other = root.intermediate("other issuing ca");
    let folder = tempfile::tempdir().unwrap();
    let mut all: Vec<_> = (0..2).map(|_| well_named(&issuing).build().chain.remove(0)).collect();
    all.extend([issuing.certificate().clone(), other.certificate().clone()]);
    std::fs::write(folder.path().join("all.pem"), pem_of(&all)).unwrap();
    let gathered = gather(&[folder.path().to_owned()], &role(Use::Passthrough), None);
    assert_eq!(gathered.subjects.len(), 2);
    let found = linter(&[&root]).lint(&gathered.subjects).findings;
    assert_eq!(grave(&found), ["ca-key-usage-missing"]);
}

#[test]
fn a_cross_signed_authority_is_no_stranger_in_the_chain() {
    let (old, new) = (Authority::new("old root"), Authority::new("new root"));
    let cross = new.cross_signed_by(&old);
    let mut chain = well_named(&new).build().chain;
    chain.push(cross);
    for trusted in [&old, &new] {
        assert!(grave(&lint(trusted, &chain, role(Use::Passthrough))).is_empty());
    }
}

#[test]
fn an_authoritys_next_key_that_its_last_one_signed_is_no_root() {
    let (last, next) = (Authority::new("cluster ca"), Authority::new("cluster ca"));
    let mut chain = well_named(&next).build().chain;
    chain.push(next.cross_signed_by(&last));
    let found = lint(&last, &chain, role(Use::Passthrough));
    assert!(grave(&found).is_empty(), "{found:?}");
    assert!(!found.iter().any(|it| it.check.id == "chain-root-included"));
}

#[test]
fn a_changed_certificate_is_found_beside_the_true_one() {
    let root = Authority::new("root ca");
    let honest = well_named(&root).build().chain;
    let mut der = honest[0].to_vec();
    let at = der.windows(FRONT.len()).position(|window| window == FRONT.as_bytes()).unwrap();
    der[at..at + FRONT.len()].copy_from_slice(b"xx.example.com");
    let files = [
        subject("honest.pem", &honest, role(Use::Passthrough)),
        subject("changed.pem", &[der.into()], role(Use::Passthrough)),
    ];
    let found = linter(&[&root]).lint(&files).findings;
    assert_eq!(one(&found, "signature-invalid").origin.source(), "changed.pem");
}

#[test]
fn dates_and_purposes_do_not_hide_what_is_wrong_with_the_chain() {
    let root = Authority::new("root ca");
    for (leaf, told) in [
        (well_named(&root).expired(), "expired"),
        (well_named(&root).not_yet_valid(), "not-yet-valid"),
        (well_named(&root).client(), "eku-no-server-auth"),
    ] {
        let mut chain = leaf.build().chain;
        chain[0] = with_wrong_signature(&chain[0]);
        assert_eq!(grave(&lint(&root, &chain, role(Use::Passthrough))), [told, "signature-invalid"]);
    }
}

#[test]
fn names_of_authorities_do_not_act_on_the_terminal() {
    let root = Authority::new("root\x1b[2J ca");
    let issuing = root.intermediate_adjusted("issuing\r\nca", |params| params.key_usages.clear());
    let mut chain = well_named(&issuing).build().chain;
    chain.push(root.certificate().clone());
    let trusted = Authority::new("other ca");
    for chain in [&chain[..], &chain[..1], &chain[..2], &[chain[0].clone(), chain[2].clone(), chain[1].clone()]] {
        for finding in lint(&trusted, chain, role(Use::Passthrough)) {
            let texts = [&finding.message, &finding.observed, &finding.expected].into_iter().chain(&finding.notes);
            for text in texts {
                assert!(!text.contains(char::is_control), "{}: {text:?}", finding.check.id);
            }
        }
    }
}
