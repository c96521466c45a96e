//! The checks of a chain, one after the other.

use super::path::Path;
use super::{order, revocation, unknown_issuer};
use crate::lint::clients::Why;
use crate::lint::judgement::Judgement;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::{Finding, Subject};

/// Checks a subject's chain.
pub(in crate::lint) fn lint(
    subject: &Subject,
    path: &Path<'_>,
    known: &KnownAuthorities<'_>,
    judgement: &Judgement<'_>,
) -> Vec<Finding> {
    let anchors = known.anchors(subject);
    let mut findings = order::lint(subject, path);
    if judgement.trust_is_assumed || judgement.refusals().any(|(_, refusal)| refusal.why == Why::Untrusted) {
        findings.extend(unknown_issuer::lint(subject, path, anchors, known));
    }
    findings.extend(revocation::lint(path, anchors, known));
    findings
}
