//! Which clients accept which certificate: pronk's rules beside rustls-webpki's own, on certificates made here.

mod documentation;
#[path = "../support/mod.rs"]
mod support;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use pronk::cert::{Certificate, CertificateNames};
use pronk::lint::clients::{Client, Matrix, Verdict, Why, names};
use pronk::lint::{Linter, Located, Origin, Role, Subject, Trust, Use, WeakKeys};
use pronk::model::Host;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use support::ca::Authority;

const LB: &str = "lb.example.com";
/// In the time of all certificates here.
const NOW: i64 = 1_767_225_600;

/// What rustls-webpki itself says of a certificate and a host as a user types it.
fn webpki_accepts(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let end_entity = EndEntityCert::try_from(certificate).unwrap();
    ServerName::try_from(host).is_ok_and(|name| end_entity.verify_is_valid_for_subject_name(&name).is_ok())
}

fn presented(certificate: &CertificateDer<'static>) -> CertificateNames {
    Certificate::decode(certificate.clone()).unwrap().names
}

/// A host as rustls reads it, also one that pronk's configuration refuses.
fn as_host(text: &str) -> Host {
    text.parse().map_or_else(|_| Host::Name(text.into()), Host::Ip)
}

/// Names with a few letters, so that some are alike; wildcards, dots and oddities anywhere.
fn dns_name() -> impl Strategy<Value = String> {
    let label = "[abA*]{1,2}|xn--a|a_b|a-b|-a|a-|1|[a-c*]\\*|";
    prop_oneof![
        8 => prop::collection::vec(label, 1..5).prop_map(|labels| labels.join(".")),
        1 => Just("*.b.a".to_owned()),
        1 => "[ -~\0]{0,8}",
        1 => (62..66_usize).prop_map(|length| format!("{}.b.a", "a".repeat(length))),
        1 => (245..256_usize).prop_map(|length| "a.".repeat(length / 2) + "a"),
        1 => any::<IpAddr>().prop_map(|address| address.to_string()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn rustls_rule_is_what_webpki_says(
        common in "[a-b]\\.[a-b]",
        dns in prop::collection::vec(dns_name(), 0..4),
        ip in prop::collection::vec(any::<IpAddr>(), 0..3),
        other in dns_name(),
        asked in 0..9_usize,
    ) {
        static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("ca"));
        let mut leaf = AUTHORITY.issue(&common);
        for name in &dns {
            leaf = leaf.dns(name);
        }
        for address in &ip {
            leaf = leaf.ip(&address.to_string());
        }
        let leaf = leaf.build();
        // Hosts that have to do with the certificate, and some that have not.
        let one_below = |name: &String| name.replacen('*', "x", 1);
        let host = match asked {
            0..3 => dns.get(asked).map(one_below),
            3 => dns.first().map(|name| format!("{name}.")),
            4 => dns.first().map(|name| format!("x.{}", one_below(name))),
            5 => ip.first().map(IpAddr::to_string),
            6 => Some(common),
            7 => dns.first().map(|name| name.to_ascii_uppercase()),
            _ => None,
        };
        let host = host.unwrap_or(other);
        let names_of = presented(leaf.certificate());
        let verdict = names(Client::Rustls, &names_of, &as_host(&host));
        prop_assert_eq!(verdict.accepts, webpki_accepts(leaf.certificate(), &host), "{:?} for {:?}", names_of, host);
        // Only as lenient, for every name that a configuration may have.
        if let Ok(host) = Host::parse(&host) {
            prop_assert_eq!(names_of.cover(&host), verdict.accepts, "{:?} for {}", names_of, host);
        }
    }
}

/// A root and a certificate of it for [`LB`], both as the closures want them.
fn chain(
    authority: impl FnOnce(&mut CertificateParams),
    leaf: impl FnOnce(&mut CertificateParams),
) -> [CertificateDer<'static>; 2] {
    let params = |name: &str| {
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1));
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params
    };
    let mut root = params("root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority(&mut root);
    let issuer = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let mut server = params(LB);
    server.subject_alt_names = CertificateParams::new([LB.to_owned()]).unwrap().subject_alt_names;
    server.is_ca = IsCa::ExplicitNoCa;
    leaf(&mut server);
    let server = server.signed_by(&KeyPair::generate().unwrap(), &*issuer).unwrap();
    [server.der().clone(), issuer.der().clone()]
}

