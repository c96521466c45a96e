//! Asking ports for their certificates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use pronk::model::Host;
use pronk::model::profile::CipherGroup;
use pronk::tls::{FetchError, fetch_chain, handshake};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion, version};

use crate::lb::{PATIENCE, free_port};
use crate::peers::{member, reset};
use crate::support::ca::Authority;
use crate::support::tls::showing;
use crate::tls::{FRONT, answering_member, silent_member, tls_member};

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

/// A configuration that demands a client certificate of `ca`.
fn demanding(ca: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone()).unwrap();
    let provider = pronk::tls::provider(CipherGroup::Default);
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    Arc::new(config)
}

/// In TLS 1.2 the refusal comes before the end of the handshake, in TLS 1.3 after it.
#[tokio::test]
async fn server_that_demands_a_client_certificate_has_done_its_part() {
    let ca = Authority::new("ca");
    for version in [&version::TLS12, &version::TLS13] {
        let config = demanding(&ca, version);
        let address = member(move |mut stream| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
        });
        assert_eq!(ask(address).await, Ok(1));
        assert_eq!(handshake(address, None, LIMIT).await.outcome, Ok(()), "{version:?}");
    }
    // A reset can overtake the alert.
    let config = demanding(&ca, &version::TLS12);
    let resets = member(move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        tls.read_tls(&mut stream).unwrap();
        tls.process_new_packets().unwrap();
        while tls.wants_write() {
            tls.write_tls(&mut stream).unwrap();
        }
        stream.read_exact(&mut [0]).unwrap();
        reset(&stream);
    });
    assert_eq!(handshake(resets, None, LIMIT).await.outcome, Ok(()));
}

/// It has asked for a certificate and says nothing to having got none: it hangs.
#[tokio::test]
async fn server_that_stops_after_it_asked_for_a_client_certificate_has_not_answered() {
    let config = demanding(&Authority::new("ca"), &version::TLS12);
    let stalls = member(move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        tls.read_tls(&mut stream).unwrap();
        tls.process_new_packets().unwrap();
        while tls.wants_write() {
            tls.write_tls(&mut stream).unwrap();
        }
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let outcome = handshake(stalls, None, Duration::from_secs(2)).await.outcome;
    assert!(
        matches!(&outcome, Err(FetchError::Handshake(reason)) if reason.contains("stopped answering")),
        "{outcome:?}"
    );
}

/// An OpenSSL server, killed with this.
struct OpenSsl(Child, SocketAddr);

impl OpenSsl {
    fn start(ca: &Authority, folder: &Path, arguments: &[&str]) -> Self {
        let files = ca.issue(FRONT).dns(FRONT).build().write(folder, "server");
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-CAfile"])
            .arg(ca.write(folder, "ca.pem"))
            .arg("-cert")
            .arg(files.cert)
            .arg("-key")
            .arg(files.key)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok()).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address)
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn openssl_that_demands_a_client_certificate_has_done_its_part() {
    let (ca, folder) = (Authority::new("ca"), tempfile::tempdir().unwrap());
    for version in ["-tls1_2", "-tls1_3"] {
        let server = OpenSsl::start(&ca, folder.path(), &["-Verify", "1", version]);
        // Whether the alert or the reset comes first is chance.
        for _ in 0..20 {
            assert_eq!(handshake(server.1, None, LIMIT).await.outcome, Ok(()), "{version}");
        }
    }
    // It refuses for another reason: it has no cipher suite in common.
    let other = OpenSsl::start(&ca, folder.path(), &["-Verify", "1", "-tls1_2", "-cipher", "AES128-SHA"]);
    let outcome = handshake(other.1, None, LIMIT).await.outcome;
    assert!(matches!(&outcome, Err(FetchError::NotAgreed(_))), "{outcome:?}");
}

#[tokio::test]
async fn connection_is_closed_in_order_once_the_chain_is_known() {
    let ca = Authority::new("ca");
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let (config, (ended, ends)) = (showing(&leaf), mpsc::channel());
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
    assert_eq!(alert, Err(FetchError::NotAgreed("sent the tls alert 70, protocol_version".into())));
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
