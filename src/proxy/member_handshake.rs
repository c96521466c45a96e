//! The TLS handshake with a member, and why it fails.

use std::io;

use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::stream::Stream;
use crate::net::Socket;
use crate::tls::{MemberTls, TlsFacts, TlsFault};

/// Makes the TLS handshake with a member within the profile's handshake-timeout.
///
/// # Errors
/// Why the handshake failed.
pub(super) async fn connect_tls(
    tls: &MemberTls,
    socket: Socket,
    record: &mut ConnectionRecord,
) -> Result<Stream, Close> {
    let started = Instant::now();
    let handshake = tls.connector().connect(tls.server_name.clone(), socket).into_fallible();
    match timeout(tls.handshake_timeout(), handshake).await {
        Ok(Ok(stream)) => {
            record.times.member_tls = Some(started.elapsed());
            record.member_tls = Some(TlsFacts::of_member_side(stream.get_ref().1, tls));
            Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
        }
        Ok(Err((error, _))) => Err(failed(&error)),
        Err(_) => Err(CloseReason::MemberHandshakeTimeout.into()),
    }
}

fn failed(error: &io::Error) -> Close {
    let fault = TlsFault::of_handshake(error);
    let reason = match &fault {
        TlsFault::NotTls => CloseReason::MemberPlaintext,
        TlsFault::AlertReceived { .. } => CloseReason::MemberHandshakeAlert,
        TlsFault::CertificateName(_) => CloseReason::MemberCertificateName,
        TlsFault::CertificateExpired | TlsFault::CertificateNotYetValid => CloseReason::MemberCertificateExpired,
        TlsFault::CertificateUntrusted => CloseReason::MemberCertificateUntrusted,
        TlsFault::CertificateRevoked | TlsFault::CertificateInvalid(_) | TlsFault::NoCertificateGiven => {
            CloseReason::MemberCertificateRefused
        }
        TlsFault::Closed | TlsFault::CloseNotifyMissing => CloseReason::MemberHandshakeFin,
        TlsFault::Reset => CloseReason::MemberHandshakeReset,
        TlsFault::ServerNameUnknown | TlsFault::ProtocolMismatch(_) | TlsFault::Other(_) => {
            CloseReason::MemberHandshakeFailed
        }
    };
    reason.because(format_args!("the member {}", fault.describe()))
}
