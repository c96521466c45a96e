//! The first bytes of a connection, which show the protocol of its sender. Impala's clients always send first.

/// What a client began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A TLS handshake record (RFC 8446, section 5.1).
    Tls,
    /// A TLS record that is longer than any may be.
    TlsTooLong,
    /// A TLS record other than of a handshake: an alert, or the middle of a connection.
    TlsOutOfOrder,
    /// The hello of SSL 2.0, also as old clients sent it for later versions (RFC 6101, appendix E).
    Ssl2,
    /// TLS over datagrams.
    Dtls,
    /// The header of a proxy, as text.
    ProxyV1,
    /// The header of a proxy, in binary.
    ProxyV2,
    /// A Thrift binary message without SASL: an impalad without authentication.
    Thrift,
    /// A Thrift message with its length before it, which no port of an impalad takes without SASL.
    ThriftFramed,
    /// A SASL START message (Thrift's `TSaslTransport`) for PLAIN: LDAP, or no authentication through SASL.
    SaslPlain,
    /// A SASL START message for GSSAPI: Kerberos.
    SaslKerberos,
    /// A SASL START message for another mechanism.
    SaslOther,
    /// HiveServer2 over HTTP, or a browser.
    Http,
    Http2,
    Ssh,
    /// Remote desktop, which scanners look for everywhere.
    Rdp,
    Postgres,
    Smtp,
    /// None of these, or too few bytes to recognise it.
    Unknown,
}

impl Opening {
    /// Returns what the first bytes are of; twelve are enough.
    pub fn of(bytes: &[u8]) -> Self {
        let starts = |texts: &[&str]| texts.iter().any(|text| bytes.starts_with(text.as_bytes()));
        match bytes {
            [0x14..=0x17, 0x03, 0x00..=0x04, high, low, ..]
                if u16::from_be_bytes([*high, *low]) > LONGEST_TLS_RECORD =>
            {
                Self::TlsTooLong
            }
            [0x16, 0x03, 0x00..=0x04, ..] | [0x16, 0x03] => Self::Tls,
            [0x14 | 0x15 | 0x17, 0x03, 0x00..=0x04, ..] => Self::TlsOutOfOrder,
            [0x14..=0x17, 0xfe, 0xfd..=0xff, ..] => Self::Dtls,
            [0x80..=0xff, _, 0x01, 0x00, 0x02, ..] | [0x80..=0xff, _, 0x01, 0x03, 0x00..=0x03, ..] => Self::Ssl2,
            [0x80, 0x01, 0x00, 0x01, ..] => Self::Thrift,
            [_, _, _, _, 0x80, 0x01, 0x00, 0x01, ..] => Self::ThriftFramed,
            [0x01, 0, 0, 0, 5, b'P', b'L', b'A', b'I', b'N', ..] => Self::SaslPlain,
            [0x01, 0, 0, 0, 6, b'G', b'S', b'S', b'A', b'P', b'I', ..] => Self::SaslKerberos,
            [0x01, 0, 0, 0, 1..=20, ..] => Self::SaslOther,
            [0x03, 0, 0, _, _, 0xe0, ..] => Self::Rdp,
            [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f | 0x30, ..] | [0, 0, _, _, 0, 3, 0, 0..=2, ..] => Self::Postgres,
            _ if bytes.starts_with(PROXY_V2) => Self::ProxyV2,
            _ if starts(&["PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOW"]) => Self::ProxyV1,
            _ if starts(&["PRI * HTTP/2"]) => Self::Http2,
            _ if starts(&HTTP_METHODS) => Self::Http,
            _ if starts(&["SSH-"]) => Self::Ssh,
            _ if starts(&["EHLO ", "HELO ", "ehlo ", "helo "]) => Self::Smtp,
            _ => Self::Unknown,
        }
    }

