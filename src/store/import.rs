//! Importing certificates and keys that were made elsewhere.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::sort_chain::order;
use super::{StoreError, Stored};
use crate::cert::bundle;
use crate::cert::entry::{KEY, NEXT_KEY};
use crate::cert::pkcs12::is_archive;
use crate::cert::{Certificate, MaterialError, Parts, Passphrase, Pkcs12Error, PrivateKey, date};

/// Where the parts are that are to be imported.
#[derive(Debug, Default)]
pub struct Source {
    /// Of any format; it may hold the chain and the key too.
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
        let given = source.pkcs12.as_ref().or(source.cert.as_ref());
        let cert = given.cloned().unwrap_or_default();
        let contents = bundle::contents(&cert)?.contents;
        if source.pkcs12.is_some() && !is_archive(&contents) {
            let path = cert.display();
            return Err(StoreError::Refused(format!("{path} is no PKCS#12 archive; give it with --cert")));
        }
        let (parts, passphrase) = parts(&cert, &contents, ask)?;
        if source.pkcs12.is_some() {
            parts.key()?;
        }
        let own_key = match &source.key {
            None => of_parts(&cert, &parts, passphrase, source.decrypt, ask)?,
            Some(_) => None,
        };
        let mut certificates = bundle::decode(&cert, parts.certificates()?)?;
        if let Some(chain) = &source.chain {
            let parts = self::parts(chain, &bundle::contents(chain)?.contents, ask)?.0;
            certificates.extend(bundle::decode(chain, parts.certificates()?)?);
        }
        let key = match &source.key {
            Some(path) => Some(Key::read(path, &bundle::contents(path)?.contents, source.decrypt, ask)?),
            None => own_key,
        };
        Ok(Self { cert, certificates, key })
    }
}

impl Key {
    fn read(path: &Path, contents: &[u8], decrypt: bool, ask: &Ask<'_>) -> Result<Self, StoreError> {
        let (parts, passphrase) = parts(path, contents, ask)?;
        // Says what the file has instead.
        parts.key()?;
        let key = of_parts(path, &parts, passphrase, decrypt, ask)?;
        key.ok_or_else(|| MaterialError::NoKey { path: path.to_owned(), instead: parts.instead() }.into())
    }
}

/// Takes a file apart; asks for the passphrase of an archive, which is returned too.
fn parts(path: &Path, contents: &[u8], ask: &Ask<'_>) -> Result<(Parts, Option<Passphrase>), StoreError> {
    // Some archives have the empty passphrase, which nobody should be asked for.
    match Parts::of(path, contents, None) {
        Err(MaterialError::Archive { error: Pkcs12Error::WrongPassphrase, .. }) => {
            let passphrase = ask(path)?;
            Ok((Parts::of(path, contents, Some(&passphrase))?, Some(passphrase)))
        }
        outcome => Ok((outcome?, None)),
    }
}

/// Returns the private key of a file that has one, and no more than one if it is an archive.
fn of_parts(
    path: &Path,
    parts: &Parts,
    passphrase: Option<Passphrase>,
    decrypt: bool,
    ask: &Ask<'_>,
) -> Result<Option<Key>, StoreError> {
    let Some(encoded) = parts.keys.first() else { return Ok(None) };
    if parts.keys.len() > 1 && parts.is_unordered {
        let (path, count) = (path.display(), parts.keys.len());
        return Err(StoreError::Refused(format!(
            "{path} holds {count} private keys; split it, so that one is left: openssl pkcs12 -in {path}"
        )));
    }
    let passphrase = if encoded.needs_passphrase() { Some(ask(path)?) } else { passphrase };
    let key =
        PrivateKey::new(encoded.open(path, passphrase.as_ref())?).map_err(|error| StoreError::key(path, error))?;
    let is_encrypted = passphrase.is_some() && !decrypt;
    let contents = match &passphrase {
        // As it is: an encrypted key stays encrypted in the way that its owner chose.
        _ if encoded.needs_passphrase() && !decrypt => encoded.pem(),
        // An archive's own encryption is not that of a key's file.
        Some(passphrase) if !decrypt => key.pem(Some(passphrase))?,
        None if !encoded.is_encrypted() => encoded.pem(),
        _ => key.pem(None)?,
    };
    Ok(Some(Key { path: path.to_owned(), key, contents, encrypted: is_encrypted }))
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
