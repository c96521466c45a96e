//! client-ssl: what clients are served.

use pronk::model::profile::{CipherGroup, PeerCertMode};
use pronk::tls::{LiveClientSsl, TlsFault, sha256_in_hardware};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::cipher_suite as suite;
use tokio::io::AsyncWriteExt;

use crate::handshake::{Bench, Client, ONLY_12, ONLY_13};
use crate::support::ca::{Authority, write};

const HOST: &str = "lb.example.com";

fn is_ecdsa(scheme: SignatureScheme) -> bool {
    use SignatureScheme as S;
    matches!(scheme, S::ECDSA_NISTP256_SHA256 | S::ECDSA_NISTP384_SHA384)
}

#[tokio::test]
async fn clients_signature_schemes_choose_between_rsa_and_ecdsa() {
    let bench = Bench::new();
    let ecdsa = bench.ca.issue(HOST).dns(HOST).build();
    let rsa = bench.ca.issue(HOST).dns(HOST).rsa().build();
    for leaves in [[&ecdsa, &rsa], [&rsa, &ecdsa]] {
        let live = bench.serve(&bench.client_ssl(&leaves));
        let only_ecdsa = bench.client().schemes(is_ecdsa).connect(&live, HOST).await;
        assert_eq!(only_ecdsa.shown(), ecdsa.certificate());
        let only_rsa = bench.client().schemes(|scheme| !is_ecdsa(scheme)).connect(&live, HOST).await;
        assert_eq!(only_rsa.shown(), rsa.certificate());
        let either = bench.client().connect(&live, HOST).await;
        assert_eq!(either.shown(), leaves[0].certificate(), "the profile's order decides");
        let tls12 = bench.client().version(&rustls::version::TLS12).schemes(|scheme| !is_ecdsa(scheme));
        assert_eq!(tls12.connect(&live, HOST).await.shown(), rsa.certificate());
    }
}

#[tokio::test]
async fn sni_chooses_the_certificate() {
    let bench = Bench::new();
    let one = bench.ca.issue("one").dns("one.example.com").build();
    let wild = bench.ca.issue("wild").dns("*.wild.example.com").build();
    let live = bench.serve(&bench.client_ssl(&[&one, &wild]));

    assert_eq!(bench.client().connect(&live, "ONE.example.com").await.shown(), one.certificate());
    let outcome = bench.client().connect(&live, "b.wild.example.com").await;
    assert_eq!(outcome.shown(), wild.certificate());
    assert_eq!(outcome.facts().sni.as_deref(), Some("b.wild.example.com"));
    // Two labels deep is not covered, so the default is served, which the client refuses.
    assert!(
        bench.client().connect(&live, "a.b.wild.example.com").await.theirs.unwrap_err().contains("not valid for name")
    );
}

#[tokio::test]
async fn sni_default_is_served_when_no_name_matches() {
    let bench = Bench::new();
    let one = bench.ca.issue("one").dns("one.example.com").ip("127.0.0.1").build();
    let two = bench.ca.issue("two").dns("two.example.com").ip("127.0.0.1").build();
    let mut profile = bench.client_ssl(&[&one, &two]);
    let live = bench.serve(&profile);
    assert_eq!(bench.client().connect(&live, "127.0.0.1").await.shown(), one.certificate(), "the first by default");

    profile.cert_key_chain[1].sni_default = true;
    let live = bench.serve(&profile);
    assert_eq!(bench.client().connect(&live, "127.0.0.1").await.shown(), two.certificate());
}

#[tokio::test]
async fn default_yields_to_another_with_its_names_when_its_key_does_not_suit() {
    let bench = Bench::new();
    let other = bench.ca.issue("other").dns("other.example.com").build();
    let rsa = bench.ca.issue("rsa").dns(HOST).ip("127.0.0.1").rsa().build();
    let ecdsa = bench.ca.issue("ecdsa").dns(HOST).ip("127.0.0.1").build();
    let mut profile = bench.client_ssl(&[&other, &rsa, &ecdsa]);
    profile.cert_key_chain[1].sni_default = true;
    let live = bench.serve(&profile);
    assert_eq!(bench.client().connect(&live, "127.0.0.1").await.shown(), rsa.certificate());
    assert_eq!(bench.client().schemes(is_ecdsa).connect(&live, "127.0.0.1").await.shown(), ecdsa.certificate());
}

