//! Ports with and without TLS and SASL, asked by a monitor that knows what they speak and by one that finds out.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config;
use crate::model::profile::{CipherGroup, ServerSsl};
use crate::model::{Address, Member, Node};
use crate::tls::{LiveServerSsl, MemberTls, provider};

/// What a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Speaks {
    tls: bool,
    protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Hs2,
    Sasl,
    Http,
}

const ALL: [Speaks; 6] = [
    Speaks { tls: false, protocol: Protocol::Hs2 },
    Speaks { tls: false, protocol: Protocol::Sasl },
    Speaks { tls: false, protocol: Protocol::Http },
    Speaks { tls: true, protocol: Protocol::Hs2 },
    Speaks { tls: true, protocol: Protocol::Sasl },
    Speaks { tls: true, protocol: Protocol::Http },
];

impl Speaks {
    /// Serves a connection as an impalad does, and as silently where it is asked in another way.
    async fn serve(self, stream: TcpStream, acceptor: TlsAcceptor) {
        if !self.tls {
            return self.protocol.serve(stream).await;
        }
        // OpenSSL 1.0 does not look at less.
        if peek(&stream, 11).await.starts_with(&[0x16, 0x03])
            && let Ok(stream) = acceptor.accept(stream).await
        {
            self.protocol.serve(stream).await;
        }
    }

    fn monitor(self, sasl: Option<bool>) -> MonitorKind {
        let protocol = if self.protocol == Protocol::Http { ImpalaProtocol::Hs2Http } else { ImpalaProtocol::Hs2 };
        impala(protocol, sasl, None)
    }
}

impl Protocol {
    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut got = Vec::new();
        let answer: &[u8] = loop {
            match (self, got.as_slice()) {
                (Self::Hs2, [0x80, 0x01, 0, 1, ..]) => break b"\x80\x01\0\x02\0\0\0\0\0\0\0\0\0",
                // Else they begin a long name, of which the rest is to come.
                (Self::Hs2, _) => {}
                (Self::Sasl, [0x01..=0x05, 0, 0, _, _, ..]) => break b"\x03\0\0\0\0",
                (Self::Sasl, [_, _, _, _, _, ..]) => return,
                (Self::Sasl, _) => {}
                (Self::Http, got) if got.ends_with(b"\r\n\r\n") => break b"HTTP/1.1 200 OK\r\n\r\n",
                (Self::Http, _) => {}
            }
            if stream.read_buf(&mut got).await.is_ok_and(|read| read > 0) {
                continue;
            }
            return;
        };
        let _ = stream.write_all(answer).await;
        while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
    }
}

/// Waits for so many bytes, or for the end.
async fn peek(stream: &TcpStream, count: usize) -> Vec<u8> {
    let mut first = vec![0; count];
    loop {
        match stream.peek(&mut first).await {
            Ok(read) if read == count => return first,
            Ok(read) if read > 0 => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => return Vec::new(),
        }
    }
}

/// Returns a port that speaks what it is told to, and how many connections it had.
async fn port(speaks: Arc<parking_lot::Mutex<Speaks>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["elsewhere.example.test".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(provider(CipherGroup::Default))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], signing_key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    server(move |stream| {
        let (speaks, acceptor) = (*speaks.lock(), acceptor.clone());
        speaks.serve(stream, acceptor)
    })
    .await
}

/// Returns a profile that verifies nothing.
fn unverified_profile() -> Arc<ServerSsl> {
    let text = "nodes: { n: { address: 127.0.0.1 } }
pools: { p: { members: ['n:1'], monitors: impala } }
virtual-servers: { vs: { destination: '127.0.0.1:1', pool: p } }
";
    let model = config::parse("pronk.yaml", text, Path::new("/")).unwrap().model;
    model.server_ssl_in_use().into_values().next().unwrap()
}

/// Returns TLS as a profile has it.
fn tls(profile: &ServerSsl) -> Arc<MemberTls> {
    let node = Node::new(Name::from("n"), Address::Ip([127, 0, 0, 1].into()));
    LiveServerSsl::build(profile, Path::new("/"), None).unwrap().for_member(&Member::new(Arc::new(node), 1))
}

fn unverified() -> Arc<MemberTls> {
    tls(&unverified_profile())
}

fn asking(speaks: Speaks, sasl: Option<bool>, transport: Transport<Arc<MemberTls>>) -> Assignment {
    Assignment { transport, ..assignment(speaks.monitor(sasl), PATIENT) }
}

