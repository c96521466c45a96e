//! Verifying a member's certificate: chain, dates and name, and the flaws that a profile lets pass.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::client::verify_server_name;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, OtherError};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::KeyUsage;

use super::client_auth::as_untrusted;
use super::peer_trust::{AuthorityOutOfDate, PeerTrust, seconds};
use super::verifier::VerifyChain;
use crate::model::profile::CertResponse;

/// Verifies one member's certificate: its chain, its dates, its revocation, and the name that it must carry.
///
/// The name is the profile's or the node's, whatever SNI is sent.
pub(super) struct MemberVerifier {
    /// For messages: the member and the profile.
    pub(super) member: String,
    pub(super) profile: String,
    /// `None` verifies nothing but the handshake's signature.
    pub(super) demands: Option<Demands>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// Flaws met so far, so that each is logged once.
    pub(super) expired: AtomicBool,
    pub(super) untrusted: AtomicBool,
}

/// What a member's certificate must be.
pub(super) struct Demands {
    pub(super) trust: Arc<PeerTrust>,
    /// `None` if the node's name cannot be in any certificate.
    pub(super) name: Option<ServerName<'static>>,
    pub(super) expired: CertResponse,
    pub(super) untrusted: CertResponse,
}

/// Flaws that the profile lets pass and that a member's certificate has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerated {
    pub expired: bool,
    pub untrusted: bool,
}

impl MemberVerifier {
    pub(super) fn tolerated(&self) -> Tolerated {
        Tolerated { expired: self.expired.load(Ordering::Relaxed), untrusted: self.untrusted.load(Ordering::Relaxed) }
    }

    fn record(&self, flaws: Tolerated) {
        let Self { member, profile, .. } = self;
        if flaws.expired && !self.expired.swap(true, Ordering::Relaxed) {
            tracing::warn!(%member, %profile, "the member's certificate has expired and is accepted, as the profile says");
        }
        if flaws.untrusted && !self.untrusted.swap(true, Ordering::Relaxed) {
            tracing::warn!(%member, %profile, "the member's certificate is not trusted and is accepted, as the profile says");
        }
    }
}

impl Demands {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<Tolerated, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        // What was revoked since is looked up as of now, whenever the chain's dates are judged.
        let chain_at = |at| {
            self.trust
                .verify((end_entity, intermediates), KeyUsage::server_auth(), (at, now), algorithms)
                .map_err(as_untrusted)
        };
        let mut tolerated = Tolerated::default();
        let mut outcome = chain_at(now);

        if let Err(error) = &outcome
            && self.expired == CertResponse::Ignore
            && is_expired(error)
            && let Some(earlier) = self.before_expiry(&shown(end_entity, intermediates), now, chain_at)
        {
            outcome = earlier;
            tolerated.expired = true;
        }
        // The verifier looks at the certificate's own dates before its issuer, so they are in order here.
        if let Err(error) = &outcome
            && self.untrusted == CertResponse::Ignore
            && is_untrusted(error)
        {
            outcome = Ok(());
            tolerated.untrusted = true;
        }
        outcome?;

        let name = self.name.as_ref().ok_or(CertificateError::NotValidForName)?;
        verify_server_name(&parsed, name)?;
        Ok(tolerated)
    }

    /// Returns what the chain is worth if judged at a time when none of it had expired, if there was such a time.
    fn before_expiry(
        &self,
        shown: &[&CertificateDer<'_>],
        now: UnixTime,
        chain_at: impl Fn(UnixTime) -> Result<(), Error>,
    ) -> Option<Result<(), Error>> {
        let ends = self.trust.past_ends(shown, seconds(now)).into_iter().take(MAX_TIMES);
        ends.filter_map(|end| u64::try_from(end).ok())
            .map(|end| chain_at(UnixTime::since_unix_epoch(Duration::from_secs(end))))
            .find(|outcome| !outcome.as_ref().is_err_and(is_about_dates))
    }
}

fn shown<'a, 'b>(
    end_entity: &'a CertificateDer<'b>,
    intermediates: &'a [CertificateDer<'b>],
) -> Vec<&'a CertificateDer<'b>> {
    std::iter::once(end_entity).chain(intermediates).collect()
}

fn is_expired(error: &Error) -> bool {
    use CertificateError::{Expired, ExpiredContext};
    matches!(error, Error::InvalidCertificate(Expired | ExpiredContext { .. }))
        || authority_out_of_date(error).is_some_and(|authority| authority.has_expired)
}

fn authority_out_of_date(error: &Error) -> Option<&AuthorityOutOfDate> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

fn is_about_dates(error: &Error) -> bool {
    use CertificateError::{NotValidYet, NotValidYetContext};
    matches!(error, Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }))
        || is_expired(error)
        || authority_out_of_date(error).is_some()
}

fn is_untrusted(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        // What `openssl req -x509` makes: a self-signed certificate that calls itself an authority.
        Error::InvalidCertificate(CertificateError::Other(other)) => is_authority_as_server(other),
        _ => false,
    }
}

/// Returns whether the flaw is that a certificate of an authority is shown as a server's own.
pub(super) fn is_authority_as_server(error: &OtherError) -> bool {
    matches!(error.0.downcast_ref::<webpki::Error>(), Some(webpki::Error::CaUsedAsEndEntity))
}

impl MemberVerifier {
    /// Returns the first second after `now` in which a chain that was verified now may be judged otherwise.
    pub(super) fn next_change(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> i64 {
        let change = |demands: &Demands| demands.trust.next_change(&shown(end_entity, intermediates), seconds(now));
        self.demands.as_ref().map_or(i64::MAX, change)
    }
}

impl VerifyChain for MemberVerifier {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if let Some(demands) = &self.demands {
            self.record(demands.check(end_entity, intermediates, now, &self.algorithms)?);
        }
        Ok(())
    }
}

impl fmt::Debug for MemberVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberVerifier")
            .field("member", &self.member)
            .field("name", &self.demands.as_ref().and_then(|demands| demands.name.as_ref()))
            .finish_non_exhaustive()
    }
}

/// A chain is verified at most so many times more in search of a time before it expired.
const MAX_TIMES: usize = 8;
