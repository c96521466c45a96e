//! The linter: runs every family of checks over every subject, and applies the levels.

use rayon::prelude::*;
use rustls_pki_types::CertificateRevocationListDer;

use super::affected::Affected;
use super::chain::{self, Path};
use super::judgement::Judgement;
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
        let servers: Vec<_> = subjects.par_iter().map(|subject| self.server(subject, &known)).collect();
        let of_all = Affected::of_all(servers.iter().flatten().map(|(_, affected)| affected));
        let each = subjects.par_iter().zip(servers).map(|(subject, server)| {
            let findings = server.map_or_else(|| self.authority(subject, &known, &of_all), |(findings, _)| findings);
            self.judge(findings)
        });
        let mut all = Findings::default();
        for findings in each.collect::<Vec<_>>() {
            all.extend(findings);
        }
        all.drop_repeated();
        all.extend(self.judge(cluster::lint(subjects)));
        all
    }

    /// Returns all findings about a server, before levels, and what clients mind about its chain; none for an authority.
    fn server<'a>(
        &self,
        subject: &'a Subject,
        known: &'a KnownAuthorities<'_>,
    ) -> Option<(Vec<Finding>, Affected<'a>)> {
        if !subject.is_server() {
            return None;
        }
        let path = Path::of(subject);
        let judgement = Judgement::of(subject, known);
        let affected = Affected::of(subject, &judgement, known, self.expiry_days);
        let mut findings = validity::lint(subject, known, self.expiry_days);
        findings.extend(authorities::lint(subject, &path, known));
        findings.extend(names::lint(subject));
        findings.extend(usage::lint(subject, known.anchors(subject)));
        findings.extend(chain::lint(subject, &path, known, &judgement));
        findings.extend(keys::lint(subject, &self.weak_keys));
        findings.extend(chain::broken_rules(subject, &judgement, known, &findings));
        findings.extend(chain::broken_rules_of_authority(
            subject.leaf_located(),
            &affected.reasons_at(subject.leaf()),
            &findings,
        ));
        findings.iter_mut().for_each(|finding| affected.settle(finding));
        Some((findings, affected))
    }

    /// Returns all findings about an authority, before levels. The trust entry of a server that is its own authority is
    /// judged with the server.
    fn authority(&self, subject: &Subject, known: &KnownAuthorities<'_>, affected: &Affected<'_>) -> Vec<Finding> {
        if known.is_a_servers(subject.leaf()) {
            return Vec::new();
        }
        let mut findings = validity::lint(subject, known, self.expiry_days);
        findings.extend(authorities::lint(subject, &Path::of(subject), known));
        findings.extend(keys::lint(subject, &self.weak_keys));
        let reasons = affected.reasons_at(subject.leaf());
        findings.extend(chain::broken_rules_of_authority(subject.leaf_located(), &reasons, &findings));
        findings.iter_mut().for_each(|finding| affected.settle(finding));
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
