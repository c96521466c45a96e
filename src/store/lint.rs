//! Entries as the linter takes them.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use crate::cert::Certificate;
use crate::cert::bundle::KeyFile;
use crate::cert::entry::{CERT, CHAIN};
use crate::lint::{Linter, Located, Origin, Role, Subject, Trust, Use, WeakKeys};

/// Returns the linter as the store's commands use it; `anchors` are the authorities that are known.
pub fn linter(now: i64, anchors: Vec<CertificateDer<'static>>, weak_keys: WeakKeys) -> Linter {
    Linter::new(now, Trust { anchors: Arc::from(anchors), given: false }, weak_keys)
}

/// Returns an entry as the linter takes it, with its certificate and those above it; none without a certificate.
pub fn subject(
    folder: &Path,
    certificate: &Certificate,
    chain: &[Certificate],
    key: Option<KeyFile>,
    role: Role,
) -> Option<Subject> {
    let at = |file: &str, position, of| Origin::File { path: folder.join(file), position, of };
    let leaf = Located { certificate: Arc::new(certificate.clone()), origin: at(CERT, 1, 1) };
    let above = chain.iter().enumerate().map(|(index, above)| Located {
        certificate: Arc::new(above.clone()),
        origin: at(CHAIN, index + 1, chain.len()),
    });
    let role = if certificate.is_authority() { Role { usage: Use::Authority, ..Role::default() } } else { role };
    Subject::new(std::iter::once(leaf).chain(above).collect(), key, role)
}
