//! Revocation lists beside the certificates of a run of the linter. What they say of a chain is the rule of
//! [`cert::revocation`](crate::cert::revocation), by which pronk's profiles refuse peers.

use rustls_pki_types::CertificateRevocationListDer;
use webpki::{Error, VerifiedPath};

use crate::cert::Certificate;
use crate::cert::revocation::{
    PathFlaw, RevocationList, RevocationLists as Lists, Unrevoked, UnusableList, judge_path,
};
use crate::lint::signature_cache::SignatureCache;
use crate::model::profile::CrlScope;

/// All lists, those that cannot be used as well.
pub(super) struct RevocationLists {
    usable: Lists,
    unusable: Vec<UnusableList>,
}

impl RevocationLists {
    /// Decodes lists. One whose issuer cannot be read is reported where files are read.
    pub(super) fn of(lists: &[CertificateRevocationListDer<'static>]) -> Self {
        let (mut usable, mut unusable) = (Vec::new(), Vec::new());
        for list in lists {
            match RevocationList::decode(list.clone()) {
                Ok(list) => usable.push(list),
                Err(flaw) => unusable.push(flaw),
            }
        }
        Self { usable: Lists::new(usable), unusable }
    }

    /// Returns whether no list is given.
    pub(super) fn are_none(&self) -> bool {
        self.usable.is_empty() && self.unusable.is_empty()
    }

    /// Judges a verified path.
    ///
    /// # Errors
    /// A certificate of it is revoked, or its issuer has lists and none of them is for it. That an issuer has no list
    /// is no error: others may be given that have nothing to do with this chain. Lists that are due are reported by
    /// themselves.
    pub(super) fn judge(&self, path: &VerifiedPath<'_>, now: i64, signatures: &SignatureCache) -> Result<(), Error> {
        match judge_path(&self.usable, path, true, CrlScope::Chain, now, &signatures.algorithms()) {
            Err(PathFlaw { reason: Unrevoked::Revoked, .. }) => Err(Error::CertRevoked),
            Err(PathFlaw { reason: Unrevoked::NoList, issuer_der, .. })
                if self.usable.of_issuer(&issuer_der).next().is_some() =>
            {
                Err(Error::UnknownRevocationStatus)
            }
            _ => Ok(()),
        }
    }

    /// Returns the list of the certificate's issuer that should have been replaced; none if one is in date.
    pub(super) fn due(&self, certificate: &Certificate, now: i64) -> Option<&RevocationList> {
        let mut complete = self.usable.of_issuer(certificate.issuer_der()).filter(|it| it.is_complete());
        let newest = self.usable.newest_of(certificate.issuer_der())?;
        let is_in_date = complete.any(|list| list.is_in_date(now));
        (!is_in_date && now >= newest.next_update).then_some(newest)
    }

    /// Returns the newest list of the certificate's issuer, if it is not valid yet.
    pub(super) fn not_yet_valid(&self, certificate: &Certificate, now: i64) -> Option<&RevocationList> {
        self.usable.newest_of(certificate.issuer_der()).filter(|list| now < list.this_update)
    }

    /// Returns a list of the certificate's issuer that cannot be used, and why.
    pub(super) fn unusable(&self, certificate: &Certificate) -> Option<&UnusableList> {
        self.unusable.iter().find(|list| list.issuer_der.as_deref() == Some(certificate.issuer_der()))
    }

    /// Returns whether a list of the certificate's issuer has its serial number. No signature is checked.
    pub(super) fn has(&self, certificate: &Certificate) -> bool {
        self.usable.name(&certificate.der)
    }
}
