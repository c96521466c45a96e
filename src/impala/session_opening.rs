//! What a client sends to begin a session, which may be sent to another daemon as it asks for nothing yet.

use std::cmp::Ordering;

use super::first_bytes::Opening;
use super::thrift::{self, Unread};

/// What a client's first bytes are of an opening: a ClientHello, a SASL negotiation's first messages, a call of
/// `OpenSession` or of a ping. Every daemon answers one at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOpening {
    /// All of one, and nothing else. It can be sent to another daemon, as it runs nothing.
    Whole,
    /// A part of one. A daemon waits for the rest.
    InPart,
    /// Something else, or more than one: it may be a query.
    No,
}

impl SessionOpening {
    /// Returns what these first bytes of a client are.
    pub fn of(bytes: &[u8]) -> Self {
        match Opening::of(bytes) {
            Opening::Tls => client_hello(bytes),
            Opening::SaslPlain | Opening::SaslKerberos | Opening::SaslOther => sasl_begin(bytes),
            Opening::Thrift => opening_call(bytes),
            Opening::Http => http_request(bytes),
            Opening::Unknown if bytes.len() < RECOGNISED => Self::InPart,
            _ => Self::No,
        }
    }

    /// Returns what bytes are that are whole with so many.
    fn of_length(bytes: &[u8], whole: usize) -> Self {
        match bytes.len().cmp(&whole) {
            Ordering::Less => Self::InPart,
            Ordering::Equal => Self::Whole,
            Ordering::Greater => Self::No,
        }
    }
}

/// One record with a ClientHello (RFC 8446, section 4.1.2). After it there would be early data, which may be a query.
fn client_hello(bytes: &[u8]) -> SessionOpening {
    match bytes {
        [_, _, _, high, low, message @ ..] if message.first().is_none_or(|kind| *kind == CLIENT_HELLO) => {
            SessionOpening::of_length(message, usize::from(u16::from_be_bytes([*high, *low])))
        }
        [_, _, _, _, _, ..] => SessionOpening::No,
        _ => SessionOpening::InPart,
    }
}

/// START with the mechanism, and the first response. After START alone a daemon waits for that.
fn sasl_begin(bytes: &[u8]) -> SessionOpening {
    let mut rest = bytes;
    for statuses in [&[SASL_START][..], &[SASL_OK, SASL_COMPLETE]] {
        let (status, length, text) = match rest {
            [status, a, b, c, d, text @ ..] => (status, u32::from_be_bytes([*a, *b, *c, *d]) as usize, text),
            [status, ..] if !statuses.contains(status) => return SessionOpening::No,
            _ => return SessionOpening::InPart,
        };
        match text.get(length..) {
            _ if !statuses.contains(status) => return SessionOpening::No,
            Some(after) => rest = after,
            None => return SessionOpening::InPart,
        }
    }
    if rest.is_empty() { SessionOpening::Whole } else { SessionOpening::No }
}

fn opening_call(bytes: &[u8]) -> SessionOpening {
    let begins_so = |name: &&str| {
        let head = [CALL, &(name.len() as u32).to_be_bytes(), name.as_bytes()].concat();
        bytes.iter().zip(&head).all(|(byte, expected)| byte == expected)
    };
    match thrift::called(bytes) {
        _ if !OPENING_CALLS.iter().any(begins_so) => SessionOpening::No,
        Ok(_) => SessionOpening::Whole,
        Err(Unread::Incomplete) => SessionOpening::InPart,
        Err(Unread::NotThrift) => SessionOpening::No,
    }
}

/// A request with an opening call as its body. Its session outlives the connection, so that a daemon which goes on later
/// has one that nobody uses, until its idle timeout.
fn http_request(bytes: &[u8]) -> SessionOpening {
    match bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
        Some(head) => match bytes.get(head + HEAD_END.len()..).unwrap_or_default() {
            [] => SessionOpening::InPart,
            body => opening_call(body),
        },
        None => SessionOpening::InPart,
    }
}

/// Calls that need no session: Impala's shell pings before it opens one over Beeswax.
const OPENING_CALLS: [&str; 2] = ["OpenSession", "PingImpalaService"];
/// A call in the strict binary protocol.
const CALL: &[u8] = b"\x80\x01\x00\x01";
/// With so many bytes the protocol is recognised, if it is one that pronk knows.
const RECOGNISED: usize = 12;
const CLIENT_HELLO: u8 = 1;
const SASL_START: u8 = 1;
const SASL_OK: u8 = 2;
const SASL_COMPLETE: u8 = 5;
const HEAD_END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(method: &str) -> Vec<u8> {
        let head = [&b"\x80\x01\x00\x01"[..], &(method.len() as u32).to_be_bytes(), method.as_bytes()].concat();
        // One argument: a struct with a text.
        [&head, &b"\0\0\0\0\x0c\0\x01\x0b\0\x01\0\0\0\x05hello\0\0"[..]].concat()
    }

    fn sasl(messages: &[(u8, &[u8])]) -> Vec<u8> {
        let one = |(status, text): &(u8, &[u8])| [&[*status][..], &(text.len() as u32).to_be_bytes(), text].concat();
        messages.iter().flat_map(one).collect()
    }

    fn hello(length: usize) -> Vec<u8> {
        let record = [&b"\x16\x03\x01"[..], &(length as u16).to_be_bytes(), b"\x01"].concat();
        [record, vec![7; length - 1]].concat()
    }

    fn post(body: &[u8]) -> Vec<u8> {
        let head = format!("POST /cliservice HTTP/1.1\r\nHost: n1\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn whole_openings_are_known_and_no_part_of_one_and_nothing_after_it() {
        let all = [
            hello(200),
            hello(1700),
            sasl(&[(1, b"PLAIN"), (2, b"\0user\0password")]),
            sasl(&[(1, b"PLAIN"), (5, b"\0user\0password")]),
            sasl(&[(1, b"GSSAPI"), (2, &[7; 900])]),
            sasl(&[(1, b"OTHER"), (2, b"")]),
            call("OpenSession"),
            call("PingImpalaService"),
            post(&call("OpenSession")),
        ];
        for opening in all {
            assert_eq!(SessionOpening::of(&opening), SessionOpening::Whole, "{opening:?}");
            for end in 0..opening.len() {
                let part = SessionOpening::of(&opening[..end]);
                assert_eq!(part, SessionOpening::InPart, "{end} bytes of {opening:?}");
            }
            for more in [[&opening[..], b"x"].concat(), opening.repeat(2)] {
                assert_eq!(SessionOpening::of(&more), SessionOpening::No, "{more:?}");
            }
        }
    }

    #[test]
    fn what_may_be_a_query_is_none() {
        for other in [
            call("ExecuteStatement"),
            call("query"),
            call("GetInfo"),
            // It asks for the state of a session.
            call("PingImpalaHS2Service"),
            post(&call("ExecuteStatement")),
            post(b"{}"),
            sasl(&[(1, b"PLAIN"), (3, b"")]),
            sasl(&[(2, b"PLAIN"), (2, b"")]),
            b"SSH-2.0-OpenSSH\r\n".to_vec(),
        ] {
            assert_eq!(SessionOpening::of(&other), SessionOpening::No, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(begin in prop::sample::select(vec![hello(9), sasl(&[(1, b"PLAIN")]), call("OpenSession")]),
                                keep in 0..40_usize, more in prop::collection::vec(any::<u8>(), 0..300)) {
            SessionOpening::of(&[&begin[..keep.min(begin.len())], &more].concat());
        }
    }
}
