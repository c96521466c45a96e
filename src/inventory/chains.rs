//! Chains with the places where their certificates were found, as the linter takes them. These functions read files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::cert::bundle::{self, KeyFile};
use crate::cert::entry;
use crate::cert::identity::arranged;
use crate::cert::{Certificate, DecodeError, MaterialError, Parts, Passphrase};
use crate::lint::{Located, Origin};
use crate::model::profile::{self, CertKey};

/// A chain and its key file.
#[derive(Clone, Debug)]
pub struct ChainAndKey {
    pub chain: Vec<Located>,
    pub key: Option<KeyFile>,
}

/// Reads what `source` names, its chain as it is served.
///
/// # Errors
/// A file cannot be read, or a certificate in it cannot be decoded.
pub fn read(source: &CertKey, store: &Path) -> Result<ChainAndKey, MaterialError> {
    let (cert, key, rest) = match &source.certificate {
        profile::Certificate::Files { cert, key, chain } => (cert.clone(), key.clone(), chain.clone()),
        profile::Certificate::Store(name) => {
            let entry = entry::entry(store, name)?;
            (entry.cert, entry.key, entry.chain)
        }
    };
    let passphrase = source.passphrase.as_ref().map(Passphrase::read).transpose()?;
    let parts_of = |path: &Path| Parts::of(path, &bundle::contents(path)?.contents, passphrase.as_ref());
    let parts = parts_of(&cert)?;
    let is_unordered = parts.is_unordered;
    let mut certificates = bundle::decode(&cert, parts.certificates()?)?;
    let key = bundle::read(&key, passphrase.as_ref())?.key;
    if let Some(Ok(spki)) = key.as_ref().map(|key| &key.spki).filter(|_| is_unordered) {
        certificates = arranged(certificates, spki);
    }
    let mut chain: Vec<_> = certificates.into_iter().map(|certificate| certificate.der).collect();
    for certificate in rest.as_deref().map(|path| parts_of(path)?.certificates()).transpose()?.unwrap_or_default() {
        if !chain.contains(&certificate) {
            chain.push(certificate);
        }
    }
    let files: Vec<_> = std::iter::once(cert).chain(rest).collect();
    Ok(ChainAndKey { chain: located(&chain, &files)?, key })
}

/// Finds where each certificate of a served chain is. One that is not in the files any more is placed in the first.
///
/// # Errors
/// A certificate cannot be decoded.
pub fn located(chain: &[CertificateDer<'static>], files: &[PathBuf]) -> Result<Vec<Located>, MaterialError> {
    let held: Vec<_> = files.iter().map(|path| (path, bundle::certificates_again(path))).collect();
    let place = |wanted: &CertificateDer<'_>| {
        held.iter().find_map(|(path, certificates)| {
            let index = certificates.iter().position(|it| it == wanted)?;
            Some(Origin::File { path: (*path).clone(), position: index + 1, of: certificates.len() })
        })
    };
    let path = || files.first().cloned().unwrap_or_default();
    let locate = |(index, der): (usize, &CertificateDer<'static>)| {
        let position = index + 1;
        let origin = place(der).unwrap_or_else(|| Origin::File { path: path(), position, of: chain.len() });
        let certificate = bundle::decode_at(&path(), position, der.clone())?;
        Ok(Located { certificate: Arc::new(certificate), origin })
    };
    chain.iter().enumerate().map(locate).collect()
}

/// Returns a chain that the server at `address` has shown.
///
/// # Errors
/// A certificate cannot be decoded.
pub fn shown(address: &str, chain: &[CertificateDer<'static>]) -> Result<Vec<Located>, DecodeError> {
    let of = chain.len();
    let locate = |(index, der): (usize, &CertificateDer<'static>)| {
        let origin = Origin::Live { address: address.to_owned(), position: index + 1, of };
        Ok(Located { certificate: Arc::new(Certificate::decode(der.clone())?), origin })
    };
    chain.iter().enumerate().map(locate).collect()
}
