//! Which sessions resume, and which must not.

use std::path::PathBuf;
use std::sync::Arc;

use pronk::model::profile::{CertResponse, CipherGroup, ClientSsl, CrlScope, PeerCertMode, TlsVersion, TrustAnchors};
use pronk::tls::{LiveClientSsl, LiveServerSsl, TlsFault};
use rustls::ClientConfig;

use crate::handshake::{Bench, Clock, ONLY_12, ONLY_13, from_client, member, member_server, to_member};
use crate::support::ca::{Authority, Leaf, time, write};
use crate::support::crl::{List, pem};

const HOST: &str = "lb.example.com";

async fn resumes(live: &LiveClientSsl, config: &Arc<ClientConfig>) -> bool {
    from_client(live, config, HOST).await.facts().resumed
}

#[tokio::test]
async fn tickets_resume_in_both_versions() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let live = bench.serve(&bench.client_ssl(&[&leaf]));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = bench.client().version(version).config();
        assert!(!resumes(&live, &config).await);
        assert!(resumes(&live, &config).await, "{version:?}");
        assert!(resumes(&live, &config).await, "each connection brings the next ticket");
    }
}

#[tokio::test]
async fn unchanged_rebuild_is_the_same_and_goes_on_resuming() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Request, Some(bench.ca_file()));
    let live = bench.serve(&profile);
    let config = bench.client().config();
    resumes(&live, &config).await;

    let again = LiveClientSsl::build(&profile, bench.path(), Some(&live)).unwrap();
    assert!(Arc::ptr_eq(&live, &again));
    assert!(resumes(&again, &config).await);
}

/// Sessions go on in the process that takes over where this is the same.
#[test]
fn fingerprint_changes_with_who_may_resume_and_with_nothing_else() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut base = bench.client_ssl(&[&leaf]);
    (base.peer_cert_mode, base.ca_file) = (PeerCertMode::Request, Some(bench.ca_file()));
    let of = |change: &dyn Fn(&mut ClientSsl)| {
        let mut profile = base.clone();
        change(&mut profile);
        bench.serve(&profile).fingerprint().to_owned()
    };
    let same = of(&|_| ());
    let copied = bench.path().join("copied.pem");
    std::fs::copy(bench.ca_file(), &copied).unwrap();
    assert_eq!(of(&|it| it.ca_file = Some(copied.clone())), same, "the same authority from another file");
    assert_eq!(of(&|it| it.handshake_timeout *= 2), same);
    let list = |revoked: &[&Leaf]| Some(bench.ca.write_revocations(bench.path(), "crl.pem", revoked));
    let other_ca = Authority::new("other").write(bench.path(), "other.pem");
    let others = [
        of(&|it| it.name = "other".into()),
        of(&|it| it.peer_cert_mode = PeerCertMode::Require),
        of(&|it| it.peer_cert_mode = PeerCertMode::Ignore),
        of(&|it| it.ca_file = Some(other_ca.clone())),
        of(&|it| it.crl_file = list(&[])),
        of(&|it| it.crl_file = list(&[&leaf])),
        of(&|it| it.crl_scope = CrlScope::Leaf),
        of(&|it| it.authenticate_depth = 2),
        of(&|it| it.sni_require = true),
        of(&|it| it.versions.minimum = TlsVersion::Tls13),
        of(&|it| it.cipher_group = CipherGroup::Secure),
        of(&|it| it.alpn = vec!["h2".to_owned()]),
        of(&|it| it.alpn = vec!["h".to_owned(), "2".to_owned()]),
        of(&|it| it.cert_key_chain[0].sni_default = true),
        {
            bench.ca.issue(HOST).dns(HOST).build().write(bench.path(), "leaf0");
            of(&|_| ())
        },
    ];
    let distinct: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
    assert_eq!(distinct.len(), others.len() + 1);
}

