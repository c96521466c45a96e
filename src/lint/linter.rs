//! The linter: runs every family of checks over every subject, and applies the levels.

use rayon::prelude::*;
use rustls_pki_types::CertificateRevocationListDer;

use super::catalogue::EXPLANATIONS;
use super::chain::{self, Path};
use super::known_authorities::KnownAuthorities;
use super::{Finding, Findings, Levels, Subject, Trust, WeakKeys, authorities, cluster, keys, names, usage, validity};

/// What findings depend on besides the certificates.
#[derive(Clone, Debug)]
pub struct Linter {
    /// Seconds since 1970.
    pub now: i64,
    /// A certificate that ends within so many days is soon to expire.
    pub expiry_days: u32,
    pub trust: Trust,
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// Keys that others have.
    pub weak_keys: WeakKeys,
    pub levels: Levels,
}

/// The default of [`Linter::expiry_days`].
pub const EXPIRY_DAYS: u32 = 28;

impl Linter {
    /// Returns a linter with the default settings, at `now` (seconds since 1970).
    pub fn new(now: i64, trust: Trust, weak_keys: WeakKeys) -> Self {
        Self {
            now,
            expiry_days: EXPIRY_DAYS,
            trust,
            revocation_lists: Vec::new(),
            weak_keys,
            levels: Levels::default(),
        }
    }

    /// Lints every subject by itself, on all cores, and then all of them together.
    pub fn lint(&self, subjects: &[Subject]) -> Findings {
        let known = KnownAuthorities::of(&self.trust, &self.revocation_lists, subjects, self.now);
        let each: Vec<Findings> =
            subjects.par_iter().map(|subject| self.judge(self.lint_one(subject, &known))).collect();
        let mut all = Findings::default();
        for findings in each {
            all.extend(findings);
        }
        all.drop_repeated();
        all.extend(self.judge(cluster::lint(subjects)));
        all
    }

    /// Returns all findings about one subject, before levels.
    fn lint_one(&self, subject: &Subject, known: &KnownAuthorities<'_>) -> Vec<Finding> {
        let path = Path::of(subject);
        let mut findings = validity::lint(subject, known, self.expiry_days);
        findings.extend(authorities::lint(subject, &path));
        if subject.is_server() {
            findings.extend(names::lint(subject));
            findings.extend(usage::lint(subject, known.anchors(subject)));
            findings.extend(chain::lint(subject, &path, known, EXPLANATIONS));
        }
        findings.extend(keys::lint(subject, &self.weak_keys));
        findings
    }

    /// Applies the levels to findings that were made elsewhere, such as by [`port_failure`](super::port_failure), the
    /// gravest first.
    pub fn judge(&self, findings: Vec<Finding>) -> Findings {
        let mut judged = self.levels.apply(findings, self.now);
        judged.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        judged
    }
}
