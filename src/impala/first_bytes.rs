//! The first bytes of a connection, which show the protocol of its sender. Impala's clients always send first.

/// What a client began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A TLS handshake record (RFC 8446, section 5.1).
    Tls,
    /// A Thrift binary message without SASL: an impalad without authentication.
    Thrift,
    /// A SASL START message (Thrift's `TSaslTransport`) for PLAIN: LDAP, or no authentication through SASL.
    SaslPlain,
    /// A SASL START message for GSSAPI: Kerberos.
    SaslKerberos,
    /// A SASL START message for another mechanism.
    SaslOther,
    /// HiveServer2 over HTTP, or a browser.
    Http,
    /// None of these, or too few bytes to recognise it.
    Unknown,
}

impl Opening {
    /// Returns what the first bytes are of; twelve are enough.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x16, 0x03, ..] => Self::Tls,
            [0x80, 0x01, 0x00, 0x01, ..] => Self::Thrift,
            [0x01, 0, 0, 0, 5, b'P', b'L', b'A', b'I', b'N', ..] => Self::SaslPlain,
            [0x01, 0, 0, 0, 6, b'G', b'S', b'S', b'A', b'P', b'I', ..] => Self::SaslKerberos,
            [0x01, 0, 0, 0, 1..=20, ..] => Self::SaslOther,
            _ if HTTP_METHODS.iter().any(|method| bytes.starts_with(method.as_bytes())) => Self::Http,
            _ => Self::Unknown,
        }
    }

    /// Returns words that fit "the client speaks …".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Thrift => "Thrift without TLS",
            Self::SaslPlain => "SASL PLAIN without TLS",
            Self::SaslKerberos => "Kerberos (SASL GSSAPI) without TLS",
            Self::SaslOther => "SASL without TLS",
            Self::Http => "HTTP without TLS",
            Self::Unknown => "no protocol that pronk knows",
        }
    }

    /// Returns the word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Thrift => "thrift",
            Self::SaslPlain => "sasl-plain",
            Self::SaslKerberos => "sasl-kerberos",
            Self::SaslOther => "sasl",
            Self::Http => "http",
            Self::Unknown => "unknown",
        }
    }

    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlain | Self::SaslKerberos | Self::SaslOther)
    }
}

/// Returns whether bytes begin a TLS record of any kind: an alert is what a TLS server answers plaintext with.
pub fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, ..])
}

const HTTP_METHODS: [&str; 6] = ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_client() {
        let table: [(&[u8], Opening); 9] = [
            (b"\x16\x03\x01\x02\x00\x01", Opening::Tls),
            (b"\x80\x01\x00\x01\x00\x00\x00\x11Ping", Opening::Thrift),
            (b"\x01\x00\x00\x00\x05PLAIN", Opening::SaslPlain),
            (b"\x01\x00\x00\x00\x06GSSAPI", Opening::SaslKerberos),
            (b"\x01\x00\x00\x00\x04NOPE", Opening::SaslOther),
            (b"POST /cliservice HTTP/1.1", Opening::Http),
            (b"OPTIONS / HTTP/1.1", Opening::Http),
            (b"\x16", Opening::Unknown),
            (b"", Opening::Unknown),
        ];
        for (bytes, opening) in table {
            assert_eq!(Opening::of(bytes), opening, "{bytes:?}");
        }
    }

    #[test]
    fn knows_a_tls_alert() {
        assert!(is_tls_record(b"\x15\x03\x03\x00\x02\x02\x16"));
        assert!(!is_tls_record(b"\x80\x01\x00\x02"));
    }
}
