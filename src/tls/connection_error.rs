//! What went wrong with TLS on a connection.

use std::io;

use rustls::{CertificateError, Error, InvalidMessage, PeerMisbehaved};

use super::client_hello::{server_name_flaw, server_name_on_wire};
use super::library_words::{self, NO_SIGNATURE_SCHEME, of_error, of_incompatibility};
use crate::reading::os_reason;
use crate::words::{MOST_NAMES, first_of};

/// What went wrong with TLS on a connection, from our side of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The peer's first bytes were no TLS record.
    NotTls,
    /// The peer gave up and sent the reason, by number and registered name.
    AlertReceived {
        code: u8,
        name: &'static str,
    },
    CertificateExpired,
    CertificateNotYetValid,
    /// The peer's certificate does not carry the name that it must.
    CertificateName(String),
    CertificateUntrusted,
    CertificateRevoked,
    CertificateInvalid(String),
    /// The client showed no certificate and must.
    NoCertificateGiven,
    /// The profile insists on SNI, and the client's is absent or in none of its certificates: the name that it sent.
    ServerNameUnknown(Option<String>),
    /// The client's SNI is no host name: what it sent, and why it is none.
    ServerNameInvalid(Option<(String, String)>),
    /// No version, cipher suite, key exchange or signature scheme in common.
    ProtocolMismatch(String),
    /// The stream ended without close_notify: perhaps truncated.
    CloseNotifyMissing,
    Reset,
    /// The peer closed the connection in the middle of the handshake.
    Closed,
    Other(String),
}

impl TlsFault {
    /// Classifies an error of a handshake.
    pub fn of_handshake(error: &io::Error) -> Self {
        match tls_error(error) {
            // Only here: after the handshake, bytes that are no record are corruption, not another protocol.
            Some(Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            )) => Self::NotTls,
            Some(error) => Self::of_tls(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            None => Self::of_transport(error),
        }
    }

    /// Classifies an error of a handshake with a client whose first bytes were these, by which a server name is told.
    pub fn of_client_handshake(error: &io::Error, first_bytes: &[u8]) -> Self {
        match Self::of_handshake(error) {
            Self::ServerNameUnknown(_) => Self::ServerNameUnknown(server_name_on_wire(first_bytes)),
            Self::ServerNameInvalid(_) => {
                let name = server_name_on_wire(first_bytes);
                Self::ServerNameInvalid(name.and_then(|name| server_name_flaw(&name).map(|flaw| (name, flaw))))
            }
            other => other,
        }
    }

