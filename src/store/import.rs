//! Importing certificates and keys that were made elsewhere.

use std::path::{Path, PathBuf};

use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::sort_chain::order;
use super::{StoreError, Stored};
use crate::cert::bundle;
use crate::cert::entry::{KEY, NEXT_KEY};
use crate::cert::key_pem::{self, parse_key};
use crate::cert::{Certificate, MaterialError, Passphrase, Pkcs12Error, PrivateKey, date, pkcs12};

/// Where the parts are that are to be imported.
#[derive(Debug, Default)]
pub struct Source {
    /// PEM or DER; it may hold the chain and the key too.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub chain: Option<PathBuf>,
    pub pkcs12: Option<PathBuf>,
    /// Store a key without encryption that is encrypted.
    pub decrypt: bool,
}

/// The parts, read.
pub struct Import {
    cert: PathBuf,
    certificates: Vec<Certificate>,
    key: Option<Key>,
}

struct Key {
    path: PathBuf,
    key: PrivateKey,
    /// As it is to be stored.
    contents: Zeroizing<Vec<u8>>,
    encrypted: bool,
}

/// Parts that belong together.
pub struct Checked {
    pub leaf: Certificate,
    /// From the one that signed the leaf up to the one below the root.
    pub chain: Vec<Certificate>,
    /// As it is to be stored.
    pub key: Zeroizing<Vec<u8>>,
    pub encrypted: bool,
    /// Whether the key was in the store and waited for this certificate.
    pub key_was_stored: bool,
    /// What else was given and is not stored, in words.
    pub left_out: Vec<String>,
}

/// Where the passphrase of a file comes from.
pub type Ask<'a> = dyn Fn(&Path) -> Result<Passphrase, StoreError> + 'a;

impl Import {
    /// Reads the parts; asks for a passphrase when there is something to decrypt.
    ///
    /// # Errors
    /// A file cannot be read, holds nothing of what it should, or its passphrase is wrong.
    pub fn read(source: &Source, ask: &Ask<'_>) -> Result<Self, StoreError> {
        if let Some(path) = &source.pkcs12 {
            return Self::of_archive(path, source, ask);
        }
        let cert = source.cert.clone().unwrap_or_default();
        let (contents, _) = bundle::contents(&cert)?;
        let mut certificates = certificates(&cert, &contents)?;
        if certificates.is_empty() {
            return Err(MaterialError::NoCertificate { path: cert }.into());
        }
        if let Some(chain) = &source.chain {
            certificates.extend(self::certificates(chain, &bundle::contents(chain)?.0)?);
        }
        let key = match &source.key {
            Some(path) => Some(Key::read(path, &bundle::contents(path)?.0, source.decrypt, ask)?),
            None if key_pem::has_key(&contents) => Some(Key::read(&cert, &contents, source.decrypt, ask)?),
            None => None,
        };
        Ok(Self { cert, certificates, key })
    }

    fn of_archive(path: &Path, source: &Source, ask: &Ask<'_>) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Pkcs12 { path: path.to_owned(), error };
        let (contents, _) = bundle::contents(path)?;
        // Some archives have the empty passphrase, which nobody should be asked for.
        let (archive, passphrase) = match pkcs12::read(&contents, None) {
            Err(Pkcs12Error::WrongPassphrase) => {
                let passphrase = ask(path)?;
                (pkcs12::read(&contents, Some(&passphrase)).map_err(failed)?, Some(passphrase))
            }
            outcome => (outcome.map_err(failed)?, None),
        };
        let mut certificates = bundle::decode(path, archive.certificates)?;
        if let Some(chain) = &source.chain {
            certificates.extend(self::certificates(chain, &bundle::contents(chain)?.0)?);
        }
        let [pkcs8] = archive.keys.as_slice() else {
            return Err(match archive.keys.len() {
                0 => MaterialError::NoKey { path: path.to_owned() }.into(),
                count => StoreError::Refused(format!(
                    "{} holds {count} private keys; split it, so that one is left: openssl pkcs12 -in {}",
                    path.display(),
                    path.display()
                )),
            });
        };
        let key = PrivateKey::new(PrivateKeyDer::Pkcs8(pkcs8.to_vec().into()))
            .map_err(|error| StoreError::key(path, error))?;
        let passphrase = passphrase.filter(|_| !source.decrypt);
        let contents = key.pem(passphrase.as_ref())?;
        let key = Key { path: path.to_owned(), key, contents, encrypted: passphrase.is_some() };
        Ok(Self { cert: path.to_owned(), certificates, key: Some(key) })
    }
}

