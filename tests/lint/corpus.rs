//! From certificates to findings.

use std::path::PathBuf;
use std::sync::Arc;

use pronk::cert::Certificate;
use pronk::lint::{Finding, Levels, Linter, Located, Origin, Role, Severity, Subject, Trust, Use, WeakKeys};
use pronk::model::Host;
use rcgen::CustomExtension;
use rustls_pki_types::CertificateDer;

use crate::support::ca::{Authority, LeafBuilder};

/// Findings that have a check among them, and findings about much the same that have not.
pub struct Case {
    pub check: &'static str,
    pub fires: fn() -> Vec<Finding>,
    pub silent: fn() -> Vec<Finding>,
}

pub const FRONT: &str = "lb.example.com";
pub const NODE: &str = "node1.example.com";

/// The time at which certificates of the corpus are judged: 2026-01-01.
pub const NOW: i64 = 1_767_225_600;

pub fn linter(anchors: &[&Authority]) -> Linter {
    let anchors: Vec<_> = anchors.iter().map(|authority| authority.certificate().clone()).collect();
    Linter {
        now: NOW,
        expiry_days: 28,
        trust: Trust { given: !anchors.is_empty(), anchors: Arc::from(anchors) },
        revocation_lists: Vec::new(),
        weak_keys: WeakKeys::default(),
        levels: Levels::default(),
    }
}

pub fn role(usage: Use) -> Role {
    Role { usage, front_ends: vec![Host::parse(FRONT).unwrap()], node: Some(Host::parse(NODE).unwrap()) }
}

/// A chain as if read from the file `name`.
pub fn subject(name: &str, chain: &[CertificateDer<'static>], role: Role) -> Subject {
    let of = chain.len();
    let located = chain.iter().enumerate().map(|(index, der)| Located {
        certificate: Arc::new(Certificate::decode(der.clone()).unwrap()),
        origin: Origin::File { path: PathBuf::from(name), position: index + 1, of },
    });
    Subject::new(located.collect(), None, role).unwrap()
}

/// What the linter says of one chain that `authority` is to be trusted for.
pub fn lint(authority: &Authority, chain: &[CertificateDer<'static>], role: Role) -> Vec<Finding> {
    linter(&[authority]).lint(&[subject("chain.pem", chain, role)]).findings
}

/// A certificate whose names please everybody.
pub fn well_named(authority: &Authority) -> LeafBuilder<'_> {
    authority.issue(FRONT).dns(FRONT).dns(NODE)
}

/// The checks of all findings but those that are merely worth knowing.
pub fn grave(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|it| it.severity > Severity::Info).map(|it| it.check.id).collect()
}

/// The one finding of a check.
pub fn one<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let mut found = findings.iter().filter(|it| it.check.id == check);
    let one = found.next().unwrap_or_else(|| panic!("no {check} among {findings:#?}"));
    assert!(found.next().is_none(), "{check} stands twice");
    one
}

/// An extension with its value in DER.
pub fn extension(oid: &[u64], critical: bool, value: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
    extension.set_criticality(critical);
    extension
}
