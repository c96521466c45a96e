//! Why something could not be done with the store.

use std::io;
use std::path::{Path, PathBuf};

use super::names::NamesError;
use crate::cert::{MaterialError, PrivateKeyError};
use crate::reading::os_reason;
use crate::words::words_of;

/// Why something could not be done with the certificate store; the text has the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    // The text has the reason, so that it is no source, which would be written again.
    #[error("cannot {what} {}: {}", .path.display(), os_reason(.reason))]
    Io { what: &'static str, path: PathBuf, reason: io::Error },
    #[error("{error}{}", .error.help().map(|help| format!("; {help}")).unwrap_or_default())]
    Material { error: MaterialError },
    #[error("the private key cannot be used: {0}")]
    Key(PrivateKeyError),
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error("another pronk has been writing to {} for {seconds} seconds; wait for it to end, or find it with: fuser {}", .path.display(), .path.display())]
    Busy { path: PathBuf, seconds: u64 },
    #[error("the entry \"{name}\" exists already; replace it with --replace, or choose another name")]
    Exists { name: String },
    #[error(
        "the entry \"{name}\" waits for the certificate of its request; import that, or give --replace to ask anew with another key"
    )]
    Pending { name: String },
    #[error("the entry \"{name}\" has the folder {}, which pronk did not make; move it elsewhere", .folder.display())]
    ForeignFolder { name: String, folder: PathBuf },
    #[error("the certificate could not be made: {0}")]
    Issue(String),
    #[error(
        "\"{name}\" is not an authority that may sign certificates ({why}); make one with: pronk cert create --authority {name}-ca --common-name \"{name} CA\""
    )]
    NotAnAuthority { name: String, why: &'static str },
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn io(what: &'static str, path: &Path, reason: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), reason }
    }

    /// Makes the error about the key in a file.
    pub(super) fn key(path: &Path, error: PrivateKeyError) -> Self {
        MaterialError::UnusableKey { path: path.to_owned(), detail: error.to_string() }.into()
    }

    /// Says in words why the library does not make a certificate or a request.
    pub(super) fn issue(error: &rcgen::Error) -> Self {
        use rcgen::Error as E;
        let why = match error {
            E::InvalidAsn1String(_) => "a name has letters that a certificate cannot carry there",
            E::InvalidNameType | E::InvalidIpAddressOctetLength(_) => "a name is of a kind that it cannot carry",
            E::CouldNotParseCertificate | E::X509(_) => "the certificate of the authority cannot be read",
            E::CouldNotParseCertificationRequest => "the request cannot be read",
            E::CouldNotParseKeyPair | E::PemError(_) => "a private key cannot be read",
            E::KeyGenerationUnavailable | E::RingKeyRejected(_) => "no key can be made here",
            E::UnsupportedSignatureAlgorithm => "the authority's key signs in a way that is not supported",
            E::UnsupportedExtension | E::UnsupportedInCsr => "it would need an extension that is not written here",
            E::IssuerNotCrlSigner => "the authority may not sign revocation lists (key usage without cRLSign)",
            E::RemoteKeyError | E::RingUnspecified => "signing failed",
            E::Time => "its time is beyond what a certificate can carry",
            other => return Self::Issue(words_of(other)),
        };
        Self::Issue(why.to_owned())
    }
}

impl From<PrivateKeyError> for StoreError {
    fn from(error: PrivateKeyError) -> Self {
        Self::Key(error)
    }
}

impl From<MaterialError> for StoreError {
    fn from(error: MaterialError) -> Self {
        Self::Material { error }
    }
}
