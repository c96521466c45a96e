//! A certificate with its chain and its private key, read and found to belong together.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::entry::{Entry, EntryFolder, read_consistently};
use super::key_pem::parse_key;
use super::names::CertificateNames;
use super::passphrase::Passphrase;
use super::pem::certificates_of;
use super::secret_file::secret_of;
use super::{MaterialError, PrivateKeyError};
use crate::model::profile::{self, CertKey, Certificate};

/// A certificate with its chain and the private key that belongs to it.
#[derive(Clone)]
pub struct Identity {
    pub key: Arc<CertifiedKey>,
    pub names: CertificateNames,
    /// The first and the last second in which the certificate is valid, since 1970.
    pub validity: (i64, i64),
}

/// What is wrong with an identity, and which part of its description leads there.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct IdentityError {
    pub part: Part,
    #[source]
    pub error: MaterialError,
}

/// A part of a [`CertKey`]'s description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Store,
    Certificate,
    Key,
    Chain,
    PassphraseFile,
    PassphraseEnvironment,
}

impl Part {
    /// Returns the key under which the configuration file has it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Certificate => "cert",
            Self::Key => "key",
            Self::Chain => "chain",
            Self::PassphraseFile => "passphrase-file",
            Self::PassphraseEnvironment => "passphrase-env",
        }
    }
}

impl Identity {
    /// Reads the files of `source`, whose entries are in the store `store`, and reports everything that is wrong with
    /// them.
    pub fn load(source: &CertKey, store: &Path) -> Result<Self, Vec<IdentityError>> {
        match &source.certificate {
            Certificate::Files { cert, key, chain } => {
                let (cert, key, chain) = (cert.clone(), key.clone(), chain.clone());
                Self::read(source, &Files { cert, key, chain, folder: None })
            }
            // The entry may be replaced meanwhile: its certificate and key are read from one and the same folder.
            Certificate::Store(name) => {
                read_consistently(store, name, |folder| Self::read(source, &Files::of(folder)), Result::is_ok)
                    .map_err(|error| vec![IdentityError { part: Part::Store, error }])?
            }
        }
    }

    fn read(source: &CertKey, files: &Files<'_>) -> Result<Self, Vec<IdentityError>> {
        let mut errors = Vec::new();
        let certificates = |path: &Path| certificates_of(path, files.open(path));

        let chain = collect(&mut errors, files.part(Part::Certificate), certificates(&files.cert));
        let rest = match &files.chain {
            Some(path) => collect(&mut errors, files.part(Part::Chain), certificates(path)),
            None => Some(Vec::new()),
        };
        let key = load_key(source, files, &mut errors);
        let (Some(mut chain), Some(rest), Some(key)) = (chain, rest, key) else { return Err(errors) };

        let (names, validity) = match check_pair(files, &chain, key.as_ref()) {
            Ok(leaf) => leaf,
            Err((part, error)) => return Err(vec![IdentityError { part: files.part(part), error }]),
        };
        for certificate in rest {
            // A chain file often repeats what the certificate's file has already.
            if !chain.contains(&certificate) {
                chain.push(certificate);
            }
        }
        Ok(Self { key: Arc::new(CertifiedKey::new(chain, key)), names, validity })
    }

    /// Returns whether the certificate is valid at a time, in seconds since 1970.
    pub fn is_valid_at(&self, now: i64) -> bool {
        (self.validity.0..=self.validity.1).contains(&now)
    }

    /// Returns the certificate and those above it, as they are sent.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Where the parts are: at paths, or in the folder of an entry of the store, which is open.
struct Files<'a> {
    cert: PathBuf,
    key: PathBuf,
    chain: Option<PathBuf>,
    folder: Option<&'a EntryFolder>,
}

impl<'a> Files<'a> {
    fn of(folder: &'a EntryFolder) -> Self {
        let Entry { cert, key, chain } = folder.files();
        Self { cert, key, chain, folder: Some(folder) }
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.folder.map_or_else(|| File::open(path), |folder| folder.open(path))
    }

    /// Returns the part of the description to blame: an entry of the store is named as a whole.
    fn part(&self, part: Part) -> Part {
        if self.folder.is_some() { Part::Store } else { part }
    }
}

fn load_key(source: &CertKey, files: &Files<'_>, errors: &mut Vec<IdentityError>) -> Option<Arc<dyn SigningKey>> {
    let passphrase = match &source.passphrase {
        Some(place) => {
            let part = match place {
                profile::Passphrase::File(_) => Part::PassphraseFile,
                profile::Passphrase::Environment(_) => Part::PassphraseEnvironment,
            };
            Some(collect(errors, part, Passphrase::read(place))?)
        }
        None => None,
    };
    let key = secret_of(&files.key, files.open(&files.key))
        .and_then(|contents| parse_key(&files.key, &contents, passphrase.as_ref()));
    let der = collect(errors, files.part(Part::Key), key)?;
    collect(errors, files.part(Part::Key), signing_key(&files.key, der))
}

fn signing_key(path: &Path, der: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, MaterialError> {
    any_supported_type(&Zeroizing::new(der)).map_err(|_| MaterialError::UnusableKey {
        path: path.to_owned(),
        detail: PrivateKeyError::Unusable.to_string(),
    })
}

fn check_pair(
    files: &Files<'_>,
    chain: &[CertificateDer<'_>],
    key: &dyn SigningKey,
) -> Result<(CertificateNames, (i64, i64)), (Part, MaterialError)> {
    let bad = |detail: String| {
        (Part::Certificate, MaterialError::BadCertificate { path: files.cert.clone(), position: 1, detail })
    };
    let (_, leaf) = X509Certificate::from_der(&chain[0]).map_err(|error| bad(error.to_string()))?;
    let names = CertificateNames::of(&leaf).map_err(|error| bad(error.to_string()))?;
    let validity = (leaf.validity().not_before.timestamp(), leaf.validity().not_after.timestamp());
    let Some(public) = key.public_key() else { return Ok((names, validity)) };
    if leaf.public_key().raw == public.as_ref() {
        return Ok((names, validity));
    }
    let belongs_to = chain.iter().position(|certificate| {
        X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.public_key().raw == public.as_ref())
    });
    let error = MaterialError::KeyMismatch {
        key: files.key.clone(),
        cert: files.cert.clone(),
        subject: names.title(),
        belongs_to: belongs_to.map(|index| index + 1),
    };
    Err((Part::Key, error))
}

fn collect<T>(errors: &mut Vec<IdentityError>, part: Part, result: Result<T, MaterialError>) -> Option<T> {
    result.map_err(|error| errors.push(IdentityError { part, error })).ok()
}
