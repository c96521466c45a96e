//! Why a certificate, key, passphrase, revocation list or archive cannot be used, in words that name the file and the
//! remedy.

use std::io;
use std::path::PathBuf;

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
    /// Returns what to do about it, where that is known.
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

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs12Error {
    /// Also what an archive without an integrity check says when its decryption yields nothing sensible.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    #[error("the passphrase is not text in UTF-8, as PKCS#12 wants it")]
    PassphraseNotText,
    #[error("it is not a well-formed PKCS#12 archive: {0}")]
    Malformed(String),
    #[error("it is protected in a way that is not supported: {0}")]
    Unsupported(String),
    #[error("it is larger than {} MiB or has more than {MOST_ENCRYPTED_PARTS} encrypted parts", LARGEST_PKCS12 >> 20)]
    TooLarge,
    #[error("it cannot be written: {0}")]
    Unwritable(String),
}

/// Returns the reason in the operating system's words, as part of a sentence.
pub fn os_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Bytes of an archive that is read.
pub const LARGEST_PKCS12: usize = 16 << 20;
/// A chain has a key and a list of certificates, each encrypted once.
pub const MOST_ENCRYPTED_PARTS: usize = 64;