    /// Classifies an error of reading or writing after the handshake.
    pub fn of_relay(error: &io::Error) -> Self {
        match tls_error(error) {
            Some(error) => Self::of_tls(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::CloseNotifyMissing,
            None => Self::of_transport(error),
        }
    }

    fn of_transport(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Self::Reset
            }
            _ => Self::Other(os_reason(error)),
        }
    }

    fn of_tls(error: &Error) -> Self {
        match error {
            Error::AlertReceived(alert) => {
                let code = u8::from(*alert);
                Self::AlertReceived { code, name: alert_name(code) }
            }
            Error::InvalidCertificate(flaw) => Self::of_certificate(flaw),
            Error::NoCertificatesPresented => Self::NoCertificateGiven,
            Error::PeerIncompatible(reason) => Self::ProtocolMismatch(of_incompatibility(reason)),
            Error::NoApplicationProtocol => Self::ProtocolMismatch("no application protocol".to_owned()),
            // rustls has no variant of its own for a resolver that returns nothing.
            Error::General(text) if text.starts_with("no server certificate chain resolved") => {
                Self::ServerNameUnknown(None)
            }
            Error::PeerMisbehaved(PeerMisbehaved::ServerNameMustContainOneHostName)
            | Error::InvalidMessage(InvalidMessage::InvalidServerName) => Self::ServerNameInvalid(None),
            // What TLS 1.2 calls `PeerIncompatible::NoSignatureSchemesInCommon`.
            Error::General(text) if text == "incompatible signing key" => {
                Self::ProtocolMismatch(NO_SIGNATURE_SCHEME.to_owned())
            }
            other => Self::Other(of_error(other)),
        }
    }

    fn of_certificate(flaw: &CertificateError) -> Self {
        use CertificateError as E;
        match flaw {
            E::Expired | E::ExpiredContext { .. } => Self::CertificateExpired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::CertificateNotYetValid,
            E::NotValidForNameContext { expected, presented } => {
                let names = first_of(presented.iter().map(|name| bare(name)), MOST_NAMES);
                let presented = if names.is_empty() { "no name".to_owned() } else { names };
                Self::CertificateName(format!("it must be for {} and has {presented}", expected.to_str()))
            }
            E::NotValidForName => Self::CertificateName("no certificate can carry the name that it must".to_owned()),
            E::UnknownIssuer => Self::CertificateUntrusted,
            E::Revoked => Self::CertificateRevoked,
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
                Self::CertificateInvalid("its extended key usage does not allow this use".to_owned())
            }
            // What pronk's own verifiers say is in words already.
            other => Self::CertificateInvalid(library_words::of_certificate(other)),
        }
    }

    /// Returns what happened, in words that follow "the client" or "the member".
    pub fn describe(&self) -> String {
        match self {
            Self::NotTls => "does not speak tls".to_owned(),
            Self::AlertReceived { code, name } => format!("sent the tls alert {code}, {name}"),
            Self::CertificateExpired => "showed a certificate that has expired".to_owned(),
            Self::CertificateNotYetValid => "showed a certificate that is not valid yet".to_owned(),
            Self::CertificateName(detail) => format!("showed a certificate with the wrong name: {detail}"),
            Self::CertificateUntrusted => "showed a certificate from an issuer that is not trusted".to_owned(),
            Self::CertificateRevoked => "showed a certificate that was revoked".to_owned(),
            Self::CertificateInvalid(detail) => format!("showed a certificate that is not valid: {detail}"),
            Self::NoCertificateGiven => "showed no certificate, and one is required".to_owned(),
            Self::ServerNameUnknown(None) => "sent no server name (SNI), and the profile requires one".to_owned(),
            // A dot at the end is passed over.
            Self::ServerNameUnknown(Some(name)) => match server_name_flaw(name.strip_suffix('.').unwrap_or(name)) {
                Some(flaw) => format!("asked for the server name \"{name}\" (SNI), which is no host name: {flaw}"),
                None => format!("asked for the server name \"{name}\" (SNI), which no certificate of the profile has"),
            },
            Self::ServerNameInvalid(None) => "sent a server name (SNI) that is not one host name".to_owned(),
            Self::ServerNameInvalid(Some((name, flaw))) => {
                format!("asked for the server name \"{name}\" (SNI), which is no host name: {flaw}")
            }
            Self::ProtocolMismatch(detail) => format!("has {detail} in common with the profile"),
            Self::CloseNotifyMissing => "closed the connection without close_notify".to_owned(),
            Self::Reset => "reset the connection".to_owned(),
            Self::Closed => "closed the connection in the middle of the handshake".to_owned(),
            Self::Other(detail) => format!("failed: {detail}"),
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn alert_name(code: u8) -> &'static str {
    ALERTS.iter().find(|(known, _)| *known == code).map_or("unknown", |(_, name)| name)
}

/// The registry's names (RFC 8446, 6), under which every other tool reports them.
const ALERTS: [(u8, &str); 29] = [
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (22, "record_overflow"),
    (40, "handshake_failure"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

/// Returns a name of a certificate without the kind before it: rustls tells `DnsName("node1.example.com")`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(error: Error) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    #[test]
    fn garbage_is_another_protocol_only_before_the_handshake() {
        let error = tls(InvalidMessage::InvalidContentType.into());
        assert_eq!(TlsFault::of_handshake(&error), TlsFault::NotTls);
        assert!(matches!(TlsFault::of_relay(&error), TlsFault::Other(_)));
    }

    #[test]
    fn end_of_stream_means_what_its_phase_makes_of_it() {
        let error = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(TlsFault::of_handshake(&error), TlsFault::Closed);
        assert_eq!(TlsFault::of_relay(&error), TlsFault::CloseNotifyMissing);
    }

    #[test]
    fn alerts_are_named_as_in_the_registry() {
        let fault = TlsFault::of_relay(&tls(Error::AlertReceived(rustls::AlertDescription::UnknownCA)));
        assert_eq!(fault.describe(), "sent the tls alert 48, unknown_ca");
        assert_eq!(alert_name(255), "unknown");
    }

    #[test]
    fn broken_pipe_is_a_reset() {
        assert_eq!(TlsFault::of_relay(&io::ErrorKind::BrokenPipe.into()), TlsFault::Reset);
    }

    #[test]
    fn names_of_a_certificate_are_told_bare() {
        assert_eq!(bare("DnsName(\"node1.example.com\")"), "node1.example.com");
        assert_eq!(bare("IpAddress(10.0.0.1)"), "10.0.0.1");
        assert_eq!(bare("node1.example.com"), "node1.example.com");
    }
}
