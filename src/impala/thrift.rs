//! Thrift messages in the binary protocol, as far as a probe needs them: where they end, and the texts in them.

/// Why the texts of a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Incomplete,
    NotThrift,
}

/// Returns every text in a whole reply or exception. Never reads past `bytes`, and never deeper than a fixed depth.
///
/// # Errors
/// Why there is none.
pub(super) fn texts(bytes: &[u8]) -> Result<Vec<&[u8]>, Unread> {
    let mut cursor = Cursor { bytes, texts: Vec::new() };
    // Version 1, strict; then a reply (2) or an exception (3).
    let version = cursor.u32()?;
    if !matches!(version, 0x8001_0002 | 0x8001_0003) {
        return Err(Unread::NotThrift);
    }
    cursor.text()?;
    cursor.u32()?;
    // The method's name is no text of the message.
    cursor.texts.clear();
    cursor.value(STRUCT, DEEPEST)?;
    Ok(cursor.texts)
}

/// Reads one whole call, with nothing after it.
///
/// # Errors
/// Why it is none.
pub(super) fn called(bytes: &[u8]) -> Result<(), Unread> {
    let mut cursor = Cursor { bytes, texts: Vec::new() };
    // Version 1, strict; then a call (1).
    if cursor.u32()? != 0x8001_0001 {
        return Err(Unread::NotThrift);
    }
    cursor.text()?;
    cursor.u32()?;
    cursor.value(STRUCT, DEEPEST)?;
    if cursor.bytes.is_empty() { Ok(()) } else { Err(Unread::NotThrift) }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    texts: Vec<&'a [u8]>,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unread> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Unread::Incomplete)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, Unread> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or_default())
    }

    fn u32(&mut self) -> Result<u32, Unread> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn text(&mut self) -> Result<(), Unread> {
        let length = self.u32()? as usize;
        if length > LONGEST {
            return Err(Unread::NotThrift);
        }
        let text = self.take(length)?;
        self.texts.push(text);
        Ok(())
    }

    fn value(&mut self, kind: u8, depth: u8) -> Result<(), Unread> {
        let depth = depth.checked_sub(1).ok_or(Unread::NotThrift)?;
        match kind {
            BOOL | BYTE => drop(self.take(1)?),
            I16 => drop(self.take(2)?),
            I32 => drop(self.take(4)?),
            DOUBLE | I64 => drop(self.take(8)?),
            TEXT => self.text()?,
            STRUCT => loop {
                let kind = self.u8()?;
                if kind == STOP {
                    break;
                }
                self.take(2)?;
                self.value(kind, depth)?;
            },
            MAP => {
                let (key, value) = (self.u8()?, self.u8()?);
                for _ in 0..self.u32()? {
                    self.value(key, depth)?;
                    self.value(value, depth)?;
                }
            }
            SET | LIST => {
                let kind = self.u8()?;
                for _ in 0..self.u32()? {
                    self.value(kind, depth)?;
                }
            }
            _ => return Err(Unread::NotThrift),
        }
        Ok(())
    }
}

const STOP: u8 = 0;
const BOOL: u8 = 2;
const BYTE: u8 = 3;
const DOUBLE: u8 = 4;
const I16: u8 = 6;
const I32: u8 = 8;
const I64: u8 = 10;
const TEXT: u8 = 11;
const STRUCT: u8 = 12;
const MAP: u8 = 13;
const SET: u8 = 14;
const LIST: u8 = 15;
/// Answers to probes are three structs deep.
const DEEPEST: u8 = 16;
/// Of one text, in bytes.
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reply to `Ping` with a struct that has one of nearly everything, and a text in a list in a map.
    const REPLY: &[u8] = b"\x80\x01\x00\x02\0\0\0\x04Ping\0\0\0\0\
        \x0c\0\0\x02\0\x01\x01\x06\0\x02\0\x07\x08\0\x03\0\0\0\x03\x0a\0\x04\0\0\0\0\0\0\0\x01\
        \x0d\0\x05\x0b\x0f\0\0\0\x01\0\0\0\x01k\x0b\0\0\0\x01\0\0\0\x05hello\0\0";

    #[test]
    fn finds_texts_at_any_depth_and_the_end() {
        assert_eq!(texts(REPLY).unwrap(), [&b"k"[..], b"hello"]);
        for end in 0..REPLY.len() {
            assert_eq!(texts(&REPLY[..end]), Err(Unread::Incomplete), "{end}");
        }
    }

    #[test]
    fn refuses_what_is_no_thrift_or_too_deep() {
        assert_eq!(texts(b"HTTP/1.1 200 OK\r\n"), Err(Unread::NotThrift));
        let deep = [&b"\x80\x01\x00\x02\0\0\0\0\0\0\0\0"[..], &b"\x0c\0\0".repeat(100)].concat();
        assert_eq!(texts(&deep), Err(Unread::NotThrift));
        // Four thousand million of nothing must not keep us.
        let endless = b"\x80\x01\x00\x02\0\0\0\0\0\0\0\0\x0f\0\0\x63\xff\xff\xff\xff";
        assert_eq!(texts(endless), Err(Unread::NotThrift));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = texts(&bytes);
            let _ = texts(&[&REPLY[..16], &bytes].concat());
        }
    }
}