#[tokio::test]
async fn sni_require_refuses_an_absent_or_unknown_name() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.sni_require = true;
    let live = bench.serve(&profile);

    assert!(bench.client().connect(&live, HOST).await.ours.is_ok());
    let absent = bench.client().without_sni().connect(&live, HOST).await;
    assert_eq!(*absent.fault(), TlsFault::ServerNameUnknown(None));
    assert!(absent.theirs.unwrap_err().contains("AccessDenied"));
    let unknown = bench.client().connect(&live, "x.example.com").await;
    assert_eq!(*unknown.fault(), TlsFault::ServerNameUnknown(Some("x.example.com".to_owned())));
}

#[tokio::test]
async fn versions_outside_the_range_are_refused() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    let old = bench.client().version(&rustls::version::TLS12);
    let new = bench.client().version(&rustls::version::TLS13);

    let live = bench.serve(&profile);
    assert_eq!(old.connect(&live, HOST).await.facts().version, "TLS 1.2");
    assert_eq!(new.connect(&live, HOST).await.facts().version, "TLS 1.3");

    profile.versions = ONLY_13;
    let live = bench.serve(&profile);
    assert!(matches!(old.connect(&live, HOST).await.fault(), TlsFault::ProtocolMismatch(_)));
    assert!(new.connect(&live, HOST).await.ours.is_ok());

    profile.versions = ONLY_12;
    let live = bench.serve(&profile);
    assert!(matches!(new.connect(&live, HOST).await.fault(), TlsFault::ProtocolMismatch(_)));
    assert_eq!(bench.client().connect(&live, HOST).await.facts().version, "TLS 1.2");
}

#[tokio::test]
async fn our_order_of_suites_wins_and_the_hybrid_group_is_agreed_on() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let live = bench.serve(&bench.client_ssl(&[&leaf]));
    let client = bench.client().suites(&[
        suite::TLS13_CHACHA20_POLY1305_SHA256,
        suite::TLS13_AES_256_GCM_SHA384,
        suite::TLS13_AES_128_GCM_SHA256,
    ]);
    let outcome = client.connect(&live, HOST).await;
    let first = if sha256_in_hardware() { "TLS_AES_128_GCM_SHA256" } else { "TLS_AES_256_GCM_SHA384" };
    assert_eq!(outcome.facts().cipher, first);
    assert_eq!(outcome.facts().group, Some("X25519MLKEM768"));
    assert!(!outcome.facts().resumed);
}

#[tokio::test]
async fn cipher_group_limits_what_is_agreed_on() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.cipher_group = CipherGroup::Secure;
    let live = bench.serve(&profile);
    assert_eq!(bench.client().connect(&live, HOST).await.facts().cipher, "TLS_AES_256_GCM_SHA384");
    let only_128 = bench.client().suites(&[suite::TLS13_AES_128_GCM_SHA256]);
    assert!(matches!(only_128.connect(&live, HOST).await.fault(), TlsFault::ProtocolMismatch(_)));
}

