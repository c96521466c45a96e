//! Certificates and revocation lists in PEM and DER: reading and writing them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pkcs8::der::pem::{LineEnding, encode_string};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::MaterialError;

/// Returns the certificates of a PEM file in their order, or the one of a DER file; at least one.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    certificates_of(path, File::open(path))
}

/// Like [`read_certificates`], from a file that is open already.
pub fn certificates_of(path: &Path, file: io::Result<File>) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    let certificates = pem_or_der(path, file, CertificateDer::from)?;
    if certificates.is_empty() {
        return Err(MaterialError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}

/// Returns the revocation lists of a PEM file, or the one of a DER file; at least one.
pub fn read_revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, MaterialError> {
    let lists = pem_or_der(path, File::open(path), CertificateRevocationListDer::from)?;
    if lists.is_empty() {
        return Err(MaterialError::NoRevocationList { path: path.to_owned() });
    }
    Ok(lists)
}

/// Writes certificates in PEM, one after the other.
pub fn encode<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    certificates
        .into_iter()
        // It fails for lengths beyond a platform's words only.
        .filter_map(|der| encode_string("CERTIFICATE", LineEnding::LF, der).ok())
        .collect()
}

fn pem_or_der<T: PemObject>(
    path: &Path,
    file: io::Result<File>,
    from_der: impl Fn(Vec<u8>) -> T,
) -> Result<Vec<T>, MaterialError> {
    let mut contents = Vec::new();
    file.and_then(|mut file| file.read_to_end(&mut contents))
        .map_err(|source| MaterialError::Unreadable { path: path.to_owned(), source })?;
    if contents.first() == Some(&DER_SEQUENCE) && !is_pem(&contents) {
        return Ok(vec![from_der(contents)]);
    }
    T::pem_slice_iter(&contents)
        .collect::<Result<_, _>>()
        .map_err(|error| MaterialError::Malformed { path: path.to_owned(), detail: pem_detail(&error) })
}

/// Returns whether a file's contents have a section of PEM.
pub fn is_pem(contents: &[u8]) -> bool {
    contents.windows(PEM_BEGIN.len()).any(|window| window == PEM_BEGIN)
}

pub(super) fn pem_detail(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a section's first line is broken".to_owned(),
        // The decoder's own words might quote what it read, which may be a key.
        pem::Error::Base64Decode(_) => "a section is not base64".to_owned(),
        _ => "it cannot be parsed".to_owned(),
    }
}

const PEM_BEGIN: &[u8] = b"-----BEGIN ";
pub(super) const DER_SEQUENCE: u8 = 0x30;