/// A silent port would take the whole limit and fail, so each question is one that is answered at once.
#[tokio::test]
async fn what_a_port_speaks_is_found_out_without_waiting_and_remembered() {
    for speaks in ALL {
        let is_sasl = (speaks.protocol != Protocol::Http).then_some(speaks.protocol == Protocol::Sasl);
        for sasl in [None, is_sasl] {
            let (address, connections) = port(Arc::new(speaks.into())).await;
            let assignment = asking(speaks, sasl, Transport::Either(vec![unverified()]));
            let mut prober = probe_of(&assignment);
            assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers, "{speaks:?} {sasl:?}");
            let first = connections.swap(0, Ordering::SeqCst);
            assert!(first <= 3, "{speaks:?} {sasl:?}: {first} connections");
            assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers, "{speaks:?} {sasl:?}");
            assert_eq!(connections.load(Ordering::SeqCst), 1, "{speaks:?} {sasl:?}: it is known");
        }
    }
}

#[tokio::test]
async fn port_that_is_to_speak_otherwise_fails() {
    for speaks in ALL {
        let (address, _) = port(Arc::new(speaks.into())).await;
        for transport in [Transport::Plaintext, Transport::Tls(vec![unverified()])] {
            let is_right = transport.allows(speaks.tls);
            let assignment = asking(speaks, None, transport);
            let limit = if is_right { PATIENT } else { BRIEF };
            let outcome = probe_of(&assignment).probe(address, limit).await;
            match outcome {
                Outcome::Answers => assert!(is_right, "{speaks:?}"),
                Outcome::Fails(_) | Outcome::Silent(_) => assert!(!is_right, "{speaks:?}: {outcome:?}"),
                _ => panic!("{speaks:?}: {outcome:?}"),
            }
        }
    }
}

/// A daemon that is started anew may speak otherwise. The probe that finds the port silent is the only one that fails.
#[tokio::test]
async fn port_that_speaks_otherwise_than_before_is_found_out_again() {
    let mut changes = tokio::task::JoinSet::new();
    for before in ALL {
        let is_http = |it: &Speaks| it.protocol == Protocol::Http;
        for after in ALL.into_iter().filter(|after| is_http(after) == is_http(&before)) {
            changes.spawn(change(before, after));
        }
    }
    changes.join_all().await;
}

async fn change(before: Speaks, after: Speaks) {
    let speaks = Arc::new(before.into());
    let (address, _) = port(Arc::clone(&speaks)).await;
    let assignment = asking(before, None, Transport::Either(vec![unverified()]));
    let mut prober = probe_of(&assignment);
    assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers, "{before:?}");
    *speaks.lock() = after;
    let first = prober.probe(address, Duration::from_secs(2)).await;
    if first != Outcome::Answers {
        assert!(matches!(first, Outcome::Silent(_)), "{before:?} {after:?}: {first:?}");
        assert_eq!(prober.probe(address, PATIENT).await, Outcome::Answers, "{before:?} {after:?}");
    }
}

/// With several profiles each must be served.
#[tokio::test]
async fn every_profile_is_asked_with() {
    let speaks = ALL[3];
    let (address, connections) = port(Arc::new(speaks.into())).await;
    let assignment = asking(speaks, None, Transport::Tls(vec![unverified(), unverified()]));
    assert_eq!(probe(&assignment, address).await, Outcome::Answers);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

/// As a connection has it.
#[tokio::test]
async fn handshake_must_be_done_within_the_handshake_timeout() {
    let profile = ServerSsl { handshake_timeout: BRIEF, ..ServerSsl::clone(&unverified_profile()) };
    let assignment = asking(ALL[3], None, Transport::Tls(vec![tls(&profile)]));
    fails(probe(&assignment, silent().await).await, "did not finish the TLS handshake within 300ms");
}

#[tokio::test]
async fn reason_says_why_a_port_with_tls_was_asked_in_plaintext() {
    let ends = saying(b"").await;
    let alerts = saying(b"\x15\x03\x03\0\x02\x02\x46").await;
    let reason = async |ssl: &PortSsl, address| {
        let mut kind = ALL[3].monitor(None);
        if let MonitorKind::Impala(check) = &mut kind {
            check.ssl = ssl.clone();
        }
        probe(&assignment(kind, PATIENT), address).await
    };
    let auto = PortSsl::Auto { unverified: unverified_profile() };
    fails(reason(&PortSsl::Off, ends).await, "without an answer; if it speaks TLS: the monitor has `ssl: false`");
    fails(reason(&PortSsl::Off, alerts).await, "it speaks TLS, and the monitor has `ssl: false`");
    fails(reason(&auto, ends).await, "; if it speaks TLS: its virtual servers speak plaintext to it");
    fails(reason(&auto, alerts).await, "it speaks TLS, and its virtual servers speak plaintext to it");
}
