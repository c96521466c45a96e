//! Renewing an entry: the same names, signed as before, or a request for others to sign.

use std::path::Path;

use super::import::Ask;
use super::issue::{self, CLOCK_SKEW};
use super::names::Names;
use super::{Change, StoreError, Stored};
use crate::cert::entry::{CERT, CHAIN, CSR, KEY, NEXT_KEY};
use crate::cert::pem::encode;
use crate::cert::{Certificate, Instead, KeyKind, KeyType, MaterialError, Passphrase, PrivateKey};

/// What renewing an entry came to.
#[derive(Debug)]
pub enum Renewal {
    /// There is a certificate with the same names.
    Issued { leaf: Box<Certificate>, by: Option<String>, change: Change },
    /// Somebody else has to sign: this request in PEM is for them. The entry serves its certificate until theirs is
    /// imported.
    Requested { csr: String, change: Change },
}

/// Makes a certificate with the names of the one that the entry has, with a fresh key or the same; signed as before: by
/// its own key or by an authority in the store. Where that is not possible makes a request.
///
/// `days` is how long it is valid; by default as long as the one before. An encrypted key stays encrypted, and a fresh
/// one is encrypted with the same passphrase.
///
/// # Errors
/// The entry has no certificate, a key cannot be used, or a passphrase is wrong.
pub fn renew(
    store: &Path,
    entry: &Stored,
    fresh: Option<PrivateKey>,
    days: Option<u32>,
    now: i64,
    ask: &Ask<'_>,
) -> Result<Renewal, StoreError> {
    let old = leaf(entry)?;
    let names = Names::of_certificate(old)?;
    let passphrase =
        if entry.key.as_ref().is_some_and(|key| key.encrypted) { Some(ask(&entry.folder.join(KEY))?) } else { None };
    let is_fresh = fresh.is_some();
    let (key, key_file) = match fresh {
        Some(key) => {
            if passphrase.is_some() {
                // The next start of pronk would be too late to learn of a slip.
                entry.private_key(passphrase.as_ref())?;
            }
            let file = key.pem(passphrase.as_ref())?;
            (key, Some(file))
        }
        None => (entry.private_key(passphrase.as_ref())?, None),
    };
    // Whole days: the hour for clocks that lag behind is added again.
    let days = days.map_or_else(|| ((old.not_after - old.not_before) / 86_400).max(1), i64::from);
    let validity = (now - CLOCK_SKEW, now.saturating_add(days.saturating_mul(86_400)));
    let with_key = |change: Change| match key_file.clone() {
        Some(file) => change.set_secret(KEY, file),
        None => change,
    };

    let issued = if old.is_self_issued() {
        // What `openssl req -x509` makes says CA:TRUE and is a server's all the same when it carries names.
        let is_authority = old.is_ca() && !old.names.has_alternative();
        let der = if is_authority {
            issue::authority(&names, &key, validity)?
        } else {
            issue::self_signed(&names, &key, validity)?
        };
        Some((der, None, Vec::new()))
    } else {
        match issuer(store, entry)? {
            Some(above) => {
                let passphrase = authority_passphrase(&above, ask)?;
                let authority = above.authority(passphrase.as_ref())?;
                let der = issue::sign(&names, &key, validity, &authority)?;
                Some((der, Some(above.name), authority.chain))
            }
            None => None,
        }
    };
    match issued {
        Some((der, by, chain)) => {
            let change = with_key(Change::default().set(CERT, encode([&der])).drop(CSR).drop(NEXT_KEY));
            let change = if chain.is_empty() { change.drop(CHAIN) } else { change.set(CHAIN, encode(&chain)) };
            let leaf = Certificate::decode(der).map_err(|error| StoreError::Issue(error.to_string()))?;
            Ok(Renewal::Issued { leaf: Box::new(leaf), by, change })
        }
        None => {
            let csr = issue::request(&names, &key)?;
            let change = Change::default().set(CSR, csr.as_bytes());
            let change = match (is_fresh, key_file) {
                (true, Some(file)) => change.set_secret(NEXT_KEY, file),
                _ => change.drop(NEXT_KEY),
            };
            Ok(Renewal::Requested { csr, change })
        }
    }
}

impl Stored {
    /// Returns the kind of its key, for another like it.
    ///
    /// # Errors
    /// There is no certificate, or its key is of a kind that cannot be made.
    pub fn key_type(&self) -> Result<KeyType, StoreError> {
        let key = &leaf(self)?.key;
        let known = match &key.kind {
            KeyKind::Rsa { bits: ..=2048, .. } => Some(KeyType::Rsa2048),
            KeyKind::Rsa { bits: ..=3072, .. } => Some(KeyType::Rsa3072),
            KeyKind::Rsa { .. } => Some(KeyType::Rsa4096),
            KeyKind::Ec(curve) => match curve.as_str() {
                "P-256" => Some(KeyType::EcdsaP256),
                "P-384" => Some(KeyType::EcdsaP384),
                "P-521" => Some(KeyType::EcdsaP521),
                _ => None,
            },
            KeyKind::Ed25519 => Some(KeyType::Ed25519),
            KeyKind::Other(_) => None,
        };
        known.ok_or_else(|| StoreError::Refused(format!("no key of the kind {key} can be made; choose one with --key")))
    }
}

/// Returns the authority in the store that signed an entry's certificate.
///
/// # Errors
/// The store cannot be read.
pub fn issuer(store: &Path, entry: &Stored) -> Result<Option<Stored>, StoreError> {
    Ok(Stored::all(store)?.into_iter().find(|other| entry.is_issued_by(other)))
}

/// Asks for it if the authority's key is encrypted.
///
/// # Errors
/// As the asking.
pub fn authority_passphrase(authority: &Stored, ask: &Ask<'_>) -> Result<Option<Passphrase>, StoreError> {
    if authority.key.as_ref().is_some_and(|key| key.encrypted) {
        ask(&authority.folder.join(KEY)).map(Some)
    } else {
        Ok(None)
    }
}

fn leaf(entry: &Stored) -> Result<&Certificate, StoreError> {
    entry.leaf.as_ref().ok_or_else(|| {
        if entry.pending {
            StoreError::Pending { name: entry.name.clone() }
        } else {
            MaterialError::NoCertificate { path: entry.folder.join(CERT), instead: Instead::default() }.into()
        }
    })
}
