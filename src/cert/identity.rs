//! A certificate with its chain and its private key, read and found to belong together.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::bundle::{LARGEST, decode};
use super::entry::{Entry, EntryFolder, read_consistently};
use super::key_name::unusable;
use super::names::CertificateNames;
use super::parts::Parts;
use super::passphrase::Passphrase;
use super::secret_file::{check_mode, read_open};
use super::{Certificate as Decoded, MaterialError};
use crate::model::profile::{self, CertKey, Certificate};
use crate::reading::{Whole, open};

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
        let passphrase = match &source.passphrase {
            Some(place) => {
                let part = match place {
                    profile::Passphrase::File(_) => Part::PassphraseFile,
                    profile::Passphrase::Environment(_) => Part::PassphraseEnvironment,
                };
                collect(&mut errors, part, Passphrase::read(place))
            }
            None => None,
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let of_file = |path: &Path, file: &Whole| Parts::of(path, &file.contents, passphrase.as_ref());
        let decoded = |path: &Path, file: Parts| decode(path, file.certificates()?);

        let cert_file = collect(&mut errors, files.part(Part::Certificate), files.read(&files.cert));
        let cert = cert_file.as_ref().and_then(|file| {
            let parts = collect(&mut errors, files.part(Part::Certificate), of_file(&files.cert, file));
            parts.map(|parts| (parts.is_unordered, decoded(&files.cert, parts)))
        });
        let cert = cert.and_then(|(is_unordered, certificates)| {
            let certificates = collect(&mut errors, files.part(Part::Certificate), certificates)?;
            Some((is_unordered, certificates))
        });
        let rest = match &files.chain {
            Some(path) => {
                let read = files.read(path).and_then(|file| decoded(path, of_file(path, &file)?));
                collect(&mut errors, files.part(Part::Chain), read)
            }
            None => Some(Vec::new()),
        };
        // What comes through a pipe can be read once.
        let key_file = if files.key == files.cert {
            cert_file
        } else {
            collect(&mut errors, files.part(Part::Key), files.read(&files.key))
        };
        let key = key_file.and_then(|file| {
            let key = check_mode(&files.key, file.mode)
                .and_then(|()| of_file(&files.key, &file)?.key()?.open(&files.key, passphrase.as_ref()))
                .and_then(|der| signing_key(&files.key, der));
            collect(&mut errors, files.part(Part::Key), key)
        });
        let (Some((is_unordered, mut certificates)), Some(rest), Some(key)) = (cert, rest, key) else {
            return Err(errors);
        };

        if let Some(public) = key.public_key().filter(|_| is_unordered) {
            certificates = arranged(certificates, &public);
        }
        check_pair(files, &certificates, key.as_ref())
            .map_err(|error| vec![IdentityError { part: files.part(Part::Key), error }])?;
        let leaf = certificates.first();
        let names = leaf.map(|leaf| leaf.names.clone()).unwrap_or_default();
        let validity = leaf.map(|leaf| (leaf.not_before, leaf.not_after)).unwrap_or_default();
        let mut chain: Vec<_> = certificates.into_iter().map(|it| it.der).collect();
        for certificate in rest {
            // A chain file often repeats what the certificate's file has already.
            if !chain.contains(&certificate.der) {
                chain.push(certificate.der);
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

    fn read(&self, path: &Path) -> Result<Whole, MaterialError> {
        read_open(path, self.open(path), LARGEST)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        self.folder.map_or_else(|| open(path), |folder| folder.open(path))
    }

    /// Returns the part of the description to blame: an entry of the store is named as a whole.
    fn part(&self, part: Part) -> Part {
        if self.folder.is_some() { Part::Store } else { part }
    }
}

fn signing_key(path: &Path, der: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, MaterialError> {
    let der = Zeroizing::new(der);
    super::signing_key::signing_key(&der)
        .map_err(|_| MaterialError::UnusableKey { path: path.to_owned(), detail: unusable(&der) })
}

/// Returns the certificate of a key (by its SubjectPublicKeyInfo) and, after it, those above it but for the root, out of
/// a file that has an order of its own. Without the key's certificate they stay as they are.
pub fn arranged(mut certificates: Vec<Decoded>, spki: &[u8]) -> Vec<Decoded> {
    let Some(leaf) = certificates.iter().position(|certificate| certificate.key.spki == spki) else {
        return certificates;
    };
    let mut chain = vec![certificates.swap_remove(leaf)];
    while let Some(below) = chain.last().filter(|below| !below.is_self_issued())
        && let Some(above) = certificates.iter().position(|above| below.names_issuer(above))
    {
        let above = certificates.swap_remove(above);
        if above.is_self_issued() {
            break;
        }
        chain.push(above);
    }
    chain
}

fn check_pair(files: &Files<'_>, chain: &[Decoded], key: &dyn SigningKey) -> Result<(), MaterialError> {
    let (Some(leaf), Some(public)) = (chain.first(), key.public_key()) else { return Ok(()) };
    if leaf.key.spki == public.as_ref() {
        return Ok(());
    }
    let belongs_to = chain.iter().position(|certificate| certificate.key.spki == public.as_ref());
    Err(MaterialError::KeyMismatch {
        key: files.key.clone(),
        cert: files.cert.clone(),
        subject: leaf.names.title(),
        belongs_to: belongs_to.map(|index| index + 1),
    })
}

fn collect<T>(errors: &mut Vec<IdentityError>, part: Part, result: Result<T, MaterialError>) -> Option<T> {
    result.map_err(|error| errors.push(IdentityError { part, error })).ok()
}
