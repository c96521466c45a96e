//! Whom profiles trust, as the linter takes it. These functions read files.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::cert::MaterialError;
use crate::cert::bundle::read_certificates;
use crate::lint::Trust;
use crate::model::profile::TrustAnchors;

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

/// Returns the authorities of the operating system's store.
pub fn system() -> Arc<[CertificateDer<'static>]> {
    Arc::from(rustls_native_certs::load_native_certs().certs)
}