#[tokio::test]
async fn client_with_no_scheme_of_ours_is_told_apart_from_a_wrong_name() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    for sni_require in [false, true] {
        profile.sni_require = sni_require;
        let live = bench.serve(&profile);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let client = bench.client().version(version).schemes(|scheme| scheme == SignatureScheme::ED25519);
            let outcome = client.connect(&live, HOST).await;
            assert!(matches!(outcome.fault(), TlsFault::ProtocolMismatch(_)), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn every_group_builds_with_every_range_of_versions() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    let mut backend = bench.server_ssl();
    for group in CipherGroup::ALL {
        for versions in [ONLY_12, ONLY_13, crate::handshake::BOTH] {
            (profile.cipher_group, profile.versions) = (group, versions);
            assert!(bench.client().connect(&bench.serve(&profile), HOST).await.ours.is_ok());
            (backend.cipher_group, backend.versions) = (group, versions);
            bench.toward(&backend, &crate::handshake::member("10.0.0.1", None));
        }
    }
}

#[test]
fn group_that_no_client_could_use_is_refused() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).rsa().build();
    let mut profile = bench.client_ssl(&[&leaf]);
    (profile.cipher_group, profile.versions) = (CipherGroup::Ecc, ONLY_12);
    let errors = LiveClientSsl::build(&profile, bench.path(), None).unwrap_err();
    assert_eq!(errors[0].key, "cipher-group");
}

#[tokio::test]
async fn alpn_is_agreed_on_and_a_stranger_refused() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.alpn = vec!["http/1.1".to_owned()];
    let live = bench.serve(&profile);
    let agreed = bench.client().alpn("h2").alpn("http/1.1").connect(&live, HOST).await;
    assert_eq!(agreed.facts().alpn.as_deref(), Some("http/1.1"));
    assert!(matches!(bench.client().alpn("h2").connect(&live, HOST).await.fault(), TlsFault::ProtocolMismatch(_)));
    assert_eq!(bench.client().connect(&live, HOST).await.facts().alpn, None);
}

#[tokio::test]
async fn client_certificates_are_ignored_requested_or_required() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let alice = bench.ca.issue("alice").client().build();
    let stranger = Authority::new("another ca").issue("mallory").client().build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.ca_file = Some(bench.ca_file());
    let client = bench.client();

    let live = bench.serve(&profile);
    assert_eq!(client.clone().showing(&alice).connect(&live, HOST).await.facts().peer_subject, None);

    profile.peer_cert_mode = PeerCertMode::Request;
    let live = bench.serve(&profile);
    assert_eq!(client.connect(&live, HOST).await.facts().peer_subject, None);
    let shown = client.clone().showing(&alice).connect(&live, HOST).await;
    assert_eq!(shown.facts().peer_subject.as_deref(), Some("CN=alice"));
    let untrusted = client.clone().showing(&stranger).connect(&live, HOST).await;
    assert_eq!(*untrusted.fault(), TlsFault::CertificateUntrusted);

    profile.peer_cert_mode = PeerCertMode::Require;
    let live = bench.serve(&profile);
    let none = client.connect(&live, HOST).await;
    assert_eq!(*none.fault(), TlsFault::NoCertificateGiven);
    assert!(none.theirs.unwrap_err().contains("CertificateRequired"));
    assert!(client.clone().showing(&alice).connect(&live, HOST).await.ours.is_ok());
}

#[tokio::test]
async fn bad_client_certificates_are_told_apart() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));
    let live = bench.serve(&profile);

    let namesake = Authority::new("test ca").issue("mallory").client().build();
    for (leaf, fault) in [
        (bench.ca.issue("late").client().expired().build(), TlsFault::CertificateExpired),
        (bench.ca.issue("early").client().not_yet_valid().build(), TlsFault::CertificateNotYetValid),
        (namesake, TlsFault::CertificateUntrusted),
    ] {
        assert_eq!(*bench.client().showing(&leaf).connect(&live, HOST).await.fault(), fault);
    }
    let for_servers = bench.ca.issue("server").build();
    let outcome = bench.client().showing(&for_servers).connect(&live, HOST).await;
    assert!(outcome.fault().describe().contains("extended key usage"), "{outcome:?}");
}

