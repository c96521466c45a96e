//! Revocation, as far as lists are given: rustls-webpki verifies the chain, and pronk's own rule says what the lists
//! mean for it.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath, anchor_from_trusted_cert,
};

use super::checks::REVOKED;
use super::path::Path;
use crate::cert::Field;
use crate::cert::date::{day, moment};
use crate::lint::anchors::Anchors;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::peer_checks::{CRL_STALE, CRL_UNUSABLE};
use crate::lint::{Finding, Located};

/// Returns what the lists say of the chain, and what is wrong with them.
pub(super) fn lint(path: &Path<'_>, anchors: &Anchors<'_>, known: &KnownAuthorities<'_>) -> Vec<Finding> {
    if known.revocation.are_none() {
        return Vec::new();
    }
    let verdict = verify(path, anchors, known).err().and_then(|error| of_error(&error, path, known));
    verdict.into_iter().chain(path.steps.iter().filter_map(|at| of_list(at, known))).collect()
}

fn of_error(error: &Error, path: &Path<'_>, known: &KnownAuthorities<'_>) -> Option<Finding> {
    match error {
        Error::CertRevoked => {
            let revoked = path.steps.iter().copied().find(|it| known.revocation.has(&it.certificate));
            let at = revoked.unwrap_or_else(|| path.server());
            let certificate = &at.certificate;
            let message =
                format!("{} has revoked the certificate of {}", certificate.issuer_title(), certificate.title());
            let finding = Finding::new(&REVOKED, at, message).field(Field::Serial);
            let observed = format!("serial number {} on the revocation list", certificate.serial);
            Some(finding.observed(observed).expected("a certificate that is not revoked"))
        }
        Error::UnknownRevocationStatus => {
            let reason =
                "no revocation list of an issuer is for the certificate and signed with the key that signed it";
            let message = format!("the chain of {} does not verify: {reason}", path.server().certificate.title());
            let finding = Finding::new(&CRL_UNUSABLE, path.server(), message).field(Field::Issuer);
            Some(finding.observed(reason).expected("a chain that verifies"))
        }
        // Everything else is the model's business.
        _ => None,
    }
}

/// Verifies the chain up to an anchor, or to its own end where no anchor is above it; dates and purposes do not count.
fn verify(path: &Path<'_>, anchors: &Anchors<'_>, known: &KnownAuthorities<'_>) -> Result<(), Error> {
    let named = path.related.iter().flat_map(|at| anchors.named_by(&at.certificate));
    let mut trust: Vec<TrustAnchor<'_>> = named.filter_map(|anchor| anchor.trust.clone()).collect();
    let top = path.top();
    if trust.is_empty() && (path.steps.len() > 1 || top.certificate.names_itself()) {
        trust.extend(anchor_from_trusted_cert(&top.certificate.der).ok());
    }
    let server = EndEntityCert::try_from(&path.server().certificate.der)?;
    let above: Vec<_> =
        path.related.iter().skip(1).map(|it| CertificateDer::from(it.certificate.der.as_ref())).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(valid_moment(path, known.now).try_into().unwrap_or(0)));
    let cache = known.signatures.cache();
    // Whatever the moment for dates is, what was revoked since counts.
    let judge = |path: &VerifiedPath<'_>| known.revocation.judge(path, known.now, cache);
    let algorithms = cache.algorithms();
    server.verify_for_usage(&algorithms, &trust, &above, time, AnyPurpose, None, Some(&judge)).map(|_| ())
}

/// Returns the moment nearest to `now` at which every certificate below the root is valid, or `now`.
fn valid_moment(path: &Path<'_>, now: i64) -> i64 {
    let below = || std::iter::once(path.server()).chain(path.intermediates());
    let first = below().map(|it| it.certificate.not_before).max().unwrap_or(now);
    let last = below().map(|it| it.certificate.not_after).min().unwrap_or(now);
    if first <= last { now.clamp(first, last) } else { now }
}

/// What certificates are for is looked at elsewhere.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

/// Checks the revocation list of the certificate's issuer.
fn of_list(at: &Located, known: &KnownAuthorities<'_>) -> Option<Finding> {
    if at.certificate.names_itself() {
        return None;
    }
    if let Some(list) = known.revocation.unusable(&at.certificate) {
        let (issuer, flaw) = (at.certificate.issuer_title(), &list.reason);
        let message = format!("the revocation list of {issuer} cannot be used: {flaw}");
        return Some(
            Finding::new(&CRL_UNUSABLE, at, message)
                .field(Field::Issuer)
                .observed(flaw.clone())
                .expected("a complete revocation list"),
        );
    }
    if let Some(list) = known.revocation.not_yet_valid(&at.certificate, known.now) {
        let (issuer, from) = (&list.issuer, list.this_update);
        let message = format!("the revocation list of {issuer} is valid from {} on", day(from));
        return Some(
            Finding::new(&CRL_UNUSABLE, at, message)
                .field(Field::Issuer)
                .observed(format!("this update {}", moment(from)))
                .expected(format!("a list that is valid at {}", moment(known.now))),
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
