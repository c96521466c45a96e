use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use zeroize::Zeroizing;

use super::pkcs12::Pkcs12Error;

/// Why a certificate, key, passphrase or revocation list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("cannot read {}: {}", .path.display(), os_reason(.source))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} can be read by every user of this host (mode {mode:04o})", .path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("{} is not well-formed PEM: {detail}", .path.display())]
    Malformed { path: PathBuf, detail: String },
    #[error("no certificate in {}", .path.display())]
    NoCertificate { path: PathBuf },
    #[error("certificate {position} in {} cannot be decoded: {detail}", .path.display())]
    BadCertificate { path: PathBuf, position: usize, detail: String },
    #[error("no revocation list in {}", .path.display())]
    NoRevocationList { path: PathBuf },
    #[error("{} holds neither certificates nor keys nor revocation lists", .path.display())]
    Nothing { path: PathBuf },
    #[error("{} is larger than {} MiB", .path.display(), .largest >> 20)]
    TooLarge { path: PathBuf, largest: u64 },
    #[error("{} is a {format}, which is not read", .path.display())]
    ForeignFormat { path: PathBuf, format: &'static str, convert: String },
    #[error("the PKCS#12 archive {} cannot be opened: {error}", .path.display())]
    Archive { path: PathBuf, error: Pkcs12Error },
    #[error("no private key in {}", .path.display())]
    NoKey { path: PathBuf },
    #[error("the private key in {} cannot be used: {detail}", .path.display())]
    UnusableKey { path: PathBuf, detail: String },
    #[error("the private key in {} is encrypted in OpenSSL's old format, which is not supported", .path.display())]
    LegacyEncryption { path: PathBuf },
    #[error("the private key in {} is encrypted in a way that is not supported: {detail}", .path.display())]
    UnsupportedEncryption { path: PathBuf, detail: String },
    #[error("the private key in {} is encrypted and no passphrase is given", .path.display())]
    PassphraseMissing { path: PathBuf },
    #[error("the passphrase does not decrypt the private key in {}", .path.display())]
    PassphraseWrong { path: PathBuf },
    #[error("the first line of {} holds no passphrase", .path.display())]
    PassphraseEmpty { path: PathBuf },
    #[error("the environment variable {variable}, which should hold a passphrase, is not set")]
    PassphraseUnset { variable: String },
    #[error("the private key in {} does not belong to the certificate of {subject} in {}", .key.display(), .cert.display())]
    KeyMismatch {
        key: PathBuf,
        cert: PathBuf,
        subject: String,
        /// Position of the certificate that the key does belong to, when it is another one of the file.
        belongs_to: Option<usize>,
    },
    #[error("\"{name}\" cannot name an entry of the certificate store: it must be a single file name")]
    StoreName { name: String },
    #[error("the certificate store {} has no entry \"{name}\"", .store.display())]
    StoreUnknown { name: String, store: PathBuf, available: Vec<String> },
}

impl MaterialError {
    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::ReadableByOthers { path, .. } => Some(format!("chmod 600 {}", path.display())),
            Self::LegacyEncryption { path } | Self::UnsupportedEncryption { path, .. } => {
                let path = path.display();
                Some(format!("rewrite the key: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path} -out {path}.new"))
            }
            Self::ForeignFormat { convert, .. } => Some(format!("convert it: {convert}")),
            Self::Archive { error: Pkcs12Error::WrongPassphrase, .. } => {
                Some("give its passphrase with --passphrase-file or --passphrase-env".to_owned())
            }
            Self::PassphraseMissing { .. } => Some("set passphrase-file or passphrase-env".to_owned()),
            Self::KeyMismatch { belongs_to: Some(position), .. } => {
                Some(format!("the key belongs to certificate {position} of that file: put that one first"))
            }
            Self::StoreUnknown { available, .. } if available.is_empty() => Some("the store is empty".to_owned()),
            Self::StoreUnknown { available, .. } => Some(format!("it has {}", available.join(", "))),
            _ => None,
        }
    }
}

/// The certificates of a PEM file in their order, or the one of a DER file; at least one.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    certificates_of(path, File::open(path))
}

/// As [`read_certificates`], from a file that was opened by other means.
pub fn certificates_of(path: &Path, file: io::Result<File>) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    let certificates = pem_or_der(path, file, CertificateDer::from)?;
    if certificates.is_empty() {
        return Err(MaterialError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}

/// The revocation lists of a PEM file, or the one of a DER file; at least one.
pub fn read_revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, MaterialError> {
    let lists = pem_or_der(path, File::open(path), CertificateRevocationListDer::from)?;
    if lists.is_empty() {
        return Err(MaterialError::NoRevocationList { path: path.to_owned() });
    }
    Ok(lists)
}

/// The contents of a file that must not be readable by others; wiped when dropped.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    secret_of(path, File::open(path))
}

/// As [`read_secret`], from a file that was opened by other means.
pub(super) fn secret_of(path: &Path, file: io::Result<File>) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
    let mut file = file.map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.mode() & 0o007 != 0 {
        return Err(MaterialError::ReadableByOthers { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
    }
    // Sized beforehand, so that reading leaves no copy behind in a buffer that was outgrown.
    let mut contents = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.read_to_end(&mut contents).map_err(unreadable)?;
    Ok(contents)
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

pub(super) fn is_pem(contents: &[u8]) -> bool {
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

/// The reason in the operating system's words, as part of a sentence.
pub fn os_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

const PEM_BEGIN: &[u8] = b"-----BEGIN ";
pub(super) const DER_SEQUENCE: u8 = 0x30;
