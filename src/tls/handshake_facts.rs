//! What a finished handshake agreed on.

use rustls::{ClientConnection, CommonState, HandshakeKind, ProtocolVersion, ServerConnection};

use super::MemberTls;
use super::client_hello::server_name_on_wire;
use crate::cert::names;
use crate::log;
use crate::words::bounded_to;

/// What a finished handshake agreed on, for the close record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.3`
    pub version: &'static str,
    /// The suite's registered name, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'static str,
    /// The key exchange's, such as `X25519MLKEM768`; none for a resumed TLS 1.2 session.
    pub group: Option<&'static str>,
    /// The server name that the connecting side sent.
    pub sni: Option<String>,
    pub resumed: bool,
    pub alpn: Option<String>,
    /// The subject of the peer's certificate, if it showed one; no more of it than the log shows.
    pub peer_subject: Option<String>,
}

impl TlsFacts {
    /// Returns the facts of a connection from a client whose first bytes were these. A server name is told as it was sent
    /// where rustls tells another: it passes over an IP address, and over a dot at the end.
    pub fn of_client_side(connection: &ServerConnection, first_bytes: &[u8]) -> Self {
        let name = connection.server_name();
        let is_other = |sent: &String| name.is_none_or(|name| !name.eq_ignore_ascii_case(sent));
        let sent = server_name_on_wire(first_bytes).filter(is_other);
        Self::of(connection, sent.or_else(|| name.map(str::to_owned)))
    }

    /// Returns the facts of a connection to a member.
    pub fn of_member_side(connection: &ClientConnection, member: &MemberTls) -> Self {
        Self::of(connection, member.sni.clone())
    }

    fn of(state: &CommonState, sni: Option<String>) -> Self {
        Self {
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "unknown",
            },
            cipher: state
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map_or("unknown", registered_name),
            group: state.negotiated_key_exchange_group().and_then(|group| group.name().as_str()),
            sni,
            resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
            alpn: state.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            peer_subject: state
                .peer_certificates()
                .and_then(|chain| chain.first())
                .and_then(names::subject)
                .filter(|subject| !subject.is_empty())
                .map(|subject| bounded_to(&subject, log::MOST_LETTERS).into_owned()),
        }
    }
}

/// Returns the registered name of a suite. rustls puts `TLS13` before the names of TLS 1.3's; the registry, and so
/// every other tool, puts `TLS`.
fn registered_name(suite: &'static str) -> &'static str {
    match suite {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
