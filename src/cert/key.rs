//! Private keys: reading, decrypting, and where passphrases come from.

use std::path::Path;

use pkcs8::der::{Decode, SecretDocument};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::material::{MaterialError, pem_detail, read_secret};
use crate::model::profile;

/// A passphrase; wiped when dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// One that was typed in.
    pub fn new(text: Zeroizing<Vec<u8>>) -> Self {
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads it from where the profile says that it is.
    pub fn read(source: &profile::Passphrase) -> Result<Self, MaterialError> {
        match source {
            profile::Passphrase::File(path) => Self::from_file(path),
            profile::Passphrase::Environment(variable) => Self::from_environment(variable),
        }
    }

    /// The passphrase itself, for those who must send it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn from_file(path: &Path) -> Result<Self, MaterialError> {
        let contents = read_secret(path)?;
        let line = contents.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
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

/// The first private key of a PEM file: PKCS#8, PKCS#1 or SEC1, or PKCS#8 encrypted with a passphrase.
///
/// A passphrase given for a key that is not encrypted is ignored, as OpenSSL does.
pub fn read_key(path: &Path, passphrase: Option<&Passphrase>) -> Result<PrivateKeyDer<'static>, MaterialError> {
    parse_key(path, &read_secret(path)?, passphrase)
}

/// As [`read_key`], from a file's contents.
pub fn parse_key(
    path: &Path,
    contents: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<PrivateKeyDer<'static>, MaterialError> {
    if is_legacy(contents) {
        return Err(MaterialError::LegacyEncryption { path: path.to_owned() });
    }
    if let Some(section) = encrypted_section(contents) {
        let passphrase = passphrase.ok_or_else(|| MaterialError::PassphraseMissing { path: path.to_owned() })?;
        return decrypt(path, section, passphrase);
    }
    match PrivateKeyDer::pem_slice_iter(contents).next() {
        Some(Ok(key)) => Ok(key),
        Some(Err(error)) => Err(MaterialError::Malformed { path: path.to_owned(), detail: pem_detail(&error) }),
        None => Err(MaterialError::NoKey { path: path.to_owned() }),
    }
}

fn decrypt(path: &Path, section: &[u8], passphrase: &Passphrase) -> Result<PrivateKeyDer<'static>, MaterialError> {
    let malformed = |detail: &str| MaterialError::Malformed { path: path.to_owned(), detail: detail.to_owned() };
    let text = std::str::from_utf8(section).map_err(|_| malformed("the encrypted key is not text"))?;
    let (_, document) = SecretDocument::from_pem(text).map_err(|_| malformed("the encrypted key is not base64"))?;
    let unsupported = |detail: String| MaterialError::UnsupportedEncryption { path: path.to_owned(), detail };
    let encrypted = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
        .map_err(|_| unsupported("its algorithm is unknown".to_owned()))?;

    let wrong = || MaterialError::PassphraseWrong { path: path.to_owned() };
    let key = encrypted.decrypt(&passphrase.0).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            reason @ (pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs8::pkcs5::Error::NoPbes1CryptSupport
            | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. }),
        ) => unsupported(reason.to_string()),
        _ => wrong(),
    })?;
    // One wrong passphrase in 256 leaves padding that looks right around bytes that are no key.
    PrivateKeyInfoRef::from_der(key.as_bytes()).map_err(|_| wrong())?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec())))
}

fn encrypted_section(contents: &[u8]) -> Option<&[u8]> {
    let start = find(contents, ENCRYPTED_BEGIN)?;
    let length = find(&contents[start..], ENCRYPTED_END)?;
    Some(&contents[start..start + length + ENCRYPTED_END.len()])
}

/// Whether a file's contents hold an encrypted private key, of whatever format.
pub fn is_encrypted(contents: &[u8]) -> bool {
    is_legacy(contents) || encrypted_section(contents).is_some()
}

/// Whether a file's contents hold a key encrypted in OpenSSL's old format.
pub(super) fn is_legacy(contents: &[u8]) -> bool {
    find(contents, LEGACY_MARK).is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

const LEGACY_MARK: &[u8] = b"Proc-Type: 4,ENCRYPTED";
const ENCRYPTED_BEGIN: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &[u8] = b"-----END ENCRYPTED PRIVATE KEY-----";