    /// Returns words that fit "the client speaks …".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::TlsTooLong => "TLS in records that are longer than TLS allows (16 KiB)",
            Self::TlsOutOfOrder => "TLS and does not begin with a handshake",
            Self::Ssl2 => "SSL 2.0, or greets as it did; TLS 1.2 and 1.3 are served",
            Self::Dtls => "DTLS, which is for datagrams",
            Self::ProxyV1 => {
                "the PROXY protocol (version 1, text), which nothing here takes: let the proxy before pronk leave it out"
            }
            Self::ProxyV2 => {
                "the PROXY protocol (version 2, binary), which nothing here takes: let the proxy before pronk leave it out"
            }
            Self::Thrift => "Thrift without TLS",
            Self::ThriftFramed => "Thrift in frames without TLS",
            Self::SaslPlain => "SASL PLAIN without TLS",
            Self::SaslKerberos => "Kerberos (SASL GSSAPI) without TLS",
            Self::SaslOther => "SASL without TLS",
            Self::Http => "HTTP without TLS",
            Self::Http2 => "HTTP/2 without TLS",
            Self::Ssh => "SSH",
            Self::Rdp => "RDP (remote desktop), as scanners do",
            Self::Postgres => "PostgreSQL's protocol",
            Self::Smtp => "SMTP (mail)",
            Self::Unknown => "no protocol that pronk knows",
        }
    }

    /// Returns the word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::TlsTooLong => "tls-too-long",
            Self::TlsOutOfOrder => "tls-out-of-order",
            Self::Ssl2 => "ssl2",
            Self::Dtls => "dtls",
            Self::ProxyV1 => "proxy-v1",
            Self::ProxyV2 => "proxy-v2",
            Self::Thrift => "thrift",
            Self::ThriftFramed => "thrift-framed",
            Self::SaslPlain => "sasl-plain",
            Self::SaslKerberos => "sasl-kerberos",
            Self::SaslOther => "sasl",
            Self::Http => "http",
            Self::Http2 => "http2",
            Self::Ssh => "ssh",
            Self::Rdp => "rdp",
            Self::Postgres => "postgresql",
            Self::Smtp => "smtp",
            Self::Unknown => "unknown",
        }
    }

    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlain | Self::SaslKerberos | Self::SaslOther)
    }

    /// Returns whether it is a protocol of Impala's clients, of which a port may want another one.
    pub fn is_of_impala(self) -> bool {
        matches!(self, Self::Tls | Self::Thrift | Self::Http | Self::ThriftFramed) || self.is_sasl()
    }
}

/// Returns whether bytes begin a TLS record of any kind: an alert is what a TLS server answers plaintext with.
pub fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 0x03, 0x00..=0x04, ..])
}

/// Returns what a server speaks that was sent a TLS hello and answered so, in words that fit "it speaks …".
pub fn answered_instead_of_tls(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'H', b'T', b'T', b'P', b'/', ..] => "plain HTTP",
        [0x80, 0x01, ..] | [_, _, _, _, 0x80, 0x01, ..] => "Thrift without TLS",
        [0x01..=0x05, 0, _, _, _, ..] => "SASL without TLS",
        [b'S', b'S', b'H', b'-', ..] => "SSH",
        [b'2', b'2', b'0', b' ' | b'-', ..] => "SMTP (mail) or FTP",
        [b'E', _, _, _, _, b'S', ..] | [b'N' | b'S' | b'E'] => "PostgreSQL's protocol",
        [_, _, 0, 0, 0x0a, b'0'..=b'9', ..] => "MySQL's protocol",
        _ if bytes.starts_with(PROXY_V2) || bytes.starts_with(b"PROXY ") => "the PROXY protocol",
        [b'<', ..] => "HTML or XML",
        _ => "something that is not TLS",
    }
}

