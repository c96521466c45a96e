//! Revocation lists, read once.

use rustls_pki_types::CertificateRevocationListDer;
use webpki::{CertRevocationList, EndEntityCert, OwnedCertRevocationList};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::cert::Certificate;
use crate::cert::escape::shown;
use crate::cert::revocation_list::flaw;

/// All lists, the latest first.
pub(super) struct RevocationLists {
    lists: Vec<RevocationList>,
    usable: Vec<CertRevocationList<'static>>,
}

/// What is known of one list.
pub(super) struct RevocationList {
    issuer_der: Vec<u8>,
    /// What to call the issuer in a message.
    pub(super) issuer: String,
    /// Seconds since 1970; a list without one never gets stale, and rustls does not take it.
    pub(super) next_update: Option<i64>,
    /// Why rustls does not take it.
    pub(super) flaw: Option<String>,
}

impl RevocationLists {
    /// Decodes lists. One that cannot be decoded is skipped, and reported where files are read.
    pub(super) fn of(lists: &[CertificateRevocationListDer<'static>]) -> Self {
        let mut read: Vec<_> = lists.iter().filter_map(|der| RevocationList::of(der)).collect();
        // Verification takes the first list of an issuer.
        read.sort_by_key(|(list, _)| std::cmp::Reverse(list.next_update));
        let (lists, usable): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        Self { lists, usable: usable.into_iter().flatten().collect() }
    }

    /// Returns those that can be verified against.
    pub(super) fn usable(&self) -> &[CertRevocationList<'static>] {
        &self.usable
    }

    /// Returns the latest list of the certificate's issuer.
    pub(super) fn list_for(&self, certificate: &Certificate) -> Option<&RevocationList> {
        self.lists.iter().find(|list| list.issuer_der == certificate.issuer_der())
    }

    /// Returns whether a list of the certificate's issuer has its serial number. No signature is checked.
    pub(super) fn has(&self, certificate: &Certificate) -> bool {
        let Ok(parsed) = EndEntityCert::try_from(&certificate.der) else { return false };
        let of_issuer = self.usable.iter().filter(|list| list.issuer() == parsed.issuer());
        of_issuer.into_iter().any(|list| matches!(list.find_serial(parsed.serial()), Ok(Some(_))))
    }
}

impl RevocationList {
    fn of(der: &CertificateRevocationListDer<'_>) -> Option<(Self, Option<CertRevocationList<'static>>)> {
        let (_, parsed) = CertificateRevocationList::from_der(der).ok()?;
        let usable = OwnedCertRevocationList::from_der(der).ok().map(Into::into);
        let list = Self {
            issuer_der: parsed.issuer().as_raw().to_vec(),
            issuer: shown(&parsed.issuer().to_string()),
            next_update: parsed.next_update().map(|at| at.timestamp()),
            flaw: flaw(der),
        };
        Some((list, usable))
    }
}
