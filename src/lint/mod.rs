//! The linter: what is wrong with certificates behind a load balancer, whom it hurts, and what to do about it.
//!
//! A pure function of [`Subject`]s (a served chain, its key, and what it is for) and a [`Linter`] (the time, trust
//! anchors, revocation lists, levels). Each family of checks is one file, with the checks it knows beside the code that
//! finds them; [`catalogue`] has them all.

mod authorities;
mod catalogue;
mod chain;
pub mod clients;
mod cluster;
mod finding;
mod gather;
mod ground;
mod keys;
mod levels;
mod live;
mod names;
pub mod overview;
mod remedy;
pub mod report;
mod revocation;
mod signatures;
mod subject;
mod usage;
mod validity;

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

pub use catalogue::{Check, Family, catalogue, check};
pub use finding::{Finding, Severity};
pub use gather::{Gathered, gather, gather_bundle};
pub use keys::{WeakKeys, WeakKeysError};
pub use levels::{Levels, UnknownCheck};
pub use live::{Silence, silent};
pub use subject::{Located, Origin, Role, Subject, Use};

use chain::Path;
use ground::Ground;

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

/// Whom chains have to lead to.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Where there are none and none were given, nothing is said of unknown issuers: every certificate would have one.
    pub anchors: Arc<[CertificateDer<'static>]>,
    /// Whether the user named them: a chain that leads elsewhere is then an error, and else a warning, since an internal
    /// authority is not among the system's.
    pub given: bool,
}

/// Everything that the linter has to say.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// By subject in the order given, the gravest first.
    pub findings: Vec<Finding>,
    /// How many the levels held back.
    pub allowed: usize,
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

impl Findings {
    /// Puts others behind these.
    pub fn extend(&mut self, others: Self) {
        self.findings.extend(others.findings);
        self.allowed += others.allowed;
    }

    /// Servers whose certificates lie in one file share its authorities, of which each flaw is told once.
    fn drop_repeated(&mut self) {
        let mut told = HashSet::new();
        let findings = self.findings.iter();
        let keep: Vec<_> = findings.map(|it| told.insert((it.check.id, &it.origin, &it.message))).collect();
        let mut keep = keep.into_iter();
        self.findings.retain(|_| keep.next().unwrap_or(true));
    }

    /// The gravest severity; none if there is nothing to say.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
