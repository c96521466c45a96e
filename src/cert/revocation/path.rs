//! Judging the revocation of every certificate of a path that was verified.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{VerifiedPath, spki_for_anchor};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::choice::{RevocationLists, Subject, Unrevoked};
use crate::model::profile::CrlScope;
use crate::words::shown;

/// A certificate of a path that is revoked, or not known to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFlaw {
    pub reason: Unrevoked,
    /// The certificate's issuer, in words.
    pub issuer: String,
    /// The issuer's name in DER.
    pub issuer_der: Vec<u8>,
}

/// Judges the certificates of a path, the lowest first; the trust anchor itself is nobody's to revoke.
///
/// # Errors
/// The first that is revoked, else the first that is not known to be good.
pub fn judge_path(
    lists: &RevocationLists,
    path: &VerifiedPath<'_>,
    anchor_may_sign_lists: bool,
    scope: CrlScope,
    now: i64,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<(), PathFlaw> {
    let below_anchor: Vec<_> = std::iter::once(path.end_entity().der())
        .chain(path.intermediate_certificates().map(webpki::Cert::der))
        .collect();
    let keys: Vec<_> = path.intermediate_certificates().map(webpki::Cert::subject_public_key_info).collect();
    let anchor = spki_for_anchor(path.anchor());
    let judged = match scope {
        CrlScope::Leaf => 1,
        CrlScope::Chain => below_anchor.len(),
    };
    let mut unknown = None;
    for (index, certificate) in below_anchor.iter().enumerate().take(judged) {
        let issuer = keys.get(index).unwrap_or(&anchor);
        let may_sign_lists = below_anchor.get(index + 1).map_or(anchor_may_sign_lists, may_sign_lists);
        let verdict = Subject::of(certificate, index > 0)
            .ok_or(Unrevoked::NoList)
            .and_then(|subject| lists.judge(&subject, issuer, may_sign_lists, now, algorithms));
        let Err(reason) = verdict else { continue };
        let is_revoked = reason == Unrevoked::Revoked;
        let (issuer, issuer_der) = issuer_of(certificate);
        let flaw = PathFlaw { reason, issuer, issuer_der };
        if is_revoked {
            return Err(flaw);
        }
        unknown.get_or_insert(flaw);
    }
    unknown.map_or(Ok(()), Err)
}

/// Returns whether an authority's certificate allows it to sign revocation lists: without a key usage it does.
pub fn may_sign_lists(authority: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(authority) else { return false };
    match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.crl_sign()),
        Err(_) => false,
    }
}

fn issuer_of(certificate: &CertificateDer<'_>) -> (String, Vec<u8>) {
    let parsed = X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed);
    let issuer = parsed.as_ref().map(|parsed| parsed.issuer());
    issuer.map(|issuer| (shown(&issuer.to_string()), issuer.as_raw().to_vec())).unwrap_or_default()
}
