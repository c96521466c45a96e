//! An entry of the store, read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::list::names;
use super::{Authority, StoreError};
use crate::cert::bundle::{self, KeyFile};
use crate::cert::entry::{CERT, CHAIN, CSR, EntryFolder, KEY, NEXT_KEY, read_consistently};
use crate::cert::{Certificate, MaterialError, Parts, Passphrase, PrivateKey};

/// An entry of the store, as it was at one moment.
#[derive(Debug)]
pub struct Stored {
    pub name: String,
    pub folder: PathBuf,
    /// The certificate; none while it waits for that of its request.
    pub leaf: Option<Certificate>,
    /// What is sent after it, nearest first.
    pub chain: Vec<Certificate>,
    pub key: Option<KeyFile>,
    /// The names and permission bits of all files, by name.
    pub files: Vec<(String, u32)>,
    /// What cannot be read or used.
    pub problems: Vec<MaterialError>,
    /// Whether it has asked for a certificate that has not come yet.
    pub pending: bool,
    key_contents: Option<Zeroizing<Vec<u8>>>,
    next_key_contents: Option<Zeroizing<Vec<u8>>>,
}

impl Stored {
    /// Reads an entry; the passphrase is for its key.
    ///
    /// # Errors
    /// There is none of this name. What is wrong with its files is in [`problems`](Self::problems).
    pub fn read(store: &Path, name: &str, passphrase: Option<&Passphrase>) -> Result<Self, MaterialError> {
        read_consistently(store, name, |folder| Self::of(folder, name, passphrase), |stored| stored.problems.is_empty())
    }

    /// Reads every entry.
    ///
    /// # Errors
    /// The store cannot be read. An entry that vanishes meanwhile is none.
    pub fn all(store: &Path) -> Result<Vec<Self>, StoreError> {
        Ok(names(store)?.iter().filter_map(|name| Self::read(store, name, None).ok()).collect())
    }

    fn of(folder: &EntryFolder, name: &str, passphrase: Option<&Passphrase>) -> Self {
        let mut problems = Vec::new();
        let mut read = |file: &str| folder.read(file).map_err(|error| problems.push(error)).ok().flatten();
        let (key, next_key) = (read(KEY), read(NEXT_KEY));
        let path = folder.path().to_owned();
        let pending = folder.has(CSR);
        let certificates = if pending && !folder.has(CERT) { Vec::new() } else { decode(folder, CERT, &mut problems) };
        let mut chain = certificates.into_iter();
        let leaf = chain.next();
        let mut chain: Vec<_> = chain.collect();
        if folder.has(CHAIN) {
            chain.extend(decode(folder, CHAIN, &mut problems));
        }
        let mut key_file = None;
        match &key {
            Some((contents, mode)) => match bundle::parse(&path.join(KEY), contents, *mode, passphrase) {
                Ok(parsed) if parsed.key.is_some() => key_file = parsed.key,
                Ok(_) => {
                    let lacks_key = Parts::of(&path.join(KEY), contents, None).and_then(|it| it.key().map(drop));
                    problems.extend(lacks_key.err());
                }
                Err(error) => problems.push(error),
            },
            None => {
                let source = ErrorKind::NotFound.into();
                problems.push(MaterialError::Unreadable { path: path.join(KEY), source });
            }
        }
        if let (Some(leaf), Some(KeyFile { spki: Ok(spki), .. })) = (&leaf, &key_file)
            && leaf.key.spki != *spki
        {
            let subject = leaf.title();
            problems.push(MaterialError::KeyMismatch {
                key: path.join(KEY),
                cert: path.join(CERT),
                subject,
                belongs_to: None,
            });
        }
        Self {
            name: name.to_owned(),
            files: files(&path),
            folder: path,
            leaf,
            chain,
            key: key_file,
            problems,
            pending,
            key_contents: key.map(|(contents, _)| contents),
            next_key_contents: next_key.map(|(contents, _)| contents),
        }
    }

    /// Returns the key file as it is.
    pub fn key_contents(&self) -> Option<&[u8]> {
        self.key_contents.as_ref().map(|contents| contents.as_slice())
    }

    /// Returns the file of the key of a pending request, as it is.
    pub fn next_key_contents(&self) -> Option<&[u8]> {
        self.next_key_contents.as_ref().map(|contents| contents.as_slice())
    }

    /// Returns the private key, decrypted.
    ///
    /// # Errors
    /// There is none, or the passphrase is missing or wrong.
    pub fn private_key(&self, passphrase: Option<&Passphrase>) -> Result<PrivateKey, StoreError> {
        let path = self.folder.join(KEY);
        let contents = self.key_contents().unwrap_or_default();
        let der = Parts::of(&path, contents, passphrase)?.key()?.open(&path, passphrase)?;
        PrivateKey::new(der).map_err(|error| StoreError::key(&path, error))
    }

    /// Makes an authority of it, that can sign.
    ///
    /// # Errors
    /// It is none, or its key cannot be used.
    pub fn authority(&self, passphrase: Option<&Passphrase>) -> Result<Authority, StoreError> {
        let none = |why| StoreError::NotAnAuthority { name: self.name.clone(), why };
        let certificate = self.leaf.clone().ok_or_else(|| none("it has no certificate"))?;
        if !certificate.is_ca() {
            return Err(none("its certificate does not say CA:TRUE"));
        }
        if certificate.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
            return Err(none("its key usage lacks keyCertSign"));
        }
        let key = self.private_key(passphrase)?;
        let mut chain: Vec<CertificateDer<'static>> = self.chain.iter().map(|above| above.der.clone()).collect();
        if !certificate.is_self_issued() {
            chain.insert(0, certificate.der.clone());
        }
        Ok(Authority { certificate, chain, key })
    }

    /// Returns whether it is an authority's.
    pub fn is_authority(&self) -> bool {
        self.leaf.as_ref().is_some_and(Certificate::is_ca)
    }

    /// Returns whether its certificate names `issuer`'s as the one that signed it.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        match (&self.leaf, &issuer.leaf) {
            (Some(leaf), Some(above)) => self.name != issuer.name && above.is_ca() && leaf.names_issuer(above),
            _ => false,
        }
    }
}

fn decode(folder: &EntryFolder, file: &str, problems: &mut Vec<MaterialError>) -> Vec<Certificate> {
    let path = folder.path().join(file);
    let read = match folder.read(file) {
        Ok(Some((contents, _))) => Parts::of(&path, &contents, None).and_then(Parts::certificates),
        Ok(None) => Err(MaterialError::Unreadable { path: path.clone(), source: ErrorKind::NotFound.into() }),
        Err(error) => Err(error),
    };
    let certificates = match read {
        Ok(certificates) => certificates,
        Err(error) => {
            problems.push(error);
            return Vec::new();
        }
    };
    let mut decoded = Vec::new();
    for (der, position) in certificates.into_iter().zip(1..) {
        match bundle::decode_at(&path, position, der) {
            Ok(certificate) => decoded.push(certificate),
            Err(error) => problems.push(error),
        }
    }
    decoded
}

fn files(folder: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::MetadataExt;
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| {
            let mode = file.path().metadata().ok()?.mode() & 0o7777;
            Some((file.file_name().to_string_lossy().into_owned(), mode))
        })
        .collect();
    files.sort();
    files
}
