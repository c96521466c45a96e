//! Passphrases, and where they come from: a file, the environment, or somebody who types them in.

use std::path::Path;

use zeroize::Zeroizing;

use super::MaterialError;
use super::kind::UTF8_MARK;
use super::secret_file::read_secret;
use crate::model::profile;
use crate::reading::wide_encoding;

/// A passphrase; wiped when dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes a passphrase that was typed in.
    pub fn new(text: Zeroizing<Vec<u8>>) -> Self {
        Self(text)
    }

    /// Reads it from where the profile says that it is.
    pub fn read(source: &profile::Passphrase) -> Result<Self, MaterialError> {
        match source {
            profile::Passphrase::File(path) => Self::from_file(path),
            profile::Passphrase::Environment(variable) => Self::from_environment(variable),
        }
    }

    /// Returns the passphrase itself, for those who must send it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn from_file(path: &Path) -> Result<Self, MaterialError> {
        let contents = read_secret(path, LARGEST)?;
        if wide_encoding(&contents).is_some() {
            return Err(MaterialError::PassphraseWide { path: path.to_owned() });
        }
        // Editors of Windows put a mark before UTF-8.
        let text = contents.strip_prefix(UTF8_MARK).unwrap_or(&contents);
        let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        if line.is_empty() {
            return Err(MaterialError::PassphraseEmpty { path: path.to_owned() });
        }
        Ok(Self(Zeroizing::new(line.to_vec())))
    }

    fn from_environment(variable: &str) -> Result<Self, MaterialError> {
        use std::os::unix::ffi::OsStringExt;
        match std::env::var_os(variable) {
            Some(value) if !value.is_empty() => Ok(Self(Zeroizing::new(value.into_vec()))),
            _ => Err(MaterialError::PassphraseUnset { variable: variable.to_owned() }),
        }
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Bytes of a passphrase's file; what is larger is another file.
const LARGEST: u64 = 64 << 10;
