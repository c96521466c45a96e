//! What the linter says of entries.

use std::path::Path;

use rustls_pki_types::CertificateDer;

use crate::lint::{Finding, Role, Use};
use crate::model::Host;
use crate::store::Stored;

/// Returns the self-signed authorities of a store, for whom chains are looked at.
pub(super) fn anchors(store: &Path) -> Vec<CertificateDer<'static>> {
    let entries = Stored::all(store).unwrap_or_default();
    let leaves = entries.into_iter().filter_map(|entry| entry.leaf);
    leaves.filter(|leaf| leaf.is_ca() && leaf.is_self_issued()).map(|leaf| leaf.der).collect()
}

/// Returns what pronk shows to clients that connect to these names.
pub(super) fn front_end(hosts: Vec<Host>) -> Role {
    Role { usage: Use::FrontEnd, front_ends: hosts, node: None }
}

/// Returns a finding in one line.
pub(super) fn line(finding: &Finding) -> String {
    format!("{}[{}]: {}: {}", finding.severity.as_str(), finding.check.id, finding.origin, finding.message)
}
