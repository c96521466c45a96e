//! What an impalad can be asked without credentials, in bytes, and what the answer means.

use super::answer::Answer;
use super::first_bytes::is_tls_record;
use super::thrift::{Unread, texts};

/// A question that any impalad answers, whoever asks, and that leaves nothing behind there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// HiveServer2 without SASL: GetInfo for a session that cannot be. A daemon that shuts down answers so.
    Hs2Info,
    /// Beeswax without SASL: PingImpalaService. It does not show a shutdown.
    BeeswaxPing,
    /// SASL (LDAP or Kerberos): START with a mechanism that there is not. Setup threads and SASL answer.
    SaslStart,
    /// HiveServer2 over HTTP: OPTIONS, which needs no authentication. A GET would be dropped without an answer.
    HttpOptions,
}

impl Question {
    /// Returns the bytes to send.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Hs2Info => HS2_INFO,
            Self::BeeswaxPing => BEESWAX_PING,
            Self::SaslStart => SASL_START,
            Self::HttpOptions => HTTP_OPTIONS,
        }
    }

    /// Returns what the bytes mean that were answered so far.
    pub fn answer(self, bytes: &[u8]) -> Answer {
        if is_tls_record(bytes) {
            return Answer::Tls;
        }
        match self {
            Self::Hs2Info | Self::BeeswaxPing if bytes.starts_with(b"HTTP/") => {
                Answer::Foreign("speaks HTTP: write `protocol: hs2-http`".into())
            }
            Self::Hs2Info | Self::BeeswaxPing => match texts(bytes) {
                Ok(texts) if texts.iter().any(|text| contains(text, SHUTTING_DOWN)) => Answer::Draining,
                Ok(_) => Answer::Alive,
                Err(Unread::Incomplete) => Answer::Incomplete,
                Err(Unread::NotThrift) => Answer::Foreign("answers something that is not Thrift".into()),
            },
            Self::SaslStart => sasl(bytes),
            Self::HttpOptions => http(bytes),
        }
    }
}

/// A whole SASL message of any status is an answer: a server that does not know the mechanism answers BAD and which.
fn sasl(bytes: &[u8]) -> Answer {
    let not_sasl = || Answer::Foreign("answers something that is not SASL".into());
    match bytes {
        [0x01..=0x05, a, b, c, d, text @ ..] => match u32::from_be_bytes([*a, *b, *c, *d]) as usize {
            length if length > LONGEST_SASL => not_sasl(),
            length if text.len() < length => Answer::Incomplete,
            _ => Answer::Alive,
        },
        [] | [0x01..=0x05, ..] => Answer::Incomplete,
        _ => not_sasl(),
    }
}

