//! Fetching the chain of certificates that a port shows, without verifying it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::{ClientConfig, ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;
use rustls::{Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::TlsFault;
use super::cipher_suites::provider;
use super::library_words::of_error;
use super::verifier::{HandshakeSignatures, Verifier, VerifyChain};
use crate::impala::answered_instead_of_tls;
use crate::model::Host;
use crate::model::profile::CipherGroup;
use crate::net::{self, NotConnected, Shortage, Socket};
use crate::reading::os_reason;

/// Why a port showed no certificate, in words that follow its address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("the name does not resolve: {0}")]
    Resolve(String),
    #[error("cannot connect: {0}")]
    Connect(String),
    /// pronk itself lacks something, which is reported already. It says nothing of the port.
    #[error("not asked: pronk is {0}")]
    Short(Shortage),
    /// It took the connection; an impalad without TLS waits for the rest of what it takes for a Thrift frame.
    #[error(
        "accepted the connection and did not answer a TLS hello: probably a port without TLS, or all its service threads are busy"
    )]
    TimedOut,
    /// With what it seems to speak.
    #[error("speaks {0}")]
    Plaintext(&'static str),
    #[error("closed the connection when it was sent a TLS hello: probably a port without TLS")]
    ClosedEarly,
    #[error("it speaks TLS and the handshake fails: it {0}")]
    Handshake(String),
    /// It speaks TLS, and no version, cipher suite or group that pronk offers. Others may offer more.
    #[error("it speaks TLS, but nothing that pronk offers: it {0}")]
    NotAgreed(String),
}

/// What came of a handshake that accepts any certificate.
#[derive(Debug)]
pub struct Fetched {
    /// As the server sent it; empty if it came to no certificate.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether the server did its part of the handshake.
    pub outcome: Result<(), FetchError>,
}

/// Fetches the chain that a server shows, its own certificate first. Any is accepted: nothing is verified.
///
/// `server_name` is sent as SNI if it is a name. A server that shows its chain and fails the handshake later, such as
/// one that demands a client certificate, has shown it.
///
/// # Errors
/// What kept it from showing one within `limit`.
pub async fn fetch_chain(
    address: impl ToSocketAddrs,
    server_name: Option<&Host>,
    limit: Duration,
) -> Result<Vec<CertificateDer<'static>>, FetchError> {
    let Fetched { chain, outcome } = handshake(address, server_name, limit).await;
    match outcome {
        Err(reason) if chain.is_empty() => Err(reason),
        _ => Ok(chain),
    }
}

/// Makes a whole handshake that accepts any certificate, and closes the connection in order.
///
/// A server that asks for a client certificate, and refuses whoever has none, has done its part. In TLS 1.3 the handshake
/// is complete for the client by then; in TLS 1.2 the refusal takes the place of its end.
pub async fn handshake(address: impl ToSocketAddrs, server_name: Option<&Host>, limit: Duration) -> Fetched {
    let recorder = Arc::new(Recorder::default());
    let outcome = attempt(address, server_name, Instant::now() + limit, &recorder).await;
    Fetched { chain: recorder.chain.get().cloned().unwrap_or_default(), outcome }
}

async fn attempt(
    address: impl ToSocketAddrs,
    server_name: Option<&Host>,
    deadline: Instant,
    recorder: &Arc<Recorder>,
) -> Result<(), FetchError> {
    let mut socket = Socket::new(connect(address, deadline).await?);
    let (connector, name) =
        connector(server_name, recorder).map_err(|error| FetchError::Handshake(of_error(&error)))?;
    let failure = match timeout_at(deadline, connector.connect(name, &mut socket)).await {
        Ok(Ok(mut tls)) => {
            // The server's thread is free again as soon as it reads the close_notify.
            let _ = timeout_at(deadline, tls.shutdown()).await;
            return Ok(());
        }
        Ok(Err(error)) if recorder.wants_client_certificate() && is_refusal(&error) => return Ok(()),
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    Err(match (failure, socket.opening()) {
        (Some(error), first) => failed(&error, first),
        (None, []) => FetchError::TimedOut,
        (None, first) => failed(&io::Error::other("it stopped answering"), first),
    })
}

fn connector(
    server_name: Option<&Host>,
    recorder: &Arc<Recorder>,
) -> Result<(TlsConnector, ServerName<'static>), Error> {
    let mut config = ClientConfig::builder_with_provider(provider(CipherGroup::Default))
        .with_safe_default_protocol_versions()?
        .dangerous()
        // A key that is too weak to verify with is to be reported too.
        .with_custom_certificate_verifier(Verifier::new(Arc::clone(recorder), HandshakeSignatures::Unverified))
        .with_client_cert_resolver(Arc::<Recorder>::clone(recorder));
    config.resumption = Resumption::disabled();
    let name = match server_name {
        Some(Host::Name(name)) => {
            ServerName::try_from(name.clone()).map_err(|_| Error::General("the name is no server name".into()))?
        }
        Some(Host::Ip(address)) => (*address).into(),
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED).into(),
    };
    Ok((TlsConnector::from(Arc::new(config)), name))
}