#[tokio::test]
async fn session_does_not_outlive_its_certificate() {
    let bench = Bench::new();
    let profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
    let live = bench.serve(&profile);
    let config = bench.client().config();
    resumes(&live, &config).await;

    bench.ca.issue(HOST).dns(HOST).build().write(bench.path(), "leaf0");
    let renewed = LiveClientSsl::build(&profile, bench.path(), Some(&live)).unwrap();
    assert!(!Arc::ptr_eq(&live, &renewed));
    assert!(!resumes(&renewed, &config).await);
}

#[tokio::test]
async fn session_does_not_pass_to_another_client_certificate_policy() {
    let bench = Bench::new();
    let alice = bench.ca.issue("alice").client().build();
    let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
    profile.ca_file = Some(bench.ca_file());
    let lax = bench.serve(&profile);
    profile.peer_cert_mode = PeerCertMode::Require;
    let strict = LiveClientSsl::build(&profile, bench.path(), Some(&lax)).unwrap();

    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = bench.client().showing(&alice).version(version).config();
        resumes(&lax, &config).await;
        let outcome = from_client(&strict, &config, HOST).await;
        assert!(!outcome.facts().resumed);
        assert_eq!(outcome.facts().peer_subject.as_deref(), Some("CN=alice"));
    }
}

#[tokio::test]
async fn new_revocations_end_old_sessions() {
    let bench = Bench::new();
    let alice = bench.ca.issue("alice").client().build();
    let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));
    profile.crl_file = Some(bench.ca.write_revocations(bench.path(), "crl.pem", &[]));
    let live = bench.serve(&profile);
    let config = bench.client().showing(&alice).config();
    resumes(&live, &config).await;
    assert_eq!(from_client(&live, &config, HOST).await.facts().peer_subject.as_deref(), Some("CN=alice"));

    bench.ca.write_revocations(bench.path(), "crl.pem", &[&alice]);
    let live = LiveClientSsl::build(&profile, bench.path(), Some(&live)).unwrap();
    assert!(from_client(&live, &config, HOST).await.ours.is_err());
}

#[tokio::test]
async fn without_tickets_sessions_are_kept_in_memory_or_not_at_all() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let mut profile = bench.client_ssl(&[&leaf]);
    profile.session_ticket = false;
    for (cache_size, expected) in [(16, true), (0, false)] {
        profile.cache_size = cache_size;
        let live = bench.serve(&profile);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let config = bench.client().version(version).config();
            resumes(&live, &config).await;
            assert_eq!(resumes(&live, &config).await, expected, "{version:?} with {cache_size}");
        }
    }
}

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;
/// The last second in which everything is valid.
const END: i64 = NOW + 1000;

/// A chain that is valid until the end: whom to trust, the lists, and words for what ends it.
struct Ending {
    what: &'static str,
    root: Authority,
    leaf: Leaf,
    list: Option<List>,
    /// What a full handshake says afterwards.
    told: &'static str,
}

fn endings() -> Vec<Ending> {
    let issue = |issuer: &Authority, until| {
        issuer
            .issue(HOST)
            .dns(HOST)
            .until(until)
            .adjusted(|params| {
                use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
                params.extended_key_usages = vec![ServerAuth, ClientAuth];
            })
            .build()
    };
    let later = NOW + 1_000_000;
    let mut endings = Vec::new();
    let root = Authority::new("ca");
    let leaf = issue(&root, END);
    endings.push(Ending { what: "certificate", root, leaf, list: None, told: "has expired" });
    let root = Authority::new("ca");
    let issuing = root.intermediate_adjusted("issuing ca", |params| params.not_after = time(END));
    let leaf = issue(&issuing, later);
    endings.push(Ending { what: "issuing authority", root, leaf, list: None, told: "has expired" });
    let root = Authority::adjusted("ca", |params| params.not_after = time(END));
    let leaf = issue(&root, later);
    endings.push(Ending {
        what: "trusted authority",
        root,
        leaf,
        list: None,
        told: "CN=ca, which ca-file trusts, expired",
    });
    let root = Authority::new("ca");
    let leaf = issue(&root, later);
    let list = Some(List::new(NOW).number(1).dated(NOW - 1, END + 1));
    endings.push(Ending { what: "revocation list", root, leaf, list, told: "is past its date" });
    endings
}

