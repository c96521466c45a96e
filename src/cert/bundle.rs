//! What a file holds, whatever its format: certificates, private keys, revocation lists.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use zeroize::Zeroizing;

use super::passphrase::Passphrase;
use super::pem::{DER_SEQUENCE, is_pem, pem_detail};
use super::{Certificate, MaterialError, PrivateKeyError, key_pem, pkcs7, pkcs12};

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
/// passphrase is not an error: [`KeyFile::spki`] says so.
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let (contents, mode) = contents(path)?;
    parse(path, &contents, mode, passphrase)
}

/// Returns the contents of a file and its permission bits.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn contents(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), MaterialError> {
    let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    Ok((read_all(path, file, metadata.len())?, metadata.permissions().mode() & 0o7777))
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
    parse(path, &read_all(path, source, COMMON)?, mode, passphrase)
}

/// Reads about so many bytes. They may be a key, so they are wiped; and room is made beforehand, so that no copy stays
/// behind in a buffer that was outgrown.
fn read_all(path: &Path, source: impl Read, size: u64) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let mut contents = Zeroizing::new(Vec::with_capacity(size.min(LARGEST) as usize + 1));
    source
        .take(LARGEST + 1)
        .read_to_end(&mut contents)
        .map_err(|source| MaterialError::Unreadable { path: path.to_owned(), source })?;
    if contents.len() as u64 > LARGEST {
        return Err(MaterialError::TooLarge { path: path.to_owned(), largest: LARGEST });
    }
    Ok(contents)
}

/// Decodes the certificates of a file.
///
/// # Errors
/// One cannot be decoded; the error has its position.
pub fn decode(path: &Path, certificates: Vec<CertificateDer<'static>>) -> Result<Vec<Certificate>, MaterialError> {
    certificates.into_iter().zip(1..).map(|(der, position)| decode_at(path, position, der)).collect()
}

/// Decodes the certificate at a position of a file, from 1.
///
/// # Errors
/// It cannot be decoded.
pub fn decode_at(path: &Path, position: usize, der: CertificateDer<'static>) -> Result<Certificate, MaterialError> {
    Certificate::decode(der).map_err(|error| MaterialError::BadCertificate {
        path: path.to_owned(),
        position,
        detail: error.to_string(),
    })
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
        _ if pkcs12::is_archive(contents) => archive(path, contents, mode, passphrase)?,
        [DER_SEQUENCE, ..] => der(path, contents, mode)?,
        _ if contents.starts_with(JKS) || contents.starts_with(JCEKS) => return Err(keystore(path)),
        _ => return Err(MaterialError::Nothing { path: path.to_owned() }),
    };
    if bundle.certificates.is_empty() && bundle.key.is_none() && bundle.revocation_lists.is_empty() {
        return Err(MaterialError::Nothing { path: path.to_owned() });
    }
    Ok(bundle)
}

fn pem(path: &Path, contents: &[u8], mode: u32, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let malformed = |error| MaterialError::Malformed { path: path.to_owned(), detail: pem_detail(&error) };
    let readable = without_legacy_keys(contents);
    let mut certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&readable).collect::<Result<_, _>>().map_err(malformed)?;
    let mut revocation_lists: Vec<_> =
        CertificateRevocationListDer::pem_slice_iter(&readable).collect::<Result<_, _>>().map_err(malformed)?;
    for section in pkcs7_sections(contents) {
        let signed = section.and_then(|der| pkcs7::read(&der)).ok_or_else(|| MaterialError::Malformed {
            path: path.to_owned(),
            detail: "its PKCS#7 section cannot be decoded".to_owned(),
        })?;
        certificates.extend(signed.certificates);
        revocation_lists.extend(signed.revocation_lists);
    }
    let key = key_pem::has_key(contents).then(|| {
        let spki =
            key_pem::parse_key(path, contents, passphrase).map_err(|error| error.to_string()).and_then(public_half);
        KeyFile { path: path.to_owned(), spki, encrypted: key_pem::is_encrypted(contents), mode }
    });
    Ok(Bundle { path: path.to_owned(), certificates, key, revocation_lists })
}

