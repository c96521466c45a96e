//! Private keys in PEM: reading and decrypting them.

use std::path::Path;

use pkcs8::der::{Decode, SecretDocument};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::MaterialError;
use super::passphrase::Passphrase;
use super::pem::pem_detail;

/// Reads the first private key of a PEM file's contents: PKCS#8, PKCS#1 or SEC1, or PKCS#8 encrypted with a passphrase.
///
/// A passphrase given for a key that is not encrypted is ignored, as OpenSSL does.
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
    let key = encrypted.decrypt(passphrase.bytes()).map_err(|error| match error {
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

/// Returns whether a PEM file's contents have a private key, encrypted or not.
pub fn has_key(contents: &[u8]) -> bool {
    is_encrypted(contents) || PrivateKeyDer::pem_slice_iter(contents).next().is_some()
}

/// Returns whether a file's contents hold an encrypted private key, of whatever format.
pub fn is_encrypted(contents: &[u8]) -> bool {
    is_legacy(contents) || encrypted_section(contents).is_some()
}

/// Returns whether a file's contents hold a key encrypted in OpenSSL's old format.
pub(super) fn is_legacy(contents: &[u8]) -> bool {
    find(contents, LEGACY_MARK).is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

const LEGACY_MARK: &[u8] = b"Proc-Type: 4,ENCRYPTED";
const ENCRYPTED_BEGIN: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &[u8] = b"-----END ENCRYPTED PRIVATE KEY-----";