/// Returns what a client says of a server's certificate below a trusted root.
fn verdict(client: Client, [leaf, root]: &[CertificateDer<'static>; 2]) -> Verdict {
    let subject = subject("lb.pem", leaf, Use::Server);
    let trust = Trust { given: true, anchors: Arc::from([root.clone()]) };
    let matrix = Matrix::of(&Linter::new(NOW, trust, WeakKeys::default()), &[subject]);
    matrix.rows[0].verdicts.iter().find(|(column, _)| *column == client).unwrap().1
}

fn subject(file: &str, der: &CertificateDer<'static>, usage: Use) -> Subject {
    let certificate = Arc::new(Certificate::decode(der.clone()).unwrap());
    let origin = Origin::File { path: PathBuf::from(file), position: 1, of: 1 };
    let front_ends = vec![Host::parse(LB).unwrap(), Host::parse("other.example.com").unwrap()];
    Subject::new(vec![Located { certificate, origin }], None, Role { usage, front_ends, node: None }).unwrap()
}

fn webpki_trusts([leaf, root]: &[CertificateDer<'static>; 2]) -> bool {
    let anchors = [anchor_from_trusted_cert(root).unwrap()];
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    let end_entity = EndEntityCert::try_from(leaf).unwrap();
    let verified = end_entity.verify_for_usage(
        pronk::cert::signature_algorithms(),
        &anchors,
        &[],
        time,
        KeyUsage::server_auth(),
        None,
        None,
    );
    verified.is_ok() && webpki_accepts(leaf, LB)
}

#[test]
fn refusals_for_other_reasons_than_names_are_known() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    let (plain, same) = (|_: &mut CertificateParams| (), Client::ALL);
    let cases = [
        ("nothing amiss", chain(plain, plain), &[][..], None),
        (
            "server's and client's purposes",
            chain(plain, |leaf| leaf.extended_key_usages = vec![ClientAuth, ServerAuth]),
            &[],
            None,
        ),
        (
            "a client's purpose",
            chain(plain, |leaf| leaf.extended_key_usages = vec![ClientAuth]),
            same,
            Some(Why::ForeignPurpose),
        ),
        (
            "CA:TRUE",
            chain(plain, |leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            &[Client::Rustls, Client::Python313],
            None,
        ),
        (
            "keyCertSign",
            chain(plain, |leaf| {
                leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
            }),
            &[Client::Python313],
            Some(Why::StrictServerSigns),
        ),
        (
            "keyEncipherment alone",
            chain(plain, |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
            &[Client::Java, Client::Java25],
            Some(Why::NoDigitalSignature),
        ),
        (
            "no authority key identifier",
            chain(plain, |leaf| leaf.use_authority_key_identifier_extension = false),
            &[Client::Python313],
            Some(Why::StrictNoAuthorityKey),
        ),
        (
            "an authority without key usage",
            chain(|root| root.key_usages = Vec::new(), plain),
            &[Client::Python313],
            Some(Why::StrictNoKeyUsage),
        ),
        (
            "an authority without basicConstraints",
            chain(|root| root.is_ca = IsCa::NoCa, plain),
            &[Client::Python313, Client::Java, Client::Java25],
            Some(Why::AnchorIsNoAuthority),
        ),
    ];
    for (case, chain, refusing, why) in &cases {
        for client in Client::ALL {
            let verdict = verdict(*client, chain);
            assert_eq!(!verdict.accepts, refusing.contains(client), "{case}: {client:?} says: {}", verdict.why);
            if let Some(why) = why.filter(|_| !verdict.accepts) {
                assert_eq!(verdict.why, why, "{case}: {client:?}");
            }
        }
        assert_eq!(verdict(Client::Rustls, chain).accepts, webpki_trusts(chain), "{case}: webpki itself");
    }
    let any = chain(plain, |leaf| leaf.extended_key_usages = vec![Any]);
    assert_eq!(verdict(Client::Rustls, &any).why, Why::AnyPurposeOnly);
    assert_eq!(verdict(Client::Shell46, &any).why, Why::AnyPurposeOnly);
    assert!(verdict(Client::Java, &any).accepts && !webpki_trusts(&any));
}

#[test]
fn matrix_has_a_row_a_certificate_and_name_and_knows_authorities_from_other_files() {
    let [leaf, root] = chain(|root| root.key_usages = Vec::new(), |_| ());
    let python313 = |subjects: &[Subject]| {
        let nobody = Trust { given: false, anchors: Arc::from([]) };
        let matrix = Matrix::of(&Linter::new(NOW, nobody, WeakKeys::default()), subjects);
        let verdict = |host: &str| {
            let row = matrix.rows.iter().find(|row| row.host.to_string() == host).unwrap();
            assert_eq!((row.source.as_str(), row.subject.as_str()), ("lb.pem", "CN=lb.example.com"));
            row.verdicts.iter().find(|(client, _)| *client == Client::Python313).unwrap().1
        };
        (matrix.rows.len(), verdict(LB), verdict("other.example.com"))
    };
    let alone = [subject("lb.pem", &leaf, Use::Server), subject("node.pem", &leaf, Use::ReEncrypt)];
    let (rows, ours, others) = python313(&alone);
    assert_eq!((rows, ours.accepts, others.why), (2, true, Why::NoNameMatches));

    let [server, member] = alone;
    let (rows, ours, _) = python313(&[subject("ca.pem", &root, Use::Authority), server, member]);
    assert_eq!((rows, ours.accepts, ours.why), (2, false, Why::StrictNoKeyUsage));
}
