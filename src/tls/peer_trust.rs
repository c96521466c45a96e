//! What the chains of peers are verified against: authorities with their dates, and revocation lists. Both sides use
//! it, for a full handshake and for a session that is resumed.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{CertificateError, Error, OtherError};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::ProfileError;
use super::trust_anchors::Roots;
use super::webpki_error::rustls_error;
use crate::cert::bundle::{decode_revocation_list, read_revocation_lists};
use crate::cert::date::moment;
use crate::cert::revocation::{PathFlaw, RevocationList, RevocationLists, Unrevoked, judge_path, may_sign_lists};
use crate::model::Name;
use crate::model::profile::CrlScope;
use crate::words::shown;

/// What a profile's files say of whom to trust, as they were read.
#[derive(Debug, PartialEq)]
pub(super) struct TrustFiles {
    pub(super) roots: Roots,
    /// None if the profile looks at no lists.
    pub(super) revocation_lists: Option<Vec<CertificateRevocationListDer<'static>>>,
}

/// What chains are verified against.
pub(super) struct PeerTrust {
    anchors: Vec<TrustAnchor<'static>>,
    /// Of each anchor; none of those that are names and keys alone.
    authorities: Vec<Option<Authority>>,
    revocation: Option<(RevocationLists, CrlScope)>,
    /// The seconds, sorted, in which an authority or a list begins or ceases to be valid.
    changes: Vec<i64>,
}

/// What the certificate of a trusted authority says beyond name and key.
struct Authority {
    title: String,
    not_before: i64,
    not_after: i64,
    may_sign_lists: bool,
}

/// A chain leads to a trusted authority that is not valid at the time.
#[derive(Debug, thiserror::Error)]
#[error("its authority {title}, which ca-file trusts, {what}")]
pub(super) struct AuthorityOutOfDate {
    title: String,
    what: String,
    pub(super) has_expired: bool,
}

/// A revocation list that says nothing, in words that follow "the certificate is not valid:".
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RevocationUnknown(String);

impl TrustFiles {
    pub(super) fn load(
        profile: &Name,
        roots: Result<Roots, ProfileError>,
        crl_file: Option<&Path>,
        errors: &mut Vec<ProfileError>,
    ) -> Option<Self> {
        let roots = roots.map_err(|error| errors.push(error)).ok();
        let lists = crl_file.map(|path| {
            read_revocation_lists(path).map_err(|error| {
                errors.push(ProfileError::from_material(profile, CRL_FILE, &error));
            })
        });
        let revocation_lists = lists.transpose().ok()?;
        for (list, position) in revocation_lists.iter().flatten().zip(1..) {
            let path = crl_file.unwrap_or_else(|| Path::new(CRL_FILE));
            if let Err(error) = decode_revocation_list(path, position, list.clone()) {
                errors.push(ProfileError::from_material(profile, CRL_FILE, &error));
            }
        }
        Some(Self { roots: roots?, revocation_lists })
    }
}

impl PeerTrust {
    pub(super) fn of(files: &TrustFiles, scope: CrlScope) -> Self {
        let anchors = files.roots.store().roots;
        let authorities: Vec<_> = match &files.roots {
            Roots::Listed(certificates) => {
                let readable = |it: &&CertificateDer<'static>| webpki::anchor_from_trusted_cert(it).is_ok();
                certificates.iter().filter(readable).map(Authority::of).collect()
            }
            Roots::WebpkiRoots => anchors.iter().map(|_| None).collect(),
        };
        let lists = files.revocation_lists.as_ref().map(|lists| {
            let usable = lists.iter().filter_map(|der| RevocationList::decode(der.clone()).ok());
            (RevocationLists::new(usable.collect()), scope)
        });
        let of_authorities = authorities.iter().flatten().flat_map(|it: &Authority| [it.not_before, it.not_after + 1]);
        let of_lists = lists.iter().flat_map(|(lists, _)| lists.all());
        let mut changes: Vec<_> =
            of_authorities.chain(of_lists.flat_map(|list| [list.this_update, list.next_update])).collect();
        changes.sort_unstable();
        Self { anchors, authorities, revocation: lists, changes }
    }

