//! The linter: runs every family of checks over every subject, and applies the levels.

use rayon::prelude::*;
use rustls_pki_types::CertificateRevocationListDer;

use super::chain::{self, Path};
use super::ground::Ground;
use super::{
    Finding, Findings, Levels, Subject, Trust, Use, WeakKeys, authorities, cluster, keys, names, usage, validity,
};

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

/// What [`Linter::expiry_days`] is unless told.
pub const EXPIRY_DAYS: u32 = 28;

impl Linter {
    /// As it is without anybody's wishes, at `now` (seconds since 1970). The lists of weak keys that are installed count;
    /// one that cannot be read is passed over.
    pub fn new(now: i64, trust: Trust) -> Self {
        Self {
            now,
            expiry_days: EXPIRY_DAYS,
            trust,
            revocation_lists: Vec::new(),
            weak_keys: WeakKeys::read(&WeakKeys::installed()).unwrap_or_default(),
            levels: Levels::default(),
        }
    }

    /// Lints every subject by itself, on all cores, and then all of them together.
    pub fn lint(&self, subjects: &[Subject]) -> Findings {
        let ground = Ground::of(self, subjects);
        let each: Vec<Findings> =
            subjects.par_iter().map(|subject| self.judge(self.lint_one(subject, &ground))).collect();
        let mut all = Findings::default();
        for findings in each {
            all.extend(findings);
        }
        all.drop_repeated();
        all.extend(self.judge(cluster::lint(subjects)));
        all
    }

    /// Everything about one subject, before levels.
    fn lint_one(&self, subject: &Subject, ground: &Ground<'_>) -> Vec<Finding> {
        let path = Path::of(subject);
        let mut findings = validity::lint(subject, ground);
        findings.extend(authorities::lint(subject, &path));
        if subject.role.usage != Use::Authority {
            findings.extend(names::lint(subject));
            findings.extend(usage::lint(subject, ground.anchors(subject)));
            findings.extend(chain::lint(subject, &path, ground));
        }
        findings.extend(keys::lint(self, subject));
        findings
    }

    /// Applies the levels to findings that were made elsewhere, such as by [`silent`], the gravest first.
    pub fn judge(&self, findings: Vec<Finding>) -> Findings {
        let mut judged = self.levels.apply(findings, self.now);
        judged.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        judged
    }
}
