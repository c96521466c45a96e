//! The checks of a chain, one after the other.

use rustls_pki_types::TrustAnchor;
use webpki::{Error, anchor_from_trusted_cert};

use super::checks::CHAIN_INVALID;
use super::path::Path;
use super::{order, path_length, unknown_issuer, verification_error, verify};
use crate::cert::date::{day, moment};
use crate::cert::{Field, Purpose};
use crate::lint::anchors::{Anchor, Anchors};
use crate::lint::explanation::Explanation;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::peer_checks::CRL_STALE;
use crate::lint::validity::ROOT_EXPIRED;
use crate::lint::{Finding, Located, Subject};

pub(in crate::lint) static EXPLAINS: &[Explanation] = &[
    // `chain-invalid`, of an authority that may not sign for servers
    Explanation {
        error: |error| matches!(error, Error::EmptyEkuExtension),
        is_reported: |path| path.any_certificate(|it| it.extended_key_usage.as_ref().is_some_and(Vec::is_empty)),
    },
];

/// Checks a subject's chain; `explanations` are those of all families.
pub(in crate::lint) fn lint(
    subject: &Subject,
    path: &Path<'_>,
    known: &KnownAuthorities<'_>,
    explanations: &[&[Explanation]],
) -> Vec<Finding> {
    let anchors = known.anchors(subject);
    let unexplained = |error: &Error| {
        let is_explained = explanations.iter().copied().flatten().any(|it| it.explains(error, path));
        if is_explained { None } else { verification_error::lint(error, path, anchors, known) }
    };
    let mut findings = order::lint(subject, path);
    if path.related.iter().any(|it| anchors.lead_from(&it.certificate)) {
        let candidates = candidates(path, anchors);
        let trust: Vec<_> = candidates.iter().map(|anchor| anchor.trust.clone()).collect();
        match verify::chain(path, &trust, known) {
            Ok(used) => {
                if let Some(anchor) = candidates.get(used) {
                    findings.extend(expired_anchor(path, anchor, anchors, known));
                    findings.extend(path_length::exceeded_at_root(path, &anchor.certificate));
                }
            }
            Err(error) => findings.extend(unexplained(&error)),
        }
    } else {
        findings.extend(unknown_issuer::lint(path, anchors, known));
        if let Some(trust) = own_top(path)
            && let Err(error) = verify::chain(path, &[trust], known)
        {
            findings.extend(unexplained(&error));
        }
    }
    findings.extend(path.intermediates().filter_map(other_purpose));
    findings.extend(path.steps.iter().filter_map(|at| revocation_list(at, known)));
    findings
}

/// Returns the anchors that some certificate of the chain names as its issuer.
fn candidates<'a, 'b>(path: &Path<'_>, anchors: &'b Anchors<'a>) -> Vec<&'b Anchor<'a>> {
    let mut found: Vec<&Anchor<'_>> = Vec::new();
    for at in &path.related {
        let named = anchors.named_by(&at.certificate);
        if !named.first().is_some_and(|first| found.iter().any(|it| std::ptr::eq(*it, first))) {
            found.extend(named);
        }
    }
    found
}

/// Returns the end of the chain as an anchor, where something can be verified up to it.
fn own_top<'a>(path: &Path<'a>) -> Option<TrustAnchor<'a>> {
    let top = path.top();
    let signed_something = path.steps.len() > 1 || top.certificate.names_itself();
    if signed_something { anchor_from_trusted_cert(&top.certificate.der).ok() } else { None }
}

/// Checks the dates of the root that was used, which OpenSSL does and rustls does not.
fn expired_anchor(
    path: &Path<'_>,
    anchor: &Anchor<'_>,
    anchors: &Anchors<'_>,
    known: &KnownAuthorities<'_>,
) -> Option<Finding> {
    let root = &anchor.certificate;
    let told_elsewhere = root.key == path.server().certificate.key || known.is_linted(root);
    if told_elsewhere || anchors.contain_valid(root, known.now) {
        return None;
    }
    let at = path.steps.iter().rev().find(|it| it.certificate.issuer_der() == root.subject_der())?;
    let message = format!("the trusted root {} expired on {}", root.title(), day(root.not_after));
    Some(
        Finding::new(&ROOT_EXPIRED, at, message)
            .field(Field::Issuer)
            .observed(moment(root.not_after))
            .expected("a root that is valid, in the truststore of every client"),
    )
}

/// Checks an intermediate that may only sign for other purposes than servers.
fn other_purpose(at: &Located) -> Option<Finding> {
    let purposes = at.certificate.extended_key_usage.as_ref()?;
    if purposes.contains(&Purpose::ServerAuth) {
        return None;
    }
    let listed = purposes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("the authority {} may not sign for servers", at.certificate.title());
    Some(
        Finding::new(&CHAIN_INVALID, at, message)
            .field(Field::ExtendedKeyUsage)
            .observed(listed)
            .expected(Purpose::ServerAuth.to_string())
            .note("Python (OpenSSL) refuses it as rustls does; Java takes it"),
    )
}

/// Checks the revocation list of the certificate's issuer.
fn revocation_list(at: &Located, known: &KnownAuthorities<'_>) -> Option<Finding> {
    if at.certificate.names_itself() {
        return None;
    }
    if let Some(list) = known.revocation.unusable(&at.certificate) {
        let (issuer, flaw) = (at.certificate.issuer_title(), &list.reason);
        let message = format!("the revocation list of {issuer} cannot be used: {flaw}");
        return Some(
            Finding::new(&CHAIN_INVALID, at, message)
                .field(Field::Issuer)
                .observed(flaw.clone())
                .expected("a complete revocation list"),
        );
    }
    let list = known.revocation.due(&at.certificate, known.now)?;
    let (issuer, due) = (&list.issuer, list.next_update);
    let message = format!("the revocation list of {issuer} should have been replaced by {}", day(due));
    Some(
        Finding::new(&CRL_STALE, at, message)
            .field(Field::Issuer)
            .observed(format!("next update {}", moment(due)))
            .expected(format!("a list whose next update is after {}", moment(known.now))),
    )
}
