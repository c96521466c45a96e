//! The server name (SNI) in a ClientHello as it came over the wire: rustls tells no more of a name that is none.

use std::net::IpAddr;

use crate::words::shown;

/// Returns the server name in the first bytes of a connection; none if the client sent none, or more than is known.
pub fn server_name_on_wire(bytes: &[u8]) -> Option<String> {
    let hello = handshake_bytes(bytes);
    let mut fields = Reader(&hello);
    if fields.take(1)? != [CLIENT_HELLO] {
        return None;
    }
    // The hello's length, version and random, then what comes before its extensions.
    fields.take(3 + 2 + 32)?;
    fields.counted(1)?;
    fields.counted(2)?;
    fields.counted(1)?;
    fields.take(2)?;
    loop {
        let kind = fields.take(2)?;
        let extension = fields.counted(2)?;
        if kind == SERVER_NAME {
            let mut list = Reader(Reader(extension).counted(2)?);
            return (list.take(1)? == [HOST_NAME]).then(|| list.counted(2)).flatten().map(words);
        }
    }
}

/// Returns why a server name is no host name (RFC 6066, section 3), in words that follow "which is no host name:"; none
/// if it is one.
pub(super) fn server_name_flaw(name: &str) -> Option<String> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let port = name.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()));
    let labels = || name.split('.');
    let odd = name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_')));
    Some(match () {
        () if name.is_empty() => "it is empty".to_owned(),
        () if bare.parse::<IpAddr>().is_ok() => "it is an IP address".to_owned(),
        () if name.contains("://") => "it is a URL".to_owned(),
        () if port.is_some() => "it has a port".to_owned(),
        () if name.contains('*') => "it has a wildcard, which only certificates may have".to_owned(),
        () if name.ends_with('.') => "it ends with a dot".to_owned(),
        () if !name.is_ascii() => "it has letters beyond ASCII, which are sent as punycode (xn--)".to_owned(),
        () if odd.is_some() => format!("it has the character {:?}", odd.unwrap_or_default()),
        () if labels().any(|label| label.starts_with('-')) => "a label of it begins with a hyphen".to_owned(),
        () if labels().any(|label| label.ends_with('-')) => "a label of it ends with a hyphen".to_owned(),
        () if labels().any(str::is_empty) => "a label of it is empty".to_owned(),
        () if labels().any(|label| label.len() > 63) => "a label of it has more than 63 characters".to_owned(),
        () if name.len() > 253 => "it has more than 253 characters".to_owned(),
        () if labels().next_back().is_some_and(is_number) => "it ends with a number".to_owned(),
        () => return None,
    })
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|it| it.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|it| it.is_ascii_hexdigit()))
}

/// Returns what the handshake records at the beginning carry.
fn handshake_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut records = Reader(bytes);
    let mut hello = Vec::new();
    while records.take(1) == Some(&[HANDSHAKE]) && records.take(2).is_some() {
        let rest = records.0;
        match records.counted(2) {
            Some(part) => hello.extend(part),
            // The last record is known in part.
            None => {
                hello.extend(rest.get(2..).unwrap_or_default());
                break;
            }
        }
    }
    hello
}

/// Returns a name as it can be shown: what is no text is escaped, and what is very long is cut.
fn words(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("{}…", shown(&cut)) } else { shown(&cut) }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes what follows its own length, a number of so many bytes.
    fn counted(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.take(bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: [u8; 2] = [0, 0];
const HOST_NAME: u8 = 0;
/// Characters of a name that are shown; no host name has more.
const LONGEST: usize = 253;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore};
    use rustls_pki_types::DnsName;

    use super::*;

    /// The first bytes of a client that asks for a name, which is replaced by one of the same length.
    fn hello(name: &[u8]) -> Vec<u8> {
        let placeholder = "a".repeat(name.len());
        let config =
            ClientConfig::builder_with_provider(crate::tls::provider(crate::model::profile::CipherGroup::Default))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
        let server = DnsName::try_from(placeholder.clone()).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), server.into()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        let at = bytes.windows(name.len()).position(|it| it == placeholder.as_bytes()).unwrap();
        bytes[at..at + name.len()].copy_from_slice(name);
        bytes
    }

    #[test]
    fn name_is_read_as_it_is_sent() {
        assert_eq!(server_name_on_wire(&hello(b"lb.example.com:21050")).as_deref(), Some("lb.example.com:21050"));
        assert_eq!(server_name_on_wire(&hello(b"\x1b[31m")).as_deref(), Some("\\u{1b}[31m"));
        let whole = hello(b"lb.example.com");
        for cut in 0..whole.len() {
            let known = server_name_on_wire(&whole[..cut]);
            assert!(known.is_none_or(|name| name == "lb.example.com"), "{cut}");
        }
        // In two records.
        let (head, body) = whole.split_at(5);
        let record = |part: &[u8]| [&head[..3], &(part.len() as u16).to_be_bytes(), part].concat();
        let split = [record(&body[..50]), record(&body[50..])].concat();
        assert_eq!(server_name_on_wire(&split).as_deref(), Some("lb.example.com"));
        assert_eq!(server_name_on_wire(b"GET / HTTP/1.1"), None);
    }

    #[test]
    fn names_that_are_none_are_told_apart() {
        for (name, words) in [
            ("lb.example.com:21050", "a port"),
            ("*.example.com", "a wildcard"),
            ("-lb.example.com", "begins with a hyphen"),
            ("lb.-example.com", "begins with a hyphen"),
            ("lb-.example.com", "ends with a hyphen"),
            ("10.0.0.1", "an IP address"),
            ("2001:db8::1", "an IP address"),
            ("[2001:db8::1]", "an IP address"),
            ("[2001:db8::1]:21050", "a port"),
            ("lb.example.com.", "ends with a dot"),
            ("lb..example.com", "empty"),
            (".example.com", "empty"),
            ("", "empty"),
            ("https://lb.example.com", "a URL"),
            ("lb example", "the character ' '"),
            ("lb/example", "the character '/'"),
            ("münchen.example.com", "punycode"),
            ("lb.example.1", "ends with a number"),
        ] {
            let flaw = server_name_flaw(name).unwrap_or_else(|| panic!("{name} is a host name"));
            assert!(flaw.contains(words), "{name}: {flaw}");
        }
        assert!(server_name_flaw(&"a".repeat(64)).unwrap().contains("63"));
        assert!(server_name_flaw("a.".repeat(127).trim_end_matches('.')).is_none());
        assert!(server_name_flaw(&["a.".repeat(127), "aa".to_owned()].concat()).unwrap().contains("253"));
    }

    #[test]
    fn what_the_library_refuses_has_a_flaw() {
        for name in ["lb.example.com", "lb_1.example.com", "a", "xn--mnchen-3ya.de", "1.example.com", "0x.example.com"]
        {
            assert_eq!(server_name_flaw(name), None, "{name}");
        }
        let pieces = ["a", "-", ".", "1", "0x", "_", "*", ":", "%", "é", "10"];
        for one in pieces {
            for two in pieces {
                for three in pieces {
                    let name = [one, two, three].concat();
                    let is_taken = DnsName::try_from(name.as_str()).is_ok() && !name.ends_with('.');
                    assert_eq!(server_name_flaw(&name).is_none(), is_taken, "{name}: {:?}", server_name_flaw(&name));
                }
            }
        }
    }
}
