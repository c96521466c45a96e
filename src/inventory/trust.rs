//! Whom profiles trust, as the linter takes it. These functions read files.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::cert::MaterialError;
use crate::cert::bundle::{read_certificates, read_revocation_lists};
use crate::lint::{PeerFiles, Trust};
use crate::model::profile::{ClientSsl, PeerCertMode, ServerSsl, TrustAnchors};
use crate::reading::is_pipe;

/// Returns whom a server-ssl profile trusts. Mozilla's list as compiled in holds names and keys without certificates,
/// so the system's store is taken instead, and a chain that leads elsewhere is only a warning.
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

/// Returns what a client-ssl profile verifies clients against; nothing where it asks for no certificate.
///
/// # Errors
/// A file cannot be read.
pub fn of_clients(profile: &ClientSsl) -> Result<PeerFiles, MaterialError> {
    if profile.peer_cert_mode == PeerCertMode::Ignore {
        return Ok(PeerFiles::default());
    }
    peer_files(profile.ca_file.as_deref(), profile.crl_file.as_deref(), true)
}

/// Returns what a server-ssl profile verifies members against; nothing where it does not.
///
/// # Errors
/// A file cannot be read.
pub fn of_members(profile: &ServerSsl) -> Result<PeerFiles, MaterialError> {
    let ca_file = match &profile.ca_file {
        _ if !profile.verify => return Ok(PeerFiles::default()),
        TrustAnchors::File(path) => Some(path.as_path()),
        TrustAnchors::System | TrustAnchors::WebpkiRoots => None,
    };
    peer_files(ca_file, profile.crl_file.as_deref(), false)
}

fn peer_files(ca_file: Option<&Path>, crl_file: Option<&Path>, are_clients: bool) -> Result<PeerFiles, MaterialError> {
    // The profile has read them; what came through a pipe is gone.
    let again = |path: &&Path| !is_pipe(path);
    let read = |path: &Path| Ok::<_, MaterialError>((path.to_owned(), read_certificates(path)?));
    let read_lists = |path: &Path| Ok::<_, MaterialError>((path.to_owned(), read_revocation_lists(path)?));
    Ok(PeerFiles {
        authorities: ca_file.filter(again).map(read).transpose()?,
        revocation_lists: crl_file.filter(again).map(read_lists).transpose()?,
        are_clients,
    })
}

/// Returns the authorities of the operating system's store.
pub fn system() -> Arc<[CertificateDer<'static>]> {
    Arc::from(rustls_native_certs::load_native_certs().certs)
}