/// Bytes that a record may have, encrypted ones included (RFC 5246, section 6.2.3).
const LONGEST_TLS_RECORD: u16 = (16 << 10) + 2048;
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const HTTP_METHODS: [&str; 9] =
    ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "CONNECT ", "PATCH ", "TRACE "];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn openings_are_named() {
        let table: [(&[u8], &str); 37] = [
            (b"\x16\x03\x01\x02\x00\x01", "tls"),
            (b"\x16\x03\x03\x48\x00\x01", "tls"),
            (b"\x16\x03", "tls"),
            (b"\x16\x03\x01\x48\x01\x01", "tls-too-long"),
            (b"\x16\x03\x03\xff\xff", "tls-too-long"),
            (b"\x17\x03\x03\xff\xff", "tls-too-long"),
            (b"\x15\x03\x03\x00\x02\x02\x46", "tls-out-of-order"),
            (b"\x17\x03\x03\x00\x40", "tls-out-of-order"),
            (b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0", "dtls"),
            (b"\x80\x2e\x01\x00\x02\x00\x15", "ssl2"),
            (b"\x80\x67\x01\x03\x01\x00\x4e", "ssl2"),
            (b"\x81\x03\x01\x03\x03\x00\x4e", "ssl2"),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "proxy-v1"),
            (b"PROXY TCP6 2001:db8::1", "proxy-v1"),
            (b"PROXY UNKNOWN\r\n", "proxy-v1"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", "proxy-v2"),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\x00", "proxy-v2"),
            (b"\x80\x01\x00\x01\x00\x00\x00\x11Ping", "thrift"),
            (b"\x00\x00\x00\x20\x80\x01\x00\x01\x00\x00\x00\x11", "thrift-framed"),
            (b"\x01\x00\x00\x00\x05PLAIN", "sasl-plain"),
            (b"\x01\x00\x00\x00\x06GSSAPI", "sasl-kerberos"),
            (b"\x01\x00\x00\x00\x04NOPE", "sasl"),
            (b"POST /cliservice HTTP/1.1", "http"),
            (b"OPTIONS / HTTP/1.1", "http"),
            (b"CONNECT a:1 HTTP/1.1", "http"),
            (b"PRI * HTTP/2.0\r\n", "http2"),
            (b"SSH-2.0-OpenSSH_9.6", "ssh"),
            (b"\x03\x00\x00\x13\x0e\xe0\0\0\0\0\0\x01", "rdp"),
            (b"\0\0\0\x08\x04\xd2\x16\x2f", "postgresql"),
            (b"\0\0\0\x54\0\x03\0\0user\0", "postgresql"),
            (b"EHLO scanner\r\n", "smtp"),
            (b"\x16", "unknown"),
            (b"\x16\x03\x09\x00\x10", "unknown"),
            (b"PROXY ", "unknown"),
            (b"\r\n\r\n", "unknown"),
            (b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54", "unknown"),
            (b"", "unknown"),
        ];
        for (bytes, word) in table {
            assert_eq!(Opening::of(bytes).as_str(), word, "{bytes:?}");
        }
    }

    #[test]
    fn answers_to_a_hello_are_named() {
        let table: [(&[u8], &str); 10] = [
            (b"HTTP/1.1 400 Bad Request", "plain HTTP"),
            (b"\x80\x01\x00\x03\x00\x00", "Thrift without TLS"),
            (b"\x00\x00\x00\x20\x80\x01\x00\x03", "Thrift without TLS"),
            (b"\x04\x00\x00\x00\x12Invalid", "SASL without TLS"),
            (b"SSH-2.0-OpenSSH", "SSH"),
            (b"220 mail", "SMTP (mail) or FTP"),
            (b"\x4a\0\0\0\x0a8.0.36\0", "MySQL's protocol"),
            (b"<html>", "HTML or XML"),
            (b"E\0\0\0\x60SFATAL", "PostgreSQL's protocol"),
            (b"hello", "something that is not TLS"),
        ];
        for (bytes, expected) in table {
            assert_eq!(answered_instead_of_tls(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn knows_a_tls_alert() {
        assert!(is_tls_record(b"\x15\x03\x03\x00\x02\x02\x16"));
        assert!(!is_tls_record(b"\x80\x01\x00\x02"));
    }

    proptest! {
        /// What comes after the twelve bytes that are kept changes nothing, and fewer bytes are never taken for another
        /// protocol of Impala's than more of them.
        #[test]
        fn twelve_bytes_are_enough(bytes in prop::collection::vec(any::<u8>(), 0..40), known in 0_usize..20) {
            const BEGINNINGS: [&[u8]; 8] = [b"\x16\x03\x01", b"\x80\x01\x00\x01", b"\x01\0\0\0", b"PROXY TCP4 ",
                PROXY_V2, b"GET ", b"\x80\x2e\x01\x00\x02", b"\0\0\0\x08"];
            for begin in BEGINNINGS.iter().chain([&&b""[..]]) {
                let bytes = [begin, &bytes[..]].concat();
                let whole = Opening::of(&bytes);
                prop_assert_eq!(Opening::of(&bytes[..bytes.len().min(12)]), whole);
                prop_assert!(!whole.describe().is_empty());
                let _ = (Opening::of(&bytes[..known.min(bytes.len())]), answered_instead_of_tls(&bytes));
            }
        }
    }
}
