//! Reading keytab files, as far as it is said which keys are in them. The keys themselves are passed over.

use std::fmt;
use std::path::Path;

use crate::reading::os_reason;

/// A key of a keytab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub principal: Principal,
    pub kvno: u32,
}

/// A Kerberos principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Principal {
    pub components: Vec<String>,
    pub realm: String,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.components.join("/"), self.realm)
    }
}

/// Reads a keytab file.
///
/// # Errors
/// It cannot be read, or is none, in words.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let bytes = std::fs::read(path).map_err(|error| os_reason(&error))?;
    parse(&bytes).ok_or_else(|| "it is no keytab file".to_owned())
}

/// Reads the entries of a keytab; `None` where it is none. Both versions of the format are read: the first has the byte
/// order of the machine that wrote it, taken for little-endian here, and counts the realm among the components.
fn parse(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (is_first, mut rest) = match bytes {
        [5, 1, rest @ ..] => (true, rest),
        [5, 2, rest @ ..] => (false, rest),
        _ => return None,
    };
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk()?;
        let length = if is_first { i32::from_le_bytes(*length) } else { i32::from_be_bytes(*length) };
        let entry = after.get(..length.unsigned_abs() as usize)?;
        rest = &after[entry.len()..];
        // A negative length is a hole, where an entry was deleted.
        if length > 0 {
            entries.push(Fields { rest: entry, is_first }.entry()?);
        }
    }
    Some(entries)
}

struct Fields<'a> {
    rest: &'a [u8],
    is_first: bool,
}

impl<'a> Fields<'a> {
    fn entry(mut self) -> Option<Entry> {
        let count = usize::from(self.u16()?).checked_sub(usize::from(self.is_first))?;
        let realm = self.text()?;
        let components = (0..count).map(|_| self.text()).collect::<Option<_>>()?;
        if !self.is_first {
            self.take(NAME_TYPE)?;
        }
        self.take(TIMESTAMP)?;
        let short_kvno = u32::from(*self.take(1)?.first()?);
        self.take(KEY_TYPE)?;
        let key = usize::from(self.u16()?);
        self.take(key)?;
        // A number above 255 is written after the key; zeros there are none.
        let long_kvno = self.rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).filter(|kvno| *kvno != 0);
        Some(Entry { principal: Principal { components, realm }, kvno: long_kvno.unwrap_or(short_kvno) })
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = *self.take(2)?.first_chunk()?;
        Some(if self.is_first { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u16()?);
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

const NAME_TYPE: usize = 4;
const TIMESTAMP: usize = 4;
const KEY_TYPE: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(service: &str, kvno: u32) -> Vec<u8> {
        let text = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
        let key = [&[0, 18, 0, 4][..], b"KEY!"].concat();
        let body = [
            &2u16.to_be_bytes()[..],
            &text("R"),
            &text(service),
            &text("lb"),
            &[0, 0, 0, 1, 0, 0, 0, 0, kvno as u8],
            &key,
            &kvno.to_be_bytes(),
        ]
        .concat();
        [&(body.len() as i32).to_be_bytes()[..], &body].concat()
    }

    #[test]
    fn principals_and_kvnos_are_read_and_holes_passed_over() {
        let hole = [&(-3i32).to_be_bytes()[..], b"xyz"].concat();
        let keytab = [&[5, 2][..], &entry("impala", 300), &hole, &entry("HTTP", 2)].concat();
        let read: Vec<_> = parse(&keytab).unwrap().iter().map(|it| (it.principal.to_string(), it.kvno)).collect();
        assert_eq!(read, [("impala/lb@R".to_owned(), 300), ("HTTP/lb@R".to_owned(), 2)]);
        assert_eq!(parse(&[5, 2]), Some(Vec::new()));
        assert_eq!(parse(b"-----BEGIN"), None);
        for end in 3..6 {
            assert_eq!(parse(&keytab[..end]), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_keytab_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[&[5, 2][..], &bytes].concat());
            let _ = parse(&[&[5, 1][..], &bytes].concat());
        }
    }
}
