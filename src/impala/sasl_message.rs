//! Messages of Thrift's SASL negotiation: a status byte, a length, a text.

/// What a server says in a SASL negotiation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaslMessage {
    pub status: SaslStatus,
    pub text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslStatus {
    /// The negotiation goes on.
    Ok,
    /// The login is refused, with the reason as text.
    Bad,
    /// The negotiation failed, with the reason as text.
    Error,
    /// The login is done.
    Complete,
}

impl SaslMessage {
    /// Reads a server's message: `None` while it is not whole, and `Some(None)` if it is none.
    pub fn read(bytes: &[u8]) -> Option<Option<Self>> {
        let (&status, rest) = bytes.split_first()?;
        let status = match status {
            2 => SaslStatus::Ok,
            3 => SaslStatus::Bad,
            4 => SaslStatus::Error,
            5 => SaslStatus::Complete,
            _ => return Some(None),
        };
        let (length, text) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > LONGEST {
            return Some(None);
        }
        Some(Some(Self { status, text: text.get(..length)?.to_vec() }))
    }

    /// Returns the text, with what is not UTF-8 replaced.
    pub fn words(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// Returns what a client sends to begin a login: START with the mechanism, and OK with its first response.
pub fn sasl_begin(mechanism: &str, response: &[u8]) -> Vec<u8> {
    let message = |status: u8, text: &[u8]| [&[status][..], &(text.len() as u32).to_be_bytes(), text].concat();
    [message(1, mechanism.as_bytes()), message(2, response)].concat()
}

const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_when_they_are_whole() {
        let said = b"\x03\0\0\0\x02no";
        for end in 0..said.len() {
            assert_eq!(SaslMessage::read(&said[..end]), None, "{end}");
        }
        let read = SaslMessage::read(said).unwrap().unwrap();
        assert_eq!((read.status, read.words()), (SaslStatus::Bad, "no".to_owned()));
        assert_eq!(SaslMessage::read(b"\x80\x01\0\x02"), Some(None));
        assert_eq!(SaslMessage::read(b"\x03\xff\xff\xff\xff"), Some(None));
        assert_eq!(sasl_begin("PLAIN", b"x"), b"\x01\0\0\0\x05PLAIN\x02\0\0\0\x01x");
    }
}