async fn connect(address: impl ToSocketAddrs, deadline: Instant) -> Result<TcpStream, FetchError> {
    let addresses: Vec<SocketAddr> = match timeout_at(deadline, tokio::net::lookup_host(address)).await {
        Ok(Ok(found)) => found.take(MOST_ADDRESSES).collect(),
        Ok(Err(error)) => match Shortage::of_lookup(&error) {
            Some(shortage) => {
                shortage.report("resolving the name of a port whose certificate is looked at");
                return Err(FetchError::Short(shortage));
            }
            None => return Err(FetchError::Resolve(os_reason(&error))),
        },
        Err(_) => return Err(FetchError::Resolve("no answer in time".into())),
    };
    let mut failed = FetchError::Resolve("it has no address".into());
    let which = |address| if addresses.len() > 1 { format!("{address}: ") } else { String::new() };
    for address in addresses.iter().copied() {
        failed = match timeout_at(deadline, net::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(NotConnected::Short(shortage))) => return Err(FetchError::Short(shortage)),
            Ok(Err(error)) => FetchError::Connect(format!("{}{error}", which(address))),
            Err(_) => return Err(FetchError::Connect(format!("{}no answer in time", which(address)))),
        };
    }
    Err(failed)
}

/// Names the failure by what the server had sent until then.
fn failed(error: &io::Error, first: &[u8]) -> FetchError {
    match first {
        [0x14..=0x17, 0x03, ..] => match TlsFault::of_handshake(error) {
            fault @ (TlsFault::ProtocolMismatch(_) | TlsFault::AlertReceived { code: 40 | 70 | 71, .. }) => {
                FetchError::NotAgreed(fault.describe())
            }
            fault => FetchError::Handshake(fault.describe()),
        },
        [] => match TlsFault::of_handshake(error) {
            TlsFault::Closed | TlsFault::Reset => FetchError::ClosedEarly,
            fault => FetchError::Handshake(fault.describe()),
        },
        _ => FetchError::Plaintext(answered_instead_of_tls(first)),
    }
}

/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 16;

/// Returns whether a handshake failed as it does when a server wants a client certificate and gets none: by one of the
/// alerts that TLS libraries send then, or by the end of the connection, as a reset can overtake the alert.
fn is_refusal(error: &io::Error) -> bool {
    match TlsFault::of_handshake(error) {
        TlsFault::AlertReceived { code, .. } => NO_CERTIFICATE.contains(&code),
        TlsFault::Closed | TlsFault::Reset => true,
        _ => false,
    }
}

/// handshake_failure (OpenSSL), no_certificate (SSL 3.0), bad_certificate (Java, Go), certificate_unknown, access_denied,
/// certificate_required (TLS 1.3).
const NO_CERTIFICATE: [u8; 6] = [40, 41, 42, 46, 49, 116];

/// Records the chain and accepts it, whatever it is, and whether the server asks for a client certificate.
#[derive(Debug, Default)]
struct Recorder {
    chain: OnceLock<Vec<CertificateDer<'static>>>,
    wants_client_certificate: AtomicBool,
}

impl Recorder {
    fn wants_client_certificate(&self) -> bool {
        self.wants_client_certificate.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.wants_client_certificate.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl VerifyChain for Recorder {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<(), Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|it| it.clone().into_owned()).collect();
        // There is one handshake to a recorder.
        let _ = self.chain.set(chain);
        Ok(())
    }
}
