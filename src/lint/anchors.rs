//! Trust anchors: the authorities that chains have to lead to, by their names.

use std::collections::HashMap;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;

use super::Trust;
use crate::cert::{Certificate, DistinguishedName};

/// Whom chains have to lead to.
pub(super) struct Anchors<'a> {
    /// Whether the user named them.
    pub(super) given: bool,
    /// By the form of their names that is the same for all that any client takes for equal.
    by_name: HashMap<Vec<u8>, Vec<Anchor<'a>>>,
}

pub(super) struct Anchor<'a> {
    pub(super) certificate: Certificate,
    /// As rustls takes it; none if it does not.
    pub(super) trust: Option<TrustAnchor<'a>>,
}

impl<'a> Anchors<'a> {
    /// Decodes the anchors, each certificate once. One that cannot be decoded is skipped, as clients skip it.
    pub(super) fn of(trust: &'a Trust) -> Self {
        let anchors: Vec<Anchor<'a>> = trust.anchors.par_iter().filter_map(Anchor::of).collect();
        let mut by_name: HashMap<_, Vec<Anchor<'a>>> = HashMap::new();
        for anchor in anchors {
            let named = by_name.entry(anchor.certificate.subject.near().to_vec()).or_default();
            if !named.iter().any(|it| it.certificate.der == anchor.certificate.der) {
                named.push(anchor);
            }
        }
        Self { given: trust.given, by_name }
    }

    /// Returns whether there are none and the user named none, so that every issuer would be unknown.
    pub(super) fn are_missing(&self) -> bool {
        self.by_name.is_empty() && !self.given
    }

    /// Returns the anchors of a name, whatever their keys.
    pub(super) fn named(&self, name: &DistinguishedName) -> &[Anchor<'a>] {
        self.by_name.get(name.near()).map_or(&[], Vec::as_slice)
    }

    /// Returns the anchors of the name that `certificate` gives as its issuer's, whatever their keys.
    pub(super) fn named_by(&self, certificate: &Certificate) -> &[Anchor<'a>] {
        self.named(&certificate.issuer_name)
    }

    /// Returns whether this very certificate is an anchor.
    pub(super) fn have(&self, certificate: &Certificate) -> bool {
        self.named(&certificate.subject).iter().any(|anchor| anchor.certificate.der == certificate.der)
    }

    /// Returns whether this name with this key is an anchor.
    pub(super) fn contain(&self, certificate: &Certificate) -> bool {
        self.named(&certificate.subject).iter().any(|anchor| anchor.certificate.key == certificate.key)
    }
}

impl<'a> Anchor<'a> {
    fn of(der: &'a CertificateDer<'static>) -> Option<Self> {
        let trust = anchor_from_trusted_cert(der).ok();
        Some(Self { certificate: Certificate::decode(der.clone()).ok()?, trust })
    }

    pub(super) fn is_usable_in_rustls(&self) -> bool {
        self.trust.is_some()
    }
}