    /// Verifies a chain by dates at `at` and by revocation lists at `now`, which are mostly the same.
    pub(super) fn verify(
        &self,
        (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        usage: KeyUsage,
        (at, now): (UnixTime, UnixTime),
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let parsed = EndEntityCert::try_from(end_entity).map_err(rustls_error)?;
        // What the library cannot carry in its own errors.
        let flaw = RefCell::new(None);
        let judge = |path: &VerifiedPath<'_>| {
            self.judge(path, seconds(at), seconds(now), algorithms).map_err(|error| {
                let ranked = match error {
                    Error::InvalidCertificate(CertificateError::Revoked) => webpki::Error::CertRevoked,
                    _ => webpki::Error::UnknownRevocationStatus,
                };
                flaw.replace(Some(error));
                ranked
            })
        };
        let verified =
            parsed.verify_for_usage(algorithms.all, &self.anchors, intermediates, at, usage, None, Some(&judge));
        match verified {
            Ok(_) => Ok(()),
            Err(error @ (webpki::Error::CertRevoked | webpki::Error::UnknownRevocationStatus)) => {
                Err(flaw.take().unwrap_or_else(|| rustls_error(error)))
            }
            Err(error) => Err(rustls_error(error)),
        }
    }

    /// Judges a path for what the library leaves open: its authority's dates, and revocation.
    fn judge(
        &self,
        path: &VerifiedPath<'_>,
        at: i64,
        now: i64,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let index = self.anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
        let authority = index.and_then(|index| self.authorities.get(index)).and_then(Option::as_ref);
        if let Some(wrong) = authority.and_then(|authority| authority.out_of_date(at)) {
            return Err(CertificateError::Other(OtherError(Arc::new(wrong))).into());
        }
        let Some((lists, scope)) = &self.revocation else { return Ok(()) };
        let may_sign_lists = authority.is_none_or(|it| it.may_sign_lists);
        judge_path(lists, path, may_sign_lists, *scope, now, algorithms.all)
            .map_err(|flaw| revocation_error(flaw).into())
    }

    /// Returns the end of each shown certificate and of each authority that has ended before `now`, the latest first.
    pub(super) fn past_ends(&self, chain: &[&CertificateDer<'_>], now: i64) -> Vec<i64> {
        let shown = chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let issuers: Vec<_> = shown.clone().map(|(_, parsed)| parsed.issuer().to_string()).collect();
        let of_authorities = self.authorities.iter().flatten().filter(|it| issuers.contains(&it.title));
        let mut ends: Vec<_> = shown
            .map(|(_, parsed)| parsed.validity().not_after.timestamp())
            .chain(of_authorities.map(|it| it.not_after))
            .filter(|end| *end < now)
            .collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        ends
    }

    /// Returns the first second after `now` in which a chain that is judged now may be judged otherwise.
    pub(super) fn next_change(&self, chain: &[&CertificateDer<'_>], now: i64) -> i64 {
        let shown = chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let of_chain = shown.flat_map(|(_, parsed)| {
            let validity = parsed.validity();
            [validity.not_before.timestamp(), validity.not_after.timestamp() + 1]
        });
        let next = self.changes.partition_point(|change| *change <= now);
        of_chain.chain(self.changes.get(next).copied()).filter(|change| *change > now).min().unwrap_or(i64::MAX)
    }
}

impl Authority {
    fn of(der: &CertificateDer<'static>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        Some(Self {
            title: parsed.subject().to_string(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            may_sign_lists: may_sign_lists(der),
        })
    }

    fn out_of_date(&self, at: i64) -> Option<AuthorityOutOfDate> {
        let has_expired = at > self.not_after;
        let what = if has_expired {
            format!("expired at {}", moment(self.not_after))
        } else if at < self.not_before {
            format!("is not valid before {}", moment(self.not_before))
        } else {
            return None;
        };
        Some(AuthorityOutOfDate { title: shown(&self.title), what, has_expired })
    }
}

fn revocation_error(PathFlaw { reason, issuer, .. }: PathFlaw) -> CertificateError {
    let unknown = match reason {
        Unrevoked::Revoked => return CertificateError::Revoked,
        Unrevoked::NoList => format!("crl-file has no complete revocation list of {issuer} for it and for that key"),
        Unrevoked::Expired { next_update } => {
            format!("the revocation list of {issuer} is past its date, {}", moment(next_update))
        }
        Unrevoked::NotYetValid { this_update } => {
            format!("the revocation list of {issuer} is not valid before {}", moment(this_update))
        }
        Unrevoked::NoSigner => format!("{issuer} may not sign its revocation list (key usage without cRLSign)"),
    };
    CertificateError::Other(OtherError(Arc::new(RevocationUnknown(unknown))))
}

pub(super) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

impl fmt::Debug for PeerTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerTrust").field("anchors", &self.anchors.len()).finish_non_exhaustive()
    }
}

pub(super) const CRL_FILE: &str = "crl-file";
