//! The files that SSL profiles name, whether they are there or not.

use std::path::{Path, PathBuf};

use crate::cert::entry;
use crate::model::profile::{self, CertKey, ClientSsl, PeerCertMode, ServerSsl, TrustAnchors};

/// Returns the files that a certificate's description leads to, whether they are there or not.
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

/// Returns those of them that have certificates, the server's own first.
pub fn certificate_paths(source: &CertKey, store: &Path) -> Vec<PathBuf> {
    match &source.certificate {
        profile::Certificate::Files { cert, chain, .. } => std::iter::once(cert).chain(chain).cloned().collect(),
        profile::Certificate::Store(name) => {
            let [cert, _, chain] = entry::paths(store, name);
            vec![cert, chain]
        }
    }
}

/// Returns every file that a client-ssl profile reads.
pub fn client_ssl_paths(profile: &ClientSsl, store: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = profile.cert_key_chain.iter().flat_map(|source| paths(source, store)).collect();
    if profile.peer_cert_mode != PeerCertMode::Ignore {
        all.extend(profile.ca_file.iter().chain(&profile.crl_file).cloned());
    }
    all
}

/// Returns every file that a server-ssl profile reads.
pub fn server_ssl_paths(profile: &ServerSsl, store: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = profile.client_certificate.iter().flat_map(|source| paths(source, store)).collect();
    if profile.verify {
        if let TrustAnchors::File(path) = &profile.ca_file {
            all.push(path.clone());
        }
        all.extend(profile.crl_file.clone());
    }
    all
}