/// Judges a status line. A server error is no answer that a client could live with.
fn http(bytes: &[u8]) -> Answer {
    let not_http = || Answer::Foreign("answers something that is not HTTP".into());
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        let begins = HTTP.starts_with(bytes) || bytes.starts_with(HTTP);
        return if begins && bytes.len() < LONGEST_LINE { Answer::Incomplete } else { not_http() };
    };
    let line = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    let mut words = line.split_whitespace();
    let version = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match words.next().and_then(|word| word.parse::<u16>().ok()) {
        Some(code) if version && (100..500).contains(&code) => Answer::Alive,
        Some(code) if version => Answer::Foreign(format!("answers OPTIONS with {code}")),
        _ => not_http(),
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// GetInfo(CLI_DBMS_VERSION) with a session handle of zeros.
const HS2_INFO: &[u8] = b"\x80\x01\x00\x01\0\0\0\x07GetInfo\0\0\0\0\
    \x0c\0\x01\x0c\0\x01\x0c\0\x01\
    \x0b\0\x01\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x0b\0\x02\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\x08\0\x02\0\0\0\x12\0\0";
const BEESWAX_PING: &[u8] = b"\x80\x01\x00\x01\0\0\0\x11PingImpalaService\0\0\0\0\0";
const SASL_START: &[u8] = b"\x01\0\0\0\x04NOPE";
const HTTP_OPTIONS: &[u8] =
    b"OPTIONS / HTTP/1.1\r\nHost: impalad\r\nUser-Agent: pronk\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const HTTP: &[u8] = b"HTTP/1.";
const SHUTTING_DOWN: &[u8] = b"Server is being shut down";
const LONGEST_SASL: usize = 64 << 10;
const LONGEST_LINE: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Returns a reply to GetInfo whose status is an error with this message.
    fn refused(message: &str) -> Vec<u8> {
        let status = [b"\x08\0\x01\0\0\0\x03\x0b\0\x05", &(message.len() as u32).to_be_bytes()[..], message.as_bytes()];
        let head: &[u8] = b"\x80\x01\x00\x02\0\0\0\x07GetInfo\0\0\0\0\x0c\0\0\x0c\0\x01";
        [head, &status.concat(), b"\0\0\0"].concat()
    }

    #[test]
    fn questions_are_these_bytes() {
        let zeros = "00".repeat(16);
        let info = format!(
            "8001000100000007476574496e666f000000000c00010c00010c00010b000100000010{zeros}0b000200000010{zeros}\
             0000080002000000120000"
        );
        assert_eq!(Question::Hs2Info.bytes(), hex(&info));
        let ping = "800100010000001150696e67496d70616c61536572766963650000000000";
        assert_eq!(Question::BeeswaxPing.bytes(), hex(ping));
        assert_eq!(Question::SaslStart.bytes(), hex("01000000044e4f5045"));
    }

    #[test]
    fn unknown_session_is_life_and_shutdown_is_draining() {
        let ask = |bytes: &[u8]| Question::Hs2Info.answer(bytes);
        let alive = refused("Invalid session id: 0000000000000000:0000000000000000");
        assert_eq!(ask(&alive), Answer::Alive);
        assert_eq!(ask(&refused("Server is being shut down: no more.")), Answer::Draining);
        for end in 0..alive.len() {
            assert_eq!(ask(&alive[..end]), Answer::Incomplete, "{end}");
        }
    }

    #[test]
    fn unknown_mechanism_is_life() {
        let said = b"Unsupported mechanism type NOPE";
        let answer = [b"\x03\0\0\0", &[said.len() as u8][..], said].concat();
        assert_eq!(Question::SaslStart.answer(&answer), Answer::Alive);
        assert_eq!(Question::SaslStart.answer(&answer[..20]), Answer::Incomplete);
        assert!(matches!(Question::SaslStart.answer(b"\x03\xff\xff\xff\xff"), Answer::Foreign(_)));
        assert!(matches!(Question::SaslStart.answer(b"\x80\x01\0\x03"), Answer::Foreign(_)));
    }

    #[test]
    fn options_are_answered_by_any_status_but_a_server_error() {
        let ask = |line: &str| Question::HttpOptions.answer(line.as_bytes());
        assert_eq!(ask("HTTP/1.1 200 OK\r\n"), Answer::Alive);
        assert_eq!(ask("HTTP/1.0 401 Unauthorized\r\n"), Answer::Alive);
        assert_eq!(ask("HTTP/1.1 503 Busy\r\n"), Answer::Foreign("answers OPTIONS with 503".into()));
        assert_eq!(ask("HTTP/1.1 200"), Answer::Incomplete);
        assert!(matches!(ask("SSH-2.0-OpenSSH\r\n"), Answer::Foreign(_)));
        assert!(matches!(ask("SSH-2.0"), Answer::Foreign(_)));
    }

    #[test]
    fn other_protocols_are_named() {
        let alert = b"\x15\x03\x03\0\x02\x02\x16";
        for question in [Question::Hs2Info, Question::BeeswaxPing, Question::SaslStart, Question::HttpOptions] {
            assert_eq!(question.answer(alert), Answer::Tls);
        }
        let http = Question::Hs2Info.answer(b"HTTP/1.1 400 Bad Request\r\n");
        assert_eq!(http, Answer::Foreign("speaks HTTP: write `protocol: hs2-http`".into()));
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_meaning(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for question in [Question::Hs2Info, Question::BeeswaxPing, Question::SaslStart, Question::HttpOptions] {
                let _ = question.answer(&bytes);
            }
        }
    }
}
