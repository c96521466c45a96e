//! Lists of RSA keys that everybody knows.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::reading::{Unread, open, whole};

/// The keys that Debian's OpenSSL of 2006 to 2008 could make (CVE-2008-0166), or others, by fingerprint. Cheap to
/// clone.
///
/// A list has the format of Debian's package openssl-blacklist: a line each of 20 hexadecimal digits, the last 10 bytes
/// of SHA-1 over what `openssl rsa -noout -modulus` prints; `#` begins a comment.
#[derive(Clone, Default)]
pub struct WeakKeys(Arc<[Fingerprint]>);

type Fingerprint = [u8; 10];

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeakKeysError {
    #[error("cannot read the list of weak keys {}: {why}", .path.display())]
    Unreadable { path: PathBuf, why: Unread },
    #[error("{}:{line}: not the fingerprint of a weak key: a line has 20 hexadecimal digits", .path.display())]
    Line { path: PathBuf, line: usize },
}

impl WeakKeys {
    /// Reads the lists that are installed; none counts if one of them cannot be read.
    pub fn installed() -> Self {
        Self::read(&Self::installed_lists()).unwrap_or_default()
    }

    /// Returns the lists for RSA that the package openssl-blacklist has installed, sorted; none without it.
    pub fn installed_lists() -> Vec<PathBuf> {
        let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
        let is_list = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("blacklist.RSA-"))
        };
        let mut lists: Vec<_> = entries.map(|entry| entry.path()).filter(is_list).collect();
        lists.sort();
        lists
    }

    /// Reads lists.
    ///
    /// # Errors
    /// One cannot be read or has another format.
    pub fn read(lists: &[PathBuf]) -> Result<Self, WeakKeysError> {
        let mut fingerprints = Vec::new();
        for path in lists {
            let file = open(path).map_err(Unread::Failed).and_then(|file| whole(file, LARGEST));
            let file = file.map_err(|why| WeakKeysError::Unreadable { path: path.clone(), why })?;
            // What is no text is no fingerprint either, and is told with its line.
            parse(path, &String::from_utf8_lossy(&file.contents), &mut fingerprints)?;
        }
        fingerprints.sort_unstable();
        fingerprints.dedup();
        Ok(Self(fingerprints.into()))
    }

    /// Returns these lists and others together.
    pub fn with(self, others: Self) -> Self {
        if self.0.is_empty() || others.0.is_empty() {
            return if self.0.is_empty() { others } else { self };
        }
        let mut all = [&self.0[..], &others.0[..]].concat();
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }

    /// Returns whether the key with this modulus is on a list.
    pub fn contains(&self, modulus: &[u8]) -> bool {
        !self.0.is_empty() && self.0.binary_search(&fingerprint(modulus)).is_ok()
    }
}

impl fmt::Debug for WeakKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeakKeys({})", self.0.len())
    }
}

fn parse(path: &Path, text: &str, fingerprints: &mut Vec<Fingerprint>) -> Result<(), WeakKeysError> {
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || WeakKeysError::Line { path: path.to_owned(), line: index + 1 };
        fingerprints.push(decode(line).ok_or_else(wrong)?);
    }
    Ok(())
}

fn decode(line: &str) -> Option<Fingerprint> {
    let mut fingerprint = Fingerprint::default();
    if line.len() != 2 * fingerprint.len() {
        return None;
    }
    for (byte, digits) in fingerprint.iter_mut().zip(line.as_bytes().chunks(2)) {
        let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(fingerprint)
}

fn fingerprint(modulus: &[u8]) -> Fingerprint {
    let digits: String = modulus.iter().map(|byte| format!("{byte:02X}")).collect();
    let printed = format!("Modulus={}\n", digits.trim_start_matches('0'));
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, printed.as_bytes());
    hash.as_ref().last_chunk().copied().unwrap_or_default()
}

/// Bytes of a list; Debian's have some mebibytes.
const LARGEST: u64 = 64 << 20;
const FOLDER: &str = "/usr/share/openssl-blacklist";

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<WeakKeys, WeakKeysError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blacklist.RSA-2048");
        std::fs::write(&path, text).unwrap();
        WeakKeys::read(&[path])
    }

    #[test]
    fn fingerprints_are_those_of_openssls_output() {
        // printf 'Modulus=1FF0A\n' | openssl sha1 | tail -c 21
        let weak = list("# a comment\n\nA7E30F05ECEAC7E76A16\n0123456789abcdef0123\n");
        assert!(weak.unwrap().contains(&[0x01, 0xff, 0x0a]));
        assert!(!WeakKeys::default().contains(&[0x01, 0xff, 0x0a]));
    }

    #[test]
    fn broken_lines_are_named() {
        for broken in ["0123456789abcdef012", "0123456789abcdef01234", "0123456789abcdefg123", "0123456789äcdef012"] {
            let error = list(&format!("0123456789abcdef0123\n{broken}\n")).unwrap_err().to_string();
            assert!(error.contains("blacklist.RSA-2048:2: not the fingerprint"), "{error}");
        }
        assert!(WeakKeys::read(&["/nonexistent".into()]).unwrap_err().to_string().contains("/nonexistent"));
    }
}
