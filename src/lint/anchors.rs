//! Trust anchors: the authorities that chains have to lead to, by their names.

use std::collections::HashMap;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;

use super::Trust;
use crate::cert::Certificate;

/// Whom chains have to lead to.
pub(super) struct Anchors<'a> {
    /// Whether the user named them.
    pub(super) given: bool,
    by_subject: HashMap<Vec<u8>, Vec<Anchor<'a>>>,
}

pub(super) struct Anchor<'a> {
    pub(super) certificate: Certificate,
    pub(super) trust: TrustAnchor<'a>,
}

impl<'a> Anchors<'a> {
    /// Decodes the anchors. One that cannot be decoded is skipped, as clients skip it.
    pub(super) fn of(trust: &'a Trust) -> Self {
        let anchors: Vec<Anchor<'a>> = trust.anchors.par_iter().filter_map(Anchor::of).collect();
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for anchor in anchors {
            by_subject.entry(anchor.certificate.subject_der().to_vec()).or_default().push(anchor);
        }
        Self { given: trust.given, by_subject }
    }

    /// Returns whether there are none and the user named none, so that every issuer would be unknown.
    pub(super) fn are_missing(&self) -> bool {
        self.by_subject.is_empty() && !self.given
    }

    /// Returns the anchors of the name that `certificate` gives as its issuer's, whatever their keys.
    pub(super) fn named_by(&self, certificate: &Certificate) -> &[Anchor<'a>] {
        self.by_subject.get(certificate.issuer_der()).map_or(&[], Vec::as_slice)
    }

    /// Returns whether `certificate` leads to an anchor: it is one, or names one as its issuer, by name and key
    /// identifier.
    pub(super) fn lead_from(&self, certificate: &Certificate) -> bool {
        if certificate.names_itself() {
            self.contain(certificate)
        } else {
            self.named_by(certificate).iter().any(|anchor| certificate.names_issuer(&anchor.certificate))
        }
    }

    /// Returns whether this name with this key is an anchor.
    pub(super) fn contain(&self, certificate: &Certificate) -> bool {
        self.same_as(certificate).next().is_some()
    }

    /// Returns whether an anchor of this name and key has not expired.
    pub(super) fn contain_valid(&self, certificate: &Certificate, now: i64) -> bool {
        self.same_as(certificate).any(|anchor| now <= anchor.certificate.not_after)
    }

    fn same_as(&self, certificate: &Certificate) -> impl Iterator<Item = &Anchor<'a>> {
        let named = self.by_subject.get(certificate.subject_der()).map_or(&[][..], Vec::as_slice);
        named.iter().filter(|anchor| anchor.certificate.key == certificate.key)
    }
}

impl<'a> Anchor<'a> {
    fn of(der: &'a CertificateDer<'static>) -> Option<Self> {
        let trust = anchor_from_trusted_cert(der).ok()?;
        Some(Self { certificate: Certificate::decode(der.clone()).ok()?, trust })
    }
}
