//! Whom chains have to lead to.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

/// Whom chains have to lead to.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Where there are none and none were given, unknown issuers are not reported: every certificate would have one.
    pub anchors: Arc<[CertificateDer<'static>]>,
    /// Whether the user named them: a chain that leads elsewhere is then an error, and else a warning, since an
    /// internal authority is not among the system's.
    pub given: bool,
}