impl Key {
    fn read(path: &Path, contents: &[u8], decrypt: bool, ask: &Ask<'_>) -> Result<Self, StoreError> {
        let encrypted = key_pem::is_encrypted(contents);
        let passphrase = if encrypted { Some(ask(path)?) } else { None };
        let key = match PrivateKeyDer::try_from(contents) {
            Ok(der) => PrivateKey::new(der.clone_key()),
            Err(_) => PrivateKey::new(parse_key(path, contents, passphrase.as_ref())?),
        };
        let key = key.map_err(|error| StoreError::key(path, error))?;
        let contents = match key_section(contents) {
            // As it is: an encrypted key stays encrypted in the way that its owner chose.
            Some(section) if !(encrypted && decrypt) => Zeroizing::new(section.to_vec()),
            _ => key.pem(None)?,
        };
        Ok(Self { path: path.to_owned(), key, contents, encrypted: encrypted && !decrypt })
    }
}

/// Finds which parts belong together, and orders the chain. Keys in the store, of `entry`, serve where none was
/// given.
///
/// # Errors
/// There is no key, or none for any of the certificates.
pub fn check_import(import: Import, entry: Option<&Stored>, ask: &Ask<'_>) -> Result<Checked, StoreError> {
    let mut candidates: Vec<(Key, bool)> = import.key.into_iter().map(|key| (key, false)).collect();
    if let Some(stored) = entry.filter(|_| candidates.is_empty()) {
        let files = [(NEXT_KEY, stored.next_key_contents()), (KEY, stored.key_contents())];
        for (file, contents) in files.into_iter().filter_map(|(file, contents)| Some((file, contents?))) {
            candidates.push((Key::read(&stored.folder.join(file), contents, false, ask)?, true));
        }
    }
    let Some((first, _)) = candidates.first() else {
        return Err(StoreError::Refused(format!(
            "there is no private key for {}; give it with --key, or make the key and a request first with: pronk cert csr",
            import.cert.display()
        )));
    };
    let mut pool = import.certificates;
    let belongs = |certificate: &Certificate, key: &Key| certificate.key.spki == key.key.spki();
    let found = candidates
        .iter()
        .enumerate()
        .find_map(|(at, (key, _))| Some((at, pool.iter().position(|certificate| belongs(certificate, key))?)));
    let Some((key_at, leaf_at)) = found else {
        let subject = pool.first().map(Certificate::title).unwrap_or_default();
        let (key, cert) = (first.path.clone(), import.cert);
        return Err(MaterialError::KeyMismatch { key, cert, subject, belongs_to: None }.into());
    };
    let (key, key_was_stored) = candidates.swap_remove(key_at);
    let leaf = pool.remove(leaf_at);
    let (chain, root) = order(&leaf, &mut pool);
    let mut left_out: Vec<_> =
        root.map(|root| format!("the root {}, which clients have to have anyway", root.title())).into_iter().collect();
    pool.retain(|rest| rest.der != leaf.der && !chain.iter().any(|each| each.der == rest.der));
    left_out.extend(pool.iter().map(|rest| format!("{}, which is not part of the chain", rest.title())));
    Ok(Checked { leaf, chain, key: key.contents, encrypted: key.encrypted, key_was_stored, left_out })
}

impl Checked {
    /// Returns what of it is not valid at `now` (seconds since 1970), in words.
    pub fn untimely(&self, now: i64) -> Vec<String> {
        let all = std::iter::once(&self.leaf).chain(&self.chain);
        all.filter_map(|certificate| {
            let title = certificate.title();
            if now > certificate.not_after {
                Some(format!("the certificate of {title} expired on {}", date::day(certificate.not_after)))
            } else if now < certificate.not_before {
                Some(format!("the certificate of {title} is not valid until {}", date::moment(certificate.not_before)))
            } else {
                None
            }
        })
        .collect()
    }
}

fn certificates(path: &Path, contents: &[u8]) -> Result<Vec<Certificate>, StoreError> {
    if pkcs12::is_archive(contents) {
        return Err(StoreError::Refused(format!("{} is a PKCS#12 archive: give it with --pkcs12", path.display())));
    }
    Ok(bundle::decode(path, bundle::parse(path, contents, 0, None)?.certificates)?)
}

/// Returns the first section of a PEM file with a private key, its begin and end lines included.
fn key_section(contents: &[u8]) -> Option<&[u8]> {
    let text = std::str::from_utf8(contents).ok()?;
    text.match_indices(BEGIN).find_map(|(start, _)| {
        let label = text[start + BEGIN.len()..].split("-----").next()?;
        let is_key = label == "ENCRYPTED PRIVATE KEY" || KEY_LABELS.contains(&label);
        let end = format!("-----END {label}-----");
        let length = text[start..].find(&end)? + end.len();
        is_key.then(|| &text.as_bytes()[start..start + length])
    })
}

const BEGIN: &str = "-----BEGIN ";
const KEY_LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
