//! Client certificates: what they are verified against, and how long their chains may be.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{CertificateError, DistinguishedName, Error, OtherError};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use webpki::KeyUsage;

use super::ProfileError;
use super::peer_trust::{PeerTrust, TrustFiles};
use super::trust_anchors::{CA_FILE, Roots};
use super::verifier::{VerifyChain, VerifyClient};
use crate::cert::AuthorityHints;
use crate::model::profile::{ClientSsl, PeerCertMode};

/// What client certificates are verified against; nothing when none is asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ClientTrust(Option<TrustFiles>);

/// More certificates than the client may show.
#[derive(Debug, thiserror::Error)]
#[error("its chain has more than {0} certificates")]
pub(super) struct ChainTooLong(usize);

impl ClientTrust {
    pub(super) fn load(profile: &ClientSsl) -> Result<Self, Vec<ProfileError>> {
        if profile.peer_cert_mode == PeerCertMode::Ignore {
            return Ok(Self::default());
        }
        let mut errors = Vec::new();
        let roots = match &profile.ca_file {
            Some(path) => Roots::from_file(&profile.name, path),
            None => {
                let message = "client certificates are asked for and no authority is named that may issue them";
                let help = "name the authority's certificate in ca-file, or set peer-cert-mode to ignore";
                Err(ProfileError::new(&profile.name, CA_FILE, message).with_help(help))
            }
        };
        let files = TrustFiles::load(&profile.name, roots, profile.crl_file.as_deref(), &mut errors);
        if profile.authenticate_depth == 0 {
            let message = "a depth of 0 refuses every client certificate; 1 is the certificate alone";
            errors.push(ProfileError::new(&profile.name, "authenticate-depth", message));
        }
        if errors.is_empty() { Ok(Self(files)) } else { Err(errors) }
    }

    /// Returns the authorities and the revocation lists that are in force; none if no certificate is asked for.
    pub(super) fn contents(&self) -> Option<(&[CertificateDer<'static>], &[CertificateRevocationListDer<'static>])> {
        let files = self.0.as_ref()?;
        Some((files.roots.listed(), files.revocation_lists.as_deref().unwrap_or_default()))
    }

    /// Returns what verifies clients' chains; none if no certificate is asked for.
    pub(super) fn verifier(&self, profile: &ClientSsl, provider: &CryptoProvider) -> Option<Arc<ClientVerifier>> {
        let files = self.0.as_ref()?;
        Some(Arc::new(ClientVerifier {
            trust: PeerTrust::of(files, profile.crl_scope),
            most_certificates: profile.authenticate_depth.into(),
            is_mandatory: profile.peer_cert_mode == PeerCertMode::Require,
            authorities: hints(&files.roots),
            algorithms: provider.signature_verification_algorithms,
        }))
    }
}

/// Returns the names of authorities to tell clients; none if TLS could not carry them.
fn hints(roots: &Roots) -> Vec<DistinguishedName> {
    let subjects = roots.store().subjects();
    let hints = AuthorityHints::of(subjects.iter().map(AsRef::as_ref));
    if hints.fit() { hints.names.into_iter().map(DistinguishedName::from).collect() } else { Vec::new() }
}

/// Verifies clients' chains, of at most so many certificates, the client's own included and the root not.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    trust: PeerTrust,
    most_certificates: usize,
    is_mandatory: bool,
    authorities: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl VerifyChain for ClientVerifier {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        // Clients may send more than their chain needs, such as the root. What counts is whether the first few do.
        let kept = intermediates.len().min(self.most_certificates.saturating_sub(1));
        let verify = |intermediates| {
            self.trust
                .verify((end_entity, intermediates), KeyUsage::client_auth(), (now, now), &self.algorithms)
                .map_err(as_untrusted)
        };
        match verify(&intermediates[..kept]) {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) if kept < intermediates.len() => {
                verify(intermediates)?;
                Err(CertificateError::Other(OtherError(Arc::new(ChainTooLong(self.most_certificates)))).into())
            }
            outcome => outcome,
        }
    }
}

impl VerifyClient for ClientVerifier {
    fn is_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn authorities(&self) -> &[DistinguishedName] {
        &self.authorities
    }
}

/// Makes a bad signature an unknown issuer: a certificate that another signed under a trusted authority's name is
/// untrusted, not damaged.
pub(super) fn as_untrusted(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) => CertificateError::UnknownIssuer.into(),
        other => other,
    }
}
