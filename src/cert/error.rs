//! Why a certificate, key, passphrase, revocation list or archive cannot be used, in words that name the file and the
//! remedy.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::revocation::UnusableList;
use crate::reading::{Unread, os_reason};

/// Why a certificate, key, passphrase or revocation list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("cannot read {}: {}", .path.display(), os_reason(.source))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} can be read by every user of this host (mode {mode:04o})", .path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("what is below {} is left out: only {most} files are read, in folders up to {deepest} deep", .path.display())]
    TooManyFiles { path: PathBuf, most: usize, deepest: usize },
    #[error("nobody wrote to the pipe {}", .path.display())]
    Silent { path: PathBuf },
    #[error("{}:{line} is not well-formed PEM: {detail}", .path.display())]
    Malformed { path: PathBuf, line: usize, detail: String },
    #[error("{} cannot be read to its end: {detail}", .path.display())]
    Broken { path: PathBuf, detail: String },
    #[error("no certificate in {}{instead}", .path.display())]
    NoCertificate { path: PathBuf, instead: Instead },
    #[error("certificate {position} in {} cannot be decoded: {detail}", .path.display())]
    BadCertificate { path: PathBuf, position: usize, detail: String },
    #[error("certificate {position} in {} is marked as not to be trusted", .path.display())]
    Distrusted { path: PathBuf, position: usize },
    #[error("no revocation list in {}{instead}", .path.display())]
    NoRevocationList { path: PathBuf, instead: Instead },
    #[error("revocation list {position}{} in {} cannot be used: {}", whose(.list), .path.display(), .list.reason)]
    BadRevocationList { path: PathBuf, position: usize, list: UnusableList },
    #[error("{} holds neither certificates nor keys nor revocation lists{instead}", .path.display())]
    Nothing { path: PathBuf, instead: Instead },
    #[error("{} is larger than {}", .path.display(), size(*.largest))]
    TooLarge { path: PathBuf, largest: u64 },
    #[error("{} is {kind}, which is not read", .path.display())]
    ForeignFormat { path: PathBuf, kind: Kind },
    #[error("the PKCS#12 archive {} cannot be opened: {error}", .path.display())]
    Archive { path: PathBuf, error: Pkcs12Error },
    #[error("no private key in {}{instead}", .path.display())]
    NoKey { path: PathBuf, instead: Instead },
    #[error("the private key in {} cannot be used: {detail}", .path.display())]
    UnusableKey { path: PathBuf, detail: String },
    #[error("the private key in {} is encrypted in a way that is not supported: {detail}", .path.display())]
    UnsupportedEncryption { path: PathBuf, detail: String },
    #[error("the private key in {} is encrypted with more work than is done for a file", .path.display())]
    CostlyEncryption { path: PathBuf },
    #[error("the private key in {} is encrypted and no passphrase is given", .path.display())]
    PassphraseMissing { path: PathBuf },
    #[error("the passphrase does not decrypt the private key in {}", .path.display())]
    PassphraseWrong { path: PathBuf },
    #[error("the first line of {} holds no passphrase", .path.display())]
    PassphraseEmpty { path: PathBuf },
    #[error("{} is text in UTF-16, so its first line is taken for no passphrase", .path.display())]
    PassphraseWide { path: PathBuf },
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

/// What a file is that lacks what was looked for; said only where that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instead(pub(super) Option<Kind>);

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |kind| write!(f, ": it is {kind}"))
    }
}

impl MaterialError {
    /// Says which file was not read whole, and why.
    pub(super) fn unread(path: &Path, why: Unread) -> Self {
        let path = path.to_owned();
        match why {
            Unread::Failed(source) => Self::Unreadable { path, source },
            Unread::TooLarge(largest) => Self::TooLarge { path, largest },
            Unread::Silent => Self::Silent { path },
        }
    }

