//! Asking ports for their certificates.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pronk::model::Host;
use pronk::model::profile::CipherGroup;
use pronk::tls::{FetchError, fetch_chain, handshake};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, version};

use crate::lb::{PATIENCE, free_port};
use crate::peers::member;
use crate::support::ca::Authority;
use crate::tls::{FRONT, answering_member, server_config, silent_member, tls_member};

const LIMIT: Duration = PATIENCE;

async fn ask(address: SocketAddr) -> Result<usize, FetchError> {
    fetch_chain(address, Some(&Host::parse(FRONT).unwrap()), LIMIT).await.map(|chain| chain.len())
}

#[tokio::test]
async fn any_chain_is_taken_whole() {
    let ca = Authority::new("root");
    let leaf = ca.intermediate("issuing").issue("other").dns("other.example.com").expired().build();
    let chain = fetch_chain(tls_member(&leaf), None, LIMIT).await.unwrap();
    assert_eq!(chain, leaf.chain, "expired, for another name, from an unknown issuer");
}

#[tokio::test]
async fn server_that_demands_a_client_certificate_has_shown_its_own() {
    let ca = Authority::new("ca");
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone()).unwrap();
    let provider = pronk::tls::provider(CipherGroup::Default);
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    // In TLS 1.2 the refusal comes before the end of the handshake.
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS12])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    let config = Arc::new(config);
    let address = member(move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    });
    assert_eq!(ask(address).await, Ok(1));
    let outcome = handshake(address, None, LIMIT).await.outcome;
    assert!(matches!(&outcome, Err(FetchError::Handshake(reason)) if reason.contains("tls alert")), "{outcome:?}");
}

#[tokio::test]
async fn connection_is_closed_in_order_once_the_chain_is_known() {
    let ca = Authority::new("ca");
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let (config, (ended, ends)) = (server_config(&leaf), mpsc::channel());
    let address = member(move |stream| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = rustls::StreamOwned::new(tls, stream);
        // A missing close_notify would be an error.
        ended.send(tls.read(&mut [0]).map_err(|error| error.to_string())).unwrap();
    });
    assert_eq!(ask(address).await, Ok(1));
    assert_eq!(ends.recv_timeout(LIMIT).unwrap(), Ok(0));
}

#[tokio::test]
async fn ports_that_show_nothing_are_told_apart() {
    let answers = answering_member;
    assert_eq!(ask(answers(b"HTTP/1.0 400 Bad Request\r\n\r\n")).await, Err(FetchError::Plaintext("plain HTTP")));
    assert_eq!(ask(answers(b"\x04\0\0\0\x05wrong")).await, Err(FetchError::Plaintext("SASL without TLS")));
    assert_eq!(ask(answers(b"")).await, Err(FetchError::ClosedEarly));
    let alert = ask(answers(b"\x15\x03\x01\x00\x02\x02\x46")).await;
    assert_eq!(alert, Err(FetchError::Handshake("sent the tls alert 70, protocol_version".into())));
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    assert!(matches!(ask(closed).await, Err(FetchError::Connect(_))));
    let unknown = fetch_chain(("nowhere.invalid", 21050), None, LIMIT).await;
    assert!(matches!(unknown, Err(FetchError::Resolve(_))), "{unknown:?}");
}

#[tokio::test]
async fn silence_has_an_end() {
    // Long enough for the beginning of an answer from a busy machine.
    let soon = Duration::from_secs(4);
    let stalls = member(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        // The beginning of a record that never comes to its end.
        let _ = stream.write_all(b"\x16\x03\x03\x40");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (silent, stalled) = tokio::join!(fetch_chain(silent_member(), None, soon), fetch_chain(stalls, None, soon));
    assert_eq!(silent, Err(FetchError::TimedOut));
    assert!(
        matches!(&stalled, Err(FetchError::Handshake(reason)) if reason.contains("stopped answering")),
        "{stalled:?}"
    );
}
