//! Certificates with the places where they stand, as the linter takes them. These functions read files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::cert::DecodeError;
use crate::cert::Passphrase;
use crate::cert::bundle::{self, KeyFile};
use crate::cert::entry;
use crate::cert::pem::read_certificates;
use crate::cert::{Certificate, MaterialError};
use crate::lint::{Located, Origin, Trust};
use crate::model::profile::{self, CertKey, ClientSsl, PeerCertMode, ServerSsl, TrustAnchors};

/// A chain and the key that stands with it.
#[derive(Clone, Debug)]
pub struct Material {
    pub chain: Vec<Located>,
    pub key: Option<KeyFile>,
}

/// Reads what `source` names, its chain as it is served.
///
/// # Errors
/// A file cannot be read, or a certificate in it cannot be decoded.
pub fn of_files(source: &CertKey, store: &Path) -> Result<Material, MaterialError> {
    let (cert, key, rest) = match &source.certificate {
        profile::Certificate::Files { cert, key, chain } => (cert.clone(), key.clone(), chain.clone()),
        profile::Certificate::Store(name) => {
            let entry = entry::entry(store, name)?;
            (entry.cert, entry.key, entry.chain)
        }
    };
    let mut chain = read_certificates(&cert)?;
    for certificate in rest.as_deref().map(read_certificates).transpose()?.unwrap_or_default() {
        if !chain.contains(&certificate) {
            chain.push(certificate);
        }
    }
    let files: Vec<_> = std::iter::once(cert).chain(rest).collect();
    let passphrase = source.passphrase.as_ref().map(Passphrase::read).transpose()?;
    let key = bundle::read(&key, passphrase.as_ref())?.key;
    Ok(Material { chain: located(&chain, &files)?, key })
}

/// Finds where each certificate of a served chain stands. One that stands in the files no more is told by the first.
///
/// # Errors
/// A certificate cannot be decoded.
pub fn located(chain: &[CertificateDer<'static>], files: &[PathBuf]) -> Result<Vec<Located>, MaterialError> {
    let held: Vec<_> = files.iter().map(|path| (path, read_certificates(path).unwrap_or_default())).collect();
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
        let certificate = Certificate::decode(der.clone()).map_err(|error| MaterialError::BadCertificate {
            path: path(),
            position,
            detail: error.to_string(),
        })?;
        Ok(Located { certificate: Arc::new(certificate), origin })
    };
    chain.iter().enumerate().map(locate).collect()
}

/// A chain that the server at `address` has shown.
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

/// Whom a server-ssl profile trusts. Mozilla's list as compiled in holds names and keys without certificates, so the
/// system's store stands in for it, and a chain that leads elsewhere is only suspicious.
///
/// # Errors
/// The file cannot be read.
pub fn trust(anchors: &TrustAnchors) -> Result<Trust, MaterialError> {
    Ok(match anchors {
        TrustAnchors::File(path) => Trust { anchors: Arc::from(read_certificates(path)?), given: true },
        TrustAnchors::System => Trust { anchors: system(), given: true },
        TrustAnchors::WebpkiRoots => Trust { anchors: system(), given: false },
    })
}

/// The authorities of the operating system's store.
pub fn system() -> Arc<[CertificateDer<'static>]> {
    Arc::from(rustls_native_certs::load_native_certs().certs)
}

/// The files that a certificate's description leads to, whether they are there or not.
pub fn paths(source: &CertKey, store: &Path) -> Vec<PathBuf> {
    let mut paths = certificate_paths(source, store);
    paths.extend(match &source.certificate {
        profile::Certificate::Files { key, .. } => Some(key.clone()),
        profile::Certificate::Store(name) => entry::paths(store, name).into_iter().nth(1),
    });
    if let Some(profile::Passphrase::File(path)) = &source.passphrase {
        paths.push(path.clone());
    }
    paths
}

/// Those of them that have certificates, the server's own first.
pub fn certificate_paths(source: &CertKey, store: &Path) -> Vec<PathBuf> {
    match &source.certificate {
        profile::Certificate::Files { cert, chain, .. } => std::iter::once(cert).chain(chain).cloned().collect(),
        profile::Certificate::Store(name) => {
            let [cert, _, chain] = entry::paths(store, name);
            vec![cert, chain]
        }
    }
}

/// Every file that a client-ssl profile reads.
pub fn client_ssl_paths(profile: &ClientSsl, store: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = profile.cert_key_chain.iter().flat_map(|source| paths(source, store)).collect();
    if profile.peer_cert_mode != PeerCertMode::Ignore {
        all.extend(profile.ca_file.iter().chain(&profile.crl_file).cloned());
    }
    all
}

/// Every file that a server-ssl profile reads.
pub fn server_ssl_paths(profile: &ServerSsl, store: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = profile.client_certificate.iter().flat_map(|source| paths(source, store)).collect();
    if let (true, TrustAnchors::File(path)) = (profile.verify, &profile.ca_file) {
        all.push(path.clone());
    }
    all
}
