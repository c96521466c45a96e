//! Verification by rustls-webpki.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::path::Path;
use crate::cert::Certificate;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::validity::is_about_dates;

/// Verifies the chain up to one of `trust`. Returns which; dates and purposes are left to other checks.
pub(super) fn chain(path: &Path<'_>, trust: &[TrustAnchor<'_>], known: &KnownAuthorities<'_>) -> Result<usize, Error> {
    let now = known.now;
    match chain_at(path, trust, known, now) {
        Err(error) if is_about_dates(&error) => match valid_moment(path, now) {
            Some(moment) => chain_at(path, trust, known, moment),
            None => Err(error),
        },
        outcome => outcome,
    }
}

/// Returns whether `issuer` signed `certificate`; true where its key cannot be read.
pub(super) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else { return true };
    let Ok(issuer) = EndEntityCert::try_from(&issuer.der) else { return true };
    let (message, signature) = (parsed.tbs_certificate.as_ref(), parsed.signature_value.as_ref());
    ALL_VERIFICATION_ALGS.iter().any(|algorithm| issuer.verify_signature(*algorithm, message, signature).is_ok())
}

fn chain_at(path: &Path<'_>, trust: &[TrustAnchor<'_>], known: &KnownAuthorities<'_>, at: i64) -> Result<usize, Error> {
    let server = EndEntityCert::try_from(&path.server().certificate.der)?;
    let above: Vec<_> =
        path.related.iter().skip(1).map(|it| CertificateDer::from(it.certificate.der.as_ref())).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at.try_into().unwrap_or(0)));
    // Whatever the moment for dates is, what was revoked since counts.
    let judge = |path: &VerifiedPath<'_>| known.revocation.judge(path, known.now, &known.signatures);
    let algorithms = known.signatures.algorithms();
    let verified = server.verify_for_usage(&algorithms, trust, &above, time, AnyPurpose, None, Some(&judge))?;
    trust.iter().position(|anchor| anchor == verified.anchor()).ok_or(Error::UnknownIssuer)
}

/// Returns the moment nearest to `now` at which every certificate below the root is valid, if there is one.
fn valid_moment(path: &Path<'_>, now: i64) -> Option<i64> {
    let below = || std::iter::once(path.server()).chain(path.intermediates());
    let first = below().map(|it| it.certificate.not_before).max()?;
    let last = below().map(|it| it.certificate.not_after).min()?;
    (first <= last).then(|| now.clamp(first, last))
}

/// What certificates are for is looked at elsewhere.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}
