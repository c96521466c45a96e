//! What the linter says of entries.

use std::path::Path;

use rustls_pki_types::CertificateDer;

use crate::cert::lint::{Finding, Role, Severity, Use};
use crate::cert::store::{Stored, linter};
use crate::cert::{Certificate, MaterialError, text};
use crate::model::Host;

/// The self-signed authorities of a store, for whom chains are looked at.
pub(super) fn anchors(store: &Path) -> Vec<CertificateDer<'static>> {
    let entries = Stored::all(store).unwrap_or_default();
    let leaves = entries.into_iter().filter_map(|entry| entry.leaf);
    leaves.filter(|leaf| leaf.is_ca() && leaf.is_self_issued()).map(|leaf| leaf.der).collect()
}

/// What pronk shows to clients that connect to these names.
pub(super) fn front_end(hosts: Vec<Host>) -> Role {
    Role { usage: Use::FrontEnd, front_ends: hosts, node: None }
}

/// Everything that is wrong with an entry, as lines; and the gravest severity.
pub(super) fn of_entry(
    stored: &Stored,
    role: Role,
    anchors: Vec<CertificateDer<'static>>,
    now: i64,
) -> (Vec<String>, Option<Severity>) {
    let subject = stored
        .leaf
        .as_ref()
        .and_then(|leaf| crate::cert::store::subject(&stored.folder, leaf, &stored.chain, stored.key.clone(), role));
    let found = linter(now, anchors).lint(subject.as_slice());
    let mut worst = found.worst();
    let mut lines: Vec<_> = found.findings.iter().map(line).collect();
    // What makes an entry unfit is told whether or not the linter has an opinion.
    for (id, message) in faults(stored, now) {
        if !found.findings.iter().any(|finding| finding.check.id == id) {
            lines.push(format!("error[{id}]: {}: {message}", stored.folder.display()));
            worst = Some(Severity::Error);
        }
    }
    (lines, worst)
}

/// As `pronk lint` has it.
pub(super) fn line(finding: &Finding) -> String {
    format!("{}[{}]: {}: {}", finding.severity.as_str(), finding.check.id, finding.origin, finding.message)
}

fn faults(stored: &Stored, now: i64) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    for problem in &stored.problems {
        if let MaterialError::KeyMismatch { .. } = problem {
            faults.push(("key-mismatch", problem.to_string()));
        }
    }
    if let Some(key) = stored.key.as_ref().filter(|key| key.mode & 0o007 != 0) {
        let wrong = MaterialError::ReadableByOthers { path: key.path.clone(), mode: key.mode };
        faults.push(("key-readable-by-others", format!("{wrong}; {}", wrong.help().unwrap_or_default())));
    }
    if let Some(Err(reason)) = stored.key.as_ref().map(|key| &key.spki) {
        let encrypted = stored.key.as_ref().is_some_and(|key| key.encrypted);
        faults.push(match encrypted {
            true => {
                ("key-encrypted", format!("{reason}; give --passphrase-file, or --config with a profile that has it"))
            }
            false => ("key-unusable", reason.clone()),
        });
    }
    let expired = |certificate: &&Certificate| now > certificate.not_after;
    for certificate in stored.certificates().filter(expired) {
        let day = text::day(certificate.not_after);
        let message = format!("{} expired on {day}; renew it: pronk cert renew {}", certificate.title(), stored.name);
        faults.push(("expired", message));
    }
    if let Some(leaf) = stored.leaf.as_ref().filter(|leaf| now < leaf.not_before) {
        faults
            .push(("not-yet-valid", format!("{} is not valid until {}", leaf.title(), text::moment(leaf.not_before))));
    }
    faults
}
