//! What the findings of every subject depend on, made ready once for all of them.

use std::collections::HashMap;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;

use super::revocation::Revocation;
use super::signatures::Signatures;
use super::{Linter, Subject, Trust, Use};
use crate::cert::Certificate;

pub(super) struct Ground<'a> {
    /// Seconds since 1970.
    pub(super) now: i64,
    pub(super) expiry_days: u32,
    pub(super) revocation: Revocation,
    pub(super) signatures: Signatures,
    own: Anchors<'a>,
    /// Those of subjects that have their own trust, by the place of the list that they share.
    others: HashMap<Place, Anchors<'a>>,
    authorities: HashMap<&'a [u8], Vec<&'a Certificate>>,
}

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

/// Address, length, and whether it was given.
type Place = (usize, usize, bool);

impl<'a> Ground<'a> {
    pub(super) fn of(linter: &'a Linter, subjects: &'a [Subject]) -> Self {
        let mut others = HashMap::new();
        for trust in subjects.iter().filter_map(|subject| subject.trust.as_ref()) {
            others.entry(place(trust)).or_insert_with(|| Anchors::of(trust));
        }
        Self {
            now: linter.now,
            expiry_days: linter.expiry_days,
            revocation: Revocation::of(&linter.revocation_lists),
            signatures: Signatures::new(),
            own: Anchors::of(&linter.trust),
            others,
            authorities: authorities(subjects),
        }
    }

    /// Whom this subject's chain has to lead to.
    pub(super) fn anchors(&self, subject: &Subject) -> &Anchors<'a> {
        subject.trust.as_ref().and_then(|trust| self.others.get(&place(trust))).unwrap_or(&self.own)
    }

    /// An authority among all subjects that `certificate` names as its issuer.
    pub(super) fn issuer_elsewhere(&self, certificate: &Certificate) -> Option<&'a Certificate> {
        let named = self.authorities.get(certificate.issuer_der())?;
        named.iter().copied().find(|authority| certificate.names_issuer(authority))
    }

    /// Whether the certificate is one of the subjects', or in one's chain above the server's own.
    pub(super) fn is_linted(&self, authority: &Certificate) -> bool {
        let named = self.authorities.get(authority.subject_der());
        named.is_some_and(|named| named.iter().any(|other| other.der == authority.der))
    }
}

impl<'a> Anchors<'a> {
    /// Certificates that cannot be decoded are left out, as every client leaves them out.
    fn of(trust: &'a Trust) -> Self {
        let anchors: Vec<Anchor<'a>> = trust.anchors.par_iter().filter_map(Anchor::of).collect();
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for anchor in anchors {
            by_subject.entry(anchor.certificate.subject_der().to_vec()).or_default().push(anchor);
        }
        Self { given: trust.given, by_subject }
    }

    /// Whether there is nothing to verify against, so that every issuer would be unknown.
    pub(super) fn say_nothing(&self) -> bool {
        self.by_subject.is_empty() && !self.given
    }

    /// The anchors of the name that `certificate` gives as its issuer's, whatever their keys.
    pub(super) fn named_by(&self, certificate: &Certificate) -> &[Anchor<'a>] {
        self.by_subject.get(certificate.issuer_der()).map_or(&[], Vec::as_slice)
    }

    /// Whether `certificate` leads to an anchor: it is one, or names one as its issuer, by name and key identifier.
    pub(super) fn follow(&self, certificate: &Certificate) -> bool {
        match certificate.names_itself() {
            true => self.hold(certificate),
            false => self.named_by(certificate).iter().any(|anchor| certificate.names_issuer(&anchor.certificate)),
        }
    }

    /// Whether this name with this key is an anchor.
    pub(super) fn hold(&self, certificate: &Certificate) -> bool {
        self.same_as(certificate).next().is_some()
    }

    /// Whether an anchor of this name and key has not expired.
    pub(super) fn hold_valid(&self, certificate: &Certificate, now: i64) -> bool {
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

/// Subjects mostly share one list, which is then made ready once.
fn place(trust: &Trust) -> Place {
    (trust.anchors.as_ptr().addr(), trust.anchors.len(), trust.given)
}

/// Every authority of the subjects by its name, and each key of one name once, or twice where it is a root as well as
/// an intermediate.
fn authorities(subjects: &[Subject]) -> HashMap<&[u8], Vec<&Certificate>> {
    let mut by_subject: HashMap<_, Vec<&Certificate>> = HashMap::new();
    for subject in subjects {
        for at in subject.chain() {
            if subject.role.usage != Use::Authority && std::ptr::eq(at, subject.leaf_located()) {
                continue;
            }
            let certificate = &*at.certificate;
            let same = |other: &&Certificate| {
                other.subject_key_id == certificate.subject_key_id
                    && other.names_itself() == certificate.names_itself()
                    && other.not_after == certificate.not_after
            };
            let named = by_subject.entry(certificate.subject_der()).or_default();
            if !named.iter().any(same) {
                named.push(certificate);
            }
        }
    }
    by_subject
}
