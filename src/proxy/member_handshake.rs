//! The TLS handshake with a member, and why it fails.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_rustls::TlsStream;

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::open_connection::OpenPhase;
use super::phase_histograms::PhaseTime;
use super::stream::Stream;
use crate::net::Socket;
use crate::tls::{MemberTls, TlsFacts, TlsFault};

/// How long to wait for a member that answers nothing.
pub(super) struct Patience<F> {
    /// As for a connection, which the kernel takes for a process that is stopped.
    pub for_silence: Duration,
    /// Whether another member could be chosen; where none can, a member that is slow is better than none.
    pub another: F,
}

/// Makes the TLS handshake with a member within the profile's handshake-timeout. The first byte must come earlier.
///
/// # Errors
/// Why the handshake failed.
pub(super) async fn connect_tls(
    tls: &MemberTls,
    socket: Socket,
    patience: Patience<impl Fn() -> bool>,
    record: &ConnectionRecord,
) -> Result<Stream, Close> {
    record.begin(OpenPhase::MemberTls);
    let started = Instant::now();
    let (limit, silence) = (tls.handshake_timeout(), patience.for_silence);
    let mut handshake = tls.connector().connect(tls.server_name.clone(), socket);
    let mut ended = timeout(silence.min(limit), &mut handshake).await;
    if ended.is_err() && silence < limit {
        let is_silent = handshake.get_ref().is_some_and(|socket| socket.opening().is_empty());
        if is_silent && (patience.another)() {
            let detail = format_args!("it takes the connection and sends nothing within {silence:?}");
            return Err(CloseReason::MemberHandshakeTimeout.because(detail));
        }
        ended = timeout(limit - silence, handshake).await;
    }
    match ended {
        Ok(Ok(stream)) => {
            let agreed = TlsFacts::of_member_side(stream.get_ref().1, tls);
            record.note(|facts| {
                facts.times.member_tls = Some(PhaseTime::since(started));
                facts.member_tls = Some(Box::new(agreed));
            });
            Ok(Stream::tls(TlsStream::Client(stream)))
        }
        Ok(Err(error)) => Err(failed(&error)),
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
        TlsFault::ServerNameUnknown(_)
        | TlsFault::ServerNameInvalid(_)
        | TlsFault::ProtocolMismatch(_)
        | TlsFault::Other(_) => CloseReason::MemberHandshakeFailed,
    };
    reason.because(format_args!("the member {}", fault.describe()))
}