#[tokio::test]
async fn revoked_client_certificates_are_refused() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let (good, bad) = (bench.ca.issue("good").client().build(), bench.ca.issue("bad").client().build());
    let mut profile = bench.client_ssl(&[&leaf]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));

    let pem = bench.ca.write_revocations(bench.path(), "revoked.pem", &[&bad]);
    let der = write(bench.path(), "revoked.crl", &bench.ca.revocations_der(&[&bad]), 0o644);
    for list in [pem, der] {
        profile.crl_file = Some(list);
        let live = bench.serve(&profile);
        assert!(bench.client().showing(&good).connect(&live, HOST).await.ours.is_ok());
        let refused = bench.client().showing(&bad).connect(&live, HOST).await;
        assert_eq!(*refused.fault(), TlsFault::CertificateRevoked);
    }

    profile.crl_file = Some(bench.ca.write_stale_revocations(bench.path(), "stale.pem"));
    let outcome = bench.client().showing(&good).connect(&bench.serve(&profile), HOST).await;
    assert!(outcome.fault().describe().contains("past its date"), "{outcome:?}");
}

#[tokio::test]
async fn chains_longer_than_the_depth_are_refused() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let under = bench.ca.intermediate("under").intermediate("further under");
    let mut alice = under.issue("alice").client().build();
    // The root may come along without counting.
    alice.chain.push(bench.ca.certificate().clone());
    let mut profile = bench.client_ssl(&[&leaf]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));

    profile.authenticate_depth = 3;
    assert!(bench.client().showing(&alice).connect(&bench.serve(&profile), HOST).await.ours.is_ok());
    profile.authenticate_depth = 2;
    let outcome = bench.client().showing(&alice).connect(&bench.serve(&profile), HOST).await;
    let too_long = TlsFault::CertificateInvalid("its chain has more than 2 certificates".to_owned());
    assert_eq!(*outcome.fault(), too_long);
}

#[test]
fn asking_for_certificates_needs_an_authority() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.peer_cert_mode = PeerCertMode::Request;
    profile.authenticate_depth = 0;
    profile.crl_file = Some(bench.path().join("absent.crl"));
    let errors = LiveClientSsl::build(&profile, bench.path(), None).unwrap_err();
    let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["ca-file", "crl-file", "authenticate-depth"]);

    profile = bench.client_ssl(&[&leaf]);
    profile.peer_cert_mode = PeerCertMode::Require;
    let garbage = write(bench.path(), "garbage.crl", &[0x30, 0x03, 1, 2, 3], 0o644);
    (profile.ca_file, profile.crl_file) = (Some(bench.ca_file()), Some(garbage));
    let errors = LiveClientSsl::build(&profile, bench.path(), None).unwrap_err();
    assert_eq!(errors[0].key, "crl-file");
}

#[tokio::test]
async fn client_that_speaks_no_tls_or_leaves_is_named() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let live = bench.serve(&bench.client_ssl(&[&leaf]));
    let thrift = b"\x80\x01\x00\x01\x00\x00\x00\x0bOpenSession";
    let sasl = b"\x01\x00\x00\x00\x05PLAIN";
    for (bytes, fault) in [
        (&thrift[..], TlsFault::NotTls),
        (&sasl[..], TlsFault::NotTls),
        (b"GET / HTTP/1.1\r\n\r\n", TlsFault::NotTls),
        (b"", TlsFault::Closed),
        (b"\x16\x03\x01", TlsFault::Closed),
    ] {
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(bytes).await.unwrap();
        drop(far);
        let error = live.acceptor().accept(near).await.unwrap_err();
        assert_eq!(TlsFault::of_handshake(&error), fault, "{bytes:?}");
    }
}

#[tokio::test]
async fn clients_distrust_arrives_as_its_alert() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let live = bench.serve(&bench.client_ssl(&[&leaf]));
    let wary = Client::trusting(Authority::new("another ca").certificate());
    let outcome = wary.connect(&live, HOST).await;
    assert_eq!(outcome.fault().describe(), "sent the tls alert 48, unknown_ca");
}

#[test]
fn built_profile_keeps_its_secrets() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let live = bench.serve(&bench.client_ssl(&[&leaf]));
    let printed = format!("{live:?} {:?}", live.config());
    let key = leaf.key_der();
    let bytes = format!("{:?}", &key.secret_der()[key.secret_der().len() - 24..]);
    assert!(!printed.contains(bytes.trim_matches(['[', ']'])));
    assert_eq!(live.identities()[0].names.dns, [HOST]);
}