/// Returns the sections that are base64 throughout: an encrypted key in OpenSSL's old format has headers, over which
/// the library stumbles although it looks for certificates.
fn without_legacy_keys(contents: &[u8]) -> Cow<'_, [u8]> {
    if !key_pem::is_legacy(contents) {
        return Cow::Borrowed(contents);
    }
    let text = String::from_utf8_lossy(contents);
    // All but the first of what is split off begins with a label and goes on until the next section.
    let kept = text.split("-----BEGIN ").skip(1).filter(|section| !key_pem::is_legacy(section.as_bytes()));
    Cow::Owned(kept.map(|section| format!("-----BEGIN {section}")).collect::<String>().into_bytes())
}

/// Reads a keystore or truststore in PKCS#12.
fn archive(path: &Path, contents: &[u8], mode: u32, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    let opened =
        pkcs12::read(contents, passphrase).map_err(|error| MaterialError::Archive { path: path.to_owned(), error })?;
    let key = opened.keys.first().map(|key| {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
        KeyFile { path: path.to_owned(), spki: public_half(key), encrypted: true, mode }
    });
    let certificates = opened.certificates;
    Ok(Bundle { path: path.to_owned(), certificates, key, revocation_lists: Vec::new() })
}

/// Reads a certificate, a revocation list, a PKCS#7 or a private key in DER. What is none of them is taken for a
/// certificate, so that its decoding says what is wrong with it.
fn der(path: &Path, contents: &[u8], mode: u32) -> Result<Bundle, MaterialError> {
    let mut bundle =
        Bundle { path: path.to_owned(), certificates: Vec::new(), key: None, revocation_lists: Vec::new() };
    if let Some(signed) = pkcs7::read(contents) {
        bundle.certificates = signed.certificates;
        bundle.revocation_lists = signed.revocation_lists;
    } else if X509Certificate::from_der(contents).is_err() && CertificateRevocationList::from_der(contents).is_ok() {
        bundle.revocation_lists.push(CertificateRevocationListDer::from(contents.to_vec()));
    } else if let Ok(key) = PrivateKeyDer::try_from(contents.to_vec())
        && X509Certificate::from_der(contents).is_err()
    {
        bundle.key = Some(KeyFile { path: path.to_owned(), spki: public_half(key), encrypted: false, mode });
    } else {
        bundle.certificates.push(CertificateDer::from(contents.to_vec()));
    }
    Ok(bundle)
}

/// Returns the contents of each PKCS#7 section; none for one that is not base64.
fn pkcs7_sections(contents: &[u8]) -> impl Iterator<Item = Option<Vec<u8>>> {
    let text = String::from_utf8_lossy(contents);
    let found: Vec<_> = PKCS7_LABELS
        .iter()
        .flat_map(|label| {
            let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
            let sections = text.match_indices(&begin).map(|(start, _)| {
                let body = text[start + begin.len()..].split(&end).next()?;
                // Reading PEM is left to the library: a certificate's label serves as well as any.
                let relabelled = format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n");
                CertificateDer::from_pem_slice(relabelled.as_bytes()).ok().map(|der| der.to_vec())
            });
            sections.collect::<Vec<_>>()
        })
        .collect();
    found.into_iter()
}

fn keystore(path: &Path) -> MaterialError {
    let shown = path.display();
    MaterialError::ForeignFormat {
        path: path.to_owned(),
        format: "Java keystore (JKS)",
        convert: format!(
            "keytool -importkeystore -srckeystore {shown} -destkeystore {shown}.p12 -deststoretype PKCS12"
        ),
    }
}

fn public_half(key: PrivateKeyDer<'static>) -> Result<Vec<u8>, String> {
    let unusable = || PrivateKeyError::Unusable.to_string();
    let key = any_supported_type(&Zeroizing::new(key)).map_err(|_| unusable())?;
    key.public_key().map(|spki| spki.to_vec()).ok_or_else(unusable)
}

/// Bytes of a file that is read; a system's whole truststore has a fiftieth of it.
const LARGEST: u64 = 16 << 20;
/// Bytes that a file with a key hardly exceeds.
const COMMON: u64 = 32 << 10;
const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];
const PKCS7_LABELS: &[&str] = &["PKCS7", "CMS", "PKCS #7 SIGNED DATA"];