impl Ending {
    fn files(&self, bench: &Bench) -> (PathBuf, Option<PathBuf>) {
        let ca_file = self.root.write(bench.path(), "peers-ca.pem");
        let list = self
            .list
            .as_ref()
            .map(|list| write(bench.path(), "peers.crl", pem(&[list.der(&self.root)]).as_bytes(), 0o644));
        (ca_file, list)
    }
}

#[tokio::test]
async fn sessions_of_clients_end_with_what_they_rest_on() {
    let bench = Bench::new();
    for ending in endings() {
        let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
        profile.peer_cert_mode = PeerCertMode::Require;
        let (ca_file, crl_file) = ending.files(&bench);
        (profile.ca_file, profile.crl_file) = (Some(ca_file), crl_file);
        for (session_ticket, cache_size) in [(true, 0), (false, 16), (true, 16)] {
            (profile.session_ticket, profile.cache_size) = (session_ticket, cache_size);
            for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
                let clock = Clock::at(NOW);
                let live = bench.serve_at(&profile, &clock);
                let config = bench.client().showing(&ending.leaf).version(version).config();
                let case = format!("{}, {version:?}, tickets {session_ticket}, cache {cache_size}", ending.what);
                assert!(!resumes(&live, &config).await, "{case}");
                assert!(resumes(&live, &config).await, "{case}");
                clock.set(END);
                assert!(resumes(&live, &config).await, "{case}: in the last second");
                clock.set(END + 1);
                let outcome = from_client(&live, &config, HOST).await;
                let told = outcome.fault().describe();
                assert!(told.contains(ending.told), "{case}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn client_that_renewed_its_certificate_is_asked_for_it_and_comes_in() {
    let bench = Bench::new();
    let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Require, Some(bench.ca_file()));
    let clock = Clock::at(NOW);
    let live = bench.serve_at(&profile, &clock);
    let old = bench.ca.issue("alice").client().until(END).build();
    let renewed = bench.ca.issue("alice").client().until(NOW + 1_000_000).build();
    let config = bench.client().showing(&old).config();
    resumes(&live, &config).await;
    clock.set(END + 1);
    let mut with_renewed = (*bench.client().showing(&renewed).config()).clone();
    with_renewed.resumption = config.resumption.clone();
    let outcome = from_client(&live, &Arc::new(with_renewed), HOST).await;
    assert!(!outcome.facts().resumed);
}

#[tokio::test]
async fn session_without_a_client_certificate_goes_on_resuming_where_it_is_optional() {
    let bench = Bench::new();
    let mut profile = bench.client_ssl(&[&bench.ca.issue(HOST).dns(HOST).build()]);
    (profile.peer_cert_mode, profile.ca_file) = (PeerCertMode::Request, Some(bench.ca_file()));
    let live = bench.serve(&profile);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = bench.client().version(version).config();
        resumes(&live, &config).await;
        assert!(resumes(&live, &config).await, "{version:?}");
    }
}

#[tokio::test]
async fn sessions_of_members_end_with_what_they_rest_on() {
    let bench = Bench::new();
    for ending in endings() {
        let (ca_file, crl_file) = ending.files(&bench);
        for versions in [ONLY_12, ONLY_13] {
            let mut profile = bench.server_ssl();
            (profile.versions, profile.ca_file) = (versions, TrustAnchors::File(ca_file.clone()));
            profile.crl_file = crl_file.clone();
            let clock = Clock::at(NOW);
            let tls = bench.toward_at(&profile, &member("10.0.0.1", Some(HOST)), &clock);
            let server = member_server(&ending.leaf, None);
            let case = format!("{}, {versions:?}", ending.what);
            assert!(!to_member(&tls, &server).await.facts().resumed, "{case}");
            assert!(to_member(&tls, &server).await.facts().resumed, "{case}");
            clock.set(END);
            assert!(to_member(&tls, &server).await.facts().resumed, "{case}: in the last second");
            clock.set(END + 1);
            for _ in 0..2 {
                let told = to_member(&tls, &server).await.fault().describe();
                assert!(told.contains(ending.told), "{case}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn new_revocations_end_old_sessions_with_members() {
    let bench = Bench::new();
    for versions in [ONLY_12, ONLY_13] {
        let leaf = bench.ca.issue(HOST).dns(HOST).build();
        let mut profile = bench.server_ssl();
        profile.versions = versions;
        profile.crl_file = Some(bench.ca.write_revocations(bench.path(), "crl.pem", &[]));
        let server = member_server(&leaf, None);
        let live = LiveServerSsl::build(&profile, bench.path(), None).unwrap();
        let node = member("10.0.0.1", Some(HOST));
        let tls = live.for_member(&node);
        to_member(&tls, &server).await.facts();
        assert!(to_member(&tls, &server).await.facts().resumed, "{versions:?}");
        let again = LiveServerSsl::build(&profile, bench.path(), Some(&live)).unwrap();
        assert!(Arc::ptr_eq(&live, &again));

        bench.ca.write_revocations(bench.path(), "crl.pem", &[&leaf]);
        let renewed = LiveServerSsl::build(&profile, bench.path(), Some(&live)).unwrap();
        let outcome = to_member(&renewed.for_member(&node), &server).await;
        assert_eq!(*outcome.fault(), TlsFault::CertificateRevoked, "{versions:?}");
    }
}

#[tokio::test]
async fn expired_member_whose_profile_lets_it_pass_is_judged_once_and_resumes() {
    let bench = Bench::new();
    for ending in endings().into_iter().filter(|ending| ending.list.is_none()) {
        for versions in [ONLY_12, ONLY_13] {
            let mut profile = bench.server_ssl();
            (profile.versions, profile.ca_file) = (versions, TrustAnchors::File(ending.files(&bench).0));
            profile.expire_cert_response = CertResponse::Ignore;
            let clock = Clock::at(NOW);
            let tls = bench.toward_at(&profile, &member("10.0.0.1", Some(HOST)), &clock);
            let server = member_server(&ending.leaf, None);
            to_member(&tls, &server).await.facts();
            assert!(!tls.tolerated().expired);
            clock.set(END + 1);
            assert!(!to_member(&tls, &server).await.facts().resumed, "{}", ending.what);
            assert!(tls.tolerated().expired, "{}", ending.what);
            assert!(to_member(&tls, &server).await.facts().resumed, "{}", ending.what);
        }
    }
}

#[tokio::test]
async fn ticket_that_comes_after_the_end_is_of_no_use() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).until(END).build();
    let mut profile = bench.server_ssl();
    profile.versions = ONLY_13;
    let clock = Clock::at(NOW);
    let tls = bench.toward_at(&profile, &member("10.0.0.1", Some(HOST)), &clock);
    let server = member_server(&leaf, None);
    let (near, far) = tokio::io::duplex(1 << 16);
    let serve = async {
        let mut stream = tokio_rustls::TlsAcceptor::from(server.clone()).accept(far).await.unwrap();
        stream.write_u8(7).await.unwrap();
        stream.flush().await.unwrap();
        stream
    };
    let (ours, _far) = tokio::join!(tls.connector().connect(tls.server_name.clone(), near), serve);
    let mut ours = ours.unwrap();
    clock.set(END + 1);
    assert_eq!(*to_member(&tls, &server).await.fault(), TlsFault::CertificateExpired);
    // The ticket is read only now.
    assert_eq!(ours.read_u8().await.unwrap(), 7);
    assert_eq!(*to_member(&tls, &server).await.fault(), TlsFault::CertificateExpired);
}
