//! The client's TLS handshake, and why it fails.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::open_connection::OpenPhase;
use super::phase_histograms::PhaseTime;
use super::stream::Stream;
use crate::impala::Opening;
use crate::net::{self, Socket};
use crate::tls::{LiveClientSsl, TlsFacts, TlsFault};

/// Accepts a client's TLS handshake within the profile's handshake-timeout.
///
/// # Errors
/// Why the handshake failed.
pub(super) async fn accept_tls(
    profile: &LiveClientSsl,
    mut socket: Socket,
    record: &ConnectionRecord,
) -> Result<Stream, Close> {
    record.begin(OpenPhase::ClientTls);
    let started = Instant::now();
    socket.keep_hello();
    let handshake = profile.acceptor().accept(socket).into_fallible();
    match timeout(profile.handshake_timeout(), handshake).await {
        Ok(Ok(mut tls)) => {
            let (socket, session) = tls.get_mut();
            let agreed = TlsFacts::of_client_side(session, &socket.take_hello());
            record.note(|facts| {
                facts.times.client_tls = Some(PhaseTime::since(started));
                facts.opening_on_wire = Opening::of(socket.opening());
                facts.client_tls = Some(Box::new(agreed));
            });
            Ok(Stream::tls(TlsStream::Server(tls)))
        }
        Ok(Err((error, mut socket))) => {
            let opening = Opening::of(socket.opening());
            record.note(|facts| facts.opening_on_wire = opening);
            let hello = socket.take_hello();
            let close = failed(&error, &hello, opening);
            match close.reason {
                // A client that speaks no TLS cannot read an alert; it understands a reset at once.
                CloseReason::ClientPlaintext => {
                    record.note(|facts| facts.opening = opening);
                    net::reset_on_close(&socket.tcp);
                }
                // The alert is sent already. The client is to read it before it sees the end.
                _ => Box::pin(net::until_peer_closes(&mut socket, ALERT_TIME)).await,
            }
            Err(close)
        }
        Err(_) => Err(CloseReason::ClientHandshakeTimeout.into()),
    }
}

fn failed(error: &io::Error, hello: &[u8], opening: Opening) -> Close {
    let fault = TlsFault::of_client_handshake(error, hello);
    let reason = match &fault {
        TlsFault::NotTls if opening == Opening::Tls => {
            let detail = "the client began TLS, and sent what is no TLS record in its handshake";
            return CloseReason::ClientHandshakeFailed.because(detail);
        }
        // DTLS looks like TLS in all but its version.
        TlsFault::Other(_) if opening == Opening::Dtls => return speaks(opening),
        TlsFault::NotTls => return speaks(opening),
        TlsFault::AlertReceived { .. } => CloseReason::ClientHandshakeAlert,
        TlsFault::CertificateExpired
        | TlsFault::CertificateNotYetValid
        | TlsFault::CertificateName(_)
        | TlsFault::CertificateUntrusted
        | TlsFault::CertificateRevoked
        | TlsFault::CertificateInvalid(_)
        | TlsFault::NoCertificateGiven => CloseReason::ClientCertificateRefused,
        TlsFault::Closed | TlsFault::CloseNotifyMissing if hello.is_empty() => {
            return CloseReason::ClientLeftSilent.into();
        }
        TlsFault::Closed | TlsFault::CloseNotifyMissing => CloseReason::ClientHandshakeFin,
        TlsFault::Reset if hello.is_empty() => return CloseReason::ClientResetSilent.into(),
        TlsFault::Reset => CloseReason::ClientHandshakeReset,
        TlsFault::ServerNameUnknown(_)
        | TlsFault::ServerNameInvalid(_)
        | TlsFault::ProtocolMismatch(_)
        | TlsFault::Other(_) => CloseReason::ClientHandshakeFailed,
    };
    reason.because(format_args!("the client {}", fault.describe()))
}

fn speaks(opening: Opening) -> Close {
    CloseReason::ClientPlaintext.because(format_args!("the client speaks {}", opening.describe()))
}

/// How long a client may take to read an alert and to close.
const ALERT_TIME: Duration = Duration::from_secs(1);
