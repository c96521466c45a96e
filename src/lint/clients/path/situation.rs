//! What a verifier is given: the certificates that are shown, whom it trusts, and the time.

use std::cell::RefCell;

use crate::cert::Certificate;
use crate::lint::anchors::{Anchor, Anchors};

use super::signatures::{Checked, Signatures};

/// What a verifier is given.
pub(in crate::lint) struct Situation<'a> {
    pub(in crate::lint) leaf: &'a Certificate,
    /// What is shown beside it, in its order.
    pub(in crate::lint) shown: Vec<&'a Certificate>,
    pub(in crate::lint) anchors: &'a Anchors<'a>,
    /// Take the end of whatever path there is for trusted: nobody has said what clients trust.
    pub(in crate::lint) trusts_any: bool,
    pub(in crate::lint) signatures: &'a Signatures,
    /// What came of verifying signatures, which every verifier asks for, by the addresses of both certificates.
    pub(in crate::lint) checked: RefCell<Vec<(*const Certificate, *const Certificate, Checked)>>,
    /// Seconds since 1970.
    pub(in crate::lint) now: i64,
}

impl<'a> Situation<'a> {
    /// Returns the anchors of the name that `below` gives as its issuer's, and of names that some client takes for it.
    pub(super) fn anchors_above(&self, below: &Certificate) -> impl Iterator<Item = &'a Anchor<'a>> {
        self.anchors.named_by(below).iter()
    }

    /// Returns whether this very certificate is trusted.
    pub(super) fn trusts(&self, certificate: &Certificate) -> bool {
        self.anchors.have(certificate)
    }

    /// Returns the shown certificates of the name that `below` gives as its issuer's, and of names that some client takes
    /// for it.
    pub(super) fn shown_above(&self, below: &'a Certificate) -> impl Iterator<Item = &'a Certificate> {
        self.shown.iter().copied().filter(move |it| below.issuer_name.near() == it.subject.near())
    }

    /// Returns whether the key of `issuer` made the signature of `certificate`.
    pub(super) fn check(&self, certificate: &Certificate, issuer: &Certificate) -> Checked {
        let (of, by) = (std::ptr::from_ref(certificate), std::ptr::from_ref(issuer));
        let known = self.checked.borrow().iter().find(|known| (known.0, known.1) == (of, by)).map(|known| known.2);
        known.unwrap_or_else(|| {
            let checked = self.signatures.check(certificate, issuer);
            self.checked.borrow_mut().push((of, by, checked));
            checked
        })
    }

    pub(super) fn is_expired(&self, certificate: &Certificate) -> bool {
        self.now > certificate.not_after
    }

    pub(super) fn is_early(&self, certificate: &Certificate) -> bool {
        self.now < certificate.not_before
    }

    pub(super) fn is_in_date(&self, certificate: &Certificate) -> bool {
        !self.is_expired(certificate) && !self.is_early(certificate)
    }
}
