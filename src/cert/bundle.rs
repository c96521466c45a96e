//! Files of certificates, private keys and revocation lists, read and decoded.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::encoded_key::EncodedKey;
use super::key_name::unusable;
use super::parts::Parts;
use super::passphrase::Passphrase;
use super::revocation::RevocationList;
use super::secret_file::read_open;
use super::signing_key::signing_key;
use super::{Certificate, MaterialError};
use crate::reading::{Whole, is_pipe, open, stream};

/// The contents of one file.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub path: PathBuf,
    /// In the file's order.
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: Option<KeyFile>,
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// Whether the format has no order of certificates, as PKCS#7 and PKCS#12 have none.
    pub is_unordered: bool,
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
/// passphrase is not an error: [`KeyFile::spki`] says so.
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let file = contents(path)?;
    parse(path, &file.contents, file.mode, passphrase)
}

/// Returns the contents of a file and its permission bits.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn contents(path: &Path) -> Result<Whole, MaterialError> {
    read_open(path, open(path), LARGEST)
}

/// Reads from something else than a file, such as standard input; `path` and the permission bits are for messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    path: &Path,
    source: impl Read,
    mode: u32,
    passphrase: Option<&Passphrase>,
) -> Result<Bundle, MaterialError> {
    let contents = stream(source, LARGEST).map_err(|why| MaterialError::unread(path, why))?;
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
    let parts = Parts::of(path, contents, passphrase)?;
    if parts.certificates.is_empty() && parts.keys.is_empty() && parts.revocation_lists.is_empty() {
        return Err(MaterialError::Nothing { path: path.to_owned(), instead: parts.instead() });
    }
    let key = parts.keys.first().map(|key| KeyFile::of(path, key, mode, passphrase));
    let Parts { path, certificates, revocation_lists, is_unordered, .. } = parts;
    Ok(Bundle { path, certificates, key, revocation_lists, is_unordered })
}

/// Returns the certificates of a file of any format, in the file's order; at least one.
///
/// # Errors
/// As [`read`], or it has none.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    Parts::of(path, &contents(path)?.contents, None)?.certificates()
}

/// Returns the certificates of a file that was read before; none of one that can be read once only, such as a pipe.
pub fn certificates_again(path: &Path) -> Vec<CertificateDer<'static>> {
    if is_pipe(path) { Vec::new() } else { read_certificates(path).unwrap_or_default() }
}

/// Returns the revocation lists of a file as they are; at least one.
///
/// # Errors
/// As [`read`], or it has none.
pub fn read_revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, MaterialError> {
    Parts::of(path, &read_open(path, open(path), LARGEST_LISTS)?.contents, None)?.revocation_lists()
}

/// Decodes the revocation list at a position of a file, from 1.
///
/// # Errors
/// It cannot be used.
pub fn decode_revocation_list(
    path: &Path,
    position: usize,
    der: CertificateRevocationListDer<'static>,
) -> Result<RevocationList, MaterialError> {
    RevocationList::decode(der).map_err(|list| MaterialError::BadRevocationList {
        path: path.to_owned(),
        position,
        list,
    })
}

/// Decodes the certificates of a file.
///
/// # Errors
/// One cannot be decoded; the error has its position.
pub fn decode(path: &Path, certificates: Vec<CertificateDer<'static>>) -> Result<Vec<Certificate>, MaterialError> {
    certificates.into_iter().zip(1..).map(|(der, position)| decode_at(path, position, der)).collect()
}

/// Decodes the certificate at a position of a file, from 1, that is to be served or trusted.
///
/// # Errors
/// It cannot be decoded, or is ambiguous.
pub fn decode_at(path: &Path, position: usize, der: CertificateDer<'static>) -> Result<Certificate, MaterialError> {
    let certificate = decode_to_lint(path, position, der)?;
    match certificate.ambiguity() {
        Some(flaw) => Err(bad(path, position, flaw.to_string())),
        None => Ok(certificate),
    }
}

/// Decodes the certificate at a position of a file, from 1, whatever some client may not be able to read.
///
/// # Errors
/// It cannot be decoded.
pub fn decode_to_lint(
    path: &Path,
    position: usize,
    der: CertificateDer<'static>,
) -> Result<Certificate, MaterialError> {
    Certificate::decode(der).map_err(|error| bad(path, position, error.to_string()))
}

fn bad(path: &Path, position: usize, detail: String) -> MaterialError {
    MaterialError::BadCertificate { path: path.to_owned(), position, detail }
}

impl KeyFile {
    fn of(path: &Path, key: &EncodedKey, mode: u32, passphrase: Option<&Passphrase>) -> Self {
        let told = |error: MaterialError| match error.help() {
            // What helps against a missing passphrase is not the same everywhere.
            Some(help) if matches!(error, MaterialError::UnsupportedEncryption { .. }) => format!("{error}; {help}"),
            _ => error.to_string(),
        };
        let opened = key.open(path, passphrase).map_err(told);
        let spki = opened.and_then(public_half);
        Self { path: path.to_owned(), spki, encrypted: key.is_encrypted(), mode }
    }
}

fn public_half(key: PrivateKeyDer<'static>) -> Result<Vec<u8>, String> {
    let key = Zeroizing::new(key);
    let public = signing_key(&key).ok().and_then(|signing| signing.public_key().map(|spki| spki.to_vec()));
    public.ok_or_else(|| unusable(&key))
}

/// Bytes of a file that is read; a system's whole truststore has a fiftieth of it.
pub(super) const LARGEST: u64 = 16 << 20;
/// Bytes of a file of revocation lists; some authorities' lists have tens of mebibytes.
const LARGEST_LISTS: u64 = 128 << 20;
