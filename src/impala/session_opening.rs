//! What a client sends to begin a session, which may be sent to another daemon as it asks for nothing yet.

use super::first_bytes::Opening;
use super::thrift;

/// Returns whether bytes are a whole opening that every daemon answers at once, and that leaves nothing behind in one that
/// does not: a ClientHello, a SASL negotiation's first messages, a call of `OpenSession` or of a ping. A part of one
/// rightly has no answer, and what has more may be a query.
pub fn opens_session(bytes: &[u8]) -> bool {
    match Opening::of(bytes) {
        Opening::Tls => is_client_hello(bytes),
        Opening::SaslPlain | Opening::SaslKerberos | Opening::SaslOther => is_sasl_begin(bytes),
        Opening::Thrift => is_opening_call(bytes),
        Opening::Http => body(bytes).is_some_and(is_opening_call),
        Opening::Unknown => false,
    }
}

/// One record with a ClientHello (RFC 8446, section 4.1.2). After it there would be early data, which may be a query.
fn is_client_hello(bytes: &[u8]) -> bool {
    match bytes {
        [0x16, 0x03, _, high, low, message @ ..] => {
            message.first() == Some(&1) && message.len() == usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    }
}

/// START with the mechanism, and the first response. After START alone a daemon waits for that.
fn is_sasl_begin(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for statuses in [&[SASL_START][..], &[SASL_OK, SASL_COMPLETE]] {
        let [status, a, b, c, d, text @ ..] = rest else { return false };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        match text.get(length..) {
            Some(after) if statuses.contains(status) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

fn is_opening_call(bytes: &[u8]) -> bool {
    thrift::called(bytes).is_some_and(|method| OPENING_CALLS.iter().any(|name| method == name.as_bytes()))
}

/// The body of an HTTP request.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
    bytes.get(head + HEAD_END.len()..)
}

/// Calls that clients begin with. Impala's shell pings before it opens a session.
const OPENING_CALLS: [&str; 3] = ["OpenSession", "PingImpalaService", "PingImpalaHS2Service"];
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
            call("PingImpalaHS2Service"),
            post(&call("OpenSession")),
        ];
        for opening in all {
            assert!(opens_session(&opening), "{opening:?}");
            for end in 0..opening.len() {
                assert!(!opens_session(&opening[..end]), "{end} bytes of {opening:?}");
            }
            assert!(!opens_session(&[&opening[..], b"x"].concat()), "and more: {opening:?}");
            assert!(!opens_session(&opening.repeat(2)), "twice: {opening:?}");
        }
    }

    #[test]
    fn what_may_be_a_query_is_none() {
        for other in [
            call("ExecuteStatement"),
            call("query"),
            call("GetInfo"),
            post(&call("ExecuteStatement")),
            post(b"{}"),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            sasl(&[(1, b"PLAIN"), (3, b"")]),
            sasl(&[(2, b"PLAIN"), (2, b"")]),
            b"SSH-2.0-OpenSSH\r\n".to_vec(),
        ] {
            assert!(!opens_session(&other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(begin in prop::sample::select(vec![hello(9), sasl(&[(1, b"PLAIN")]), call("OpenSession")]),
                                keep in 0..40_usize, more in prop::collection::vec(any::<u8>(), 0..300)) {
            opens_session(&[&begin[..keep.min(begin.len())], &more].concat());
        }
    }
}
