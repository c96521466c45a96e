//! What a file holds, whatever its format: certificates, private keys, revocation lists.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::MaterialError;
use super::key::{self, Passphrase};
use super::material::{DER_SEQUENCE, is_pem, pem_detail};

/// The contents of one file.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub path: PathBuf,
    /// In the file's order.
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: Option<KeyFile>,
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

/// What is known of a private key without keeping it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    /// SubjectPublicKeyInfo in DER of its public half.
    pub spki: Result<Vec<u8>, String>,
    pub encrypted: bool,
    /// The permission bits of the file.
    pub mode: u32,
}

/// Reads a file of any format that is known.
///
/// # Errors
/// It cannot be read, is malformed, of a foreign format, or holds nothing of use. An encrypted key without its
/// passphrase is not an error: [`KeyFile::spki`] tells.
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
    // It may be a key, so it is wiped.
    let contents = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o7777;
    parse(path, &contents, mode, passphrase)
}

/// Reads the contents of a file; `path` and its permission bits are for messages.
///
/// # Errors
/// As [`read`].
pub fn parse(
    path: &Path,
    contents: &[u8],
    mode: u32,
    passphrase: Option<&Passphrase>,
) -> Result<Bundle, MaterialError> {
    let bundle = match contents {
        _ if is_pem(contents) => pem(path, contents, mode, passphrase)?,
        [DER_SEQUENCE, ..] => der(path, contents)?,
        _ => return Err(MaterialError::Nothing { path: path.to_owned() }),
    };
    if bundle.certificates.is_empty() && bundle.key.is_none() && bundle.revocation_lists.is_empty() {
        return Err(MaterialError::Nothing { path: path.to_owned() });
    }
    Ok(bundle)
}

fn pem(path: &Path, contents: &[u8], mode: u32, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let malformed = |error| MaterialError::Malformed { path: path.to_owned(), detail: pem_detail(&error) };
    let certificates = CertificateDer::pem_slice_iter(contents).collect::<Result<_, _>>().map_err(malformed)?;
    let revocation_lists =
        CertificateRevocationListDer::pem_slice_iter(contents).collect::<Result<_, _>>().map_err(malformed)?;
    let has_key = key::is_encrypted(contents) || PrivateKeyDer::pem_slice_iter(contents).next().is_some();
    let key = has_key.then(|| {
        let spki = key::parse_key(path, contents, passphrase).map_err(|error| error.to_string()).and_then(public_half);
        KeyFile { path: path.to_owned(), spki, encrypted: key::is_encrypted(contents), mode }
    });
    Ok(Bundle { path: path.to_owned(), certificates, key, revocation_lists })
}

fn der(path: &Path, contents: &[u8]) -> Result<Bundle, MaterialError> {
    let certificates = vec![CertificateDer::from(contents.to_vec())];
    Ok(Bundle { path: path.to_owned(), certificates, key: None, revocation_lists: Vec::new() })
}

fn public_half(key: PrivateKeyDer<'static>) -> Result<Vec<u8>, String> {
    let unusable = || "it is not an RSA (2048 bits or more), ECDSA (P-256, P-384, P-521) or Ed25519 key".to_owned();
    let key = any_supported_type(&Zeroizing::new(key)).map_err(|_| unusable())?;
    key.public_key().map(|spki| spki.to_vec()).ok_or_else(unusable)
}
