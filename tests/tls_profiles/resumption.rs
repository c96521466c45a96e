//! Which sessions resume, and which must not.

use std::sync::Arc;

use pronk::model::profile::PeerCertMode;
use pronk::tls::LiveClientSsl;
use rustls::ClientConfig;

use crate::handshake::{Bench, from_client};

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