    /// Returns what to do about it, where that is known.
    pub fn help(&self) -> Option<String> {
        match self {
            // The mode of a device is the system's business.
            Self::ReadableByOthers { path, .. } if path.starts_with("/dev") => Some("give a file".to_owned()),
            Self::ReadableByOthers { path, .. } => Some(format!("chmod 600 {}", path.display())),
            Self::Unreadable { path, source } if source.kind() == io::ErrorKind::PermissionDenied => Some(format!(
                "pronk must be able to read it, and to enter the folders above it; as a service it runs as pronk: chown \
                 pronk {}",
                path.display()
            )),
            Self::UnsupportedEncryption { path, .. } | Self::CostlyEncryption { path } => {
                let path = path.display();
                Some(format!("rewrite the key: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path} -out {path}.new"))
            }
            Self::ForeignFormat { path, kind } => kind.remedy(path),
            Self::NoCertificate { path, instead: Instead(kind) }
            | Self::NoRevocationList { path, instead: Instead(kind) }
            | Self::NoKey { path, instead: Instead(kind) }
            | Self::Nothing { path, instead: Instead(kind) } => kind.and_then(|kind| kind.remedy(path)),
            Self::Silent { .. } => Some("start what writes to it first, or give a file".to_owned()),
            Self::TooLarge { .. } => Some("give the file that has the certificates, keys or lists alone".to_owned()),
            Self::Distrusted { path, .. } => {
                let path = path.display();
                Some(format!("leave it out, or clear the mark: openssl x509 -clrreject -in {path} -out {path}.new"))
            }
            Self::PassphraseWide { path } => Kind::Utf16.remedy(path),
            Self::Archive { path, error: Pkcs12Error::WrongPassphrase } => Some(format!(
                "give its passphrase with --passphrase-file or --passphrase-env (in a profile: passphrase-file), or \
                 take out what is needed: openssl pkcs12 -nodes -in {}",
                path.display()
            )),
            Self::Archive { path, error: Pkcs12Error::Unsupported(_) | Pkcs12Error::TooMuchWork } => {
                let path = path.display();
                Some(format!(
                    "write it anew: openssl pkcs12 -nodes -in {path} | openssl pkcs12 -export -out {path}.new"
                ))
            }
            Self::PassphraseMissing { .. } => Some("set passphrase-file or passphrase-env".to_owned()),
            Self::KeyMismatch { belongs_to: Some(position), .. } => {
                Some(format!("the key belongs to certificate {position} of that file: put that one first"))
            }
            Self::StoreUnknown { store, .. } if !store.exists() => {
                Some(format!("there is no folder {}: copy the certificate store there", store.display()))
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
    #[error("it is not well-formed PKCS#12: {0}")]
    Malformed(&'static str),
    #[error("it is protected in a way that is not supported: {0}")]
    Unsupported(String),
    #[error("it is larger than {} MiB or has more than {MOST_ENCRYPTED_PARTS} encrypted parts", LARGEST_PKCS12 >> 20)]
    TooLarge,
    #[error("it asks for more work than is done for a file")]
    TooMuchWork,
    #[error("it cannot be written: {0}")]
    Unwritable(&'static str),
}

/// Returns the issuer of a list that cannot be used, as far as it was read.
fn whose(list: &UnusableList) -> String {
    list.issuer.as_ref().map(|issuer| format!(" (of {issuer})")).unwrap_or_default()
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// Bytes of an archive that is read.
pub const LARGEST_PKCS12: usize = 16 << 20;
/// A chain has a key and a list of certificates, each encrypted once.
pub const MOST_ENCRYPTED_PARTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_of_another_account_is_told_with_what_to_do() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = MaterialError::Unreadable { path: "/etc/pronk/lb.key".into(), source };
        assert!(error.help().is_some_and(|help| help.ends_with("chown pronk /etc/pronk/lb.key")));
        let source = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(MaterialError::Unreadable { path: "lb.key".into(), source }.help(), None);
    }
}
