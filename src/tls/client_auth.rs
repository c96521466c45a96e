//! Client certificates: what they are verified against, and how long their chains may be.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DistinguishedName, Error, OtherError};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::ProfileError;
use super::trust_anchors::{CA_FILE, Roots};
use super::verifier::{HandshakeSignatures, Verifier, VerifyChain, VerifyClient};
use crate::cert::bundle::read_revocation_lists;
use crate::model::profile::{ClientSsl, PeerCertMode};

/// What client certificates are verified against; nothing when none is asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ClientTrust {
    roots: Option<Roots>,
    revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

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
            Some(path) => Roots::from_file(&profile.name, path).map_err(|error| errors.push(error)).ok(),
            None => {
                let message = "client certificates are asked for and no authority is named that may issue them";
                let help = "name the authority's certificate in ca-file, or set peer-cert-mode to ignore";
                errors.push(ProfileError::new(&profile.name, CA_FILE, message).with_help(help));
                None
            }
        };
        let revocation_lists =
            load_revocation_lists(profile, profile.crl_file.as_ref()).map_err(|error| errors.push(error));
        if profile.authenticate_depth == 0 {
            let message = "a depth of 0 refuses every client certificate; 1 is the certificate alone";
            errors.push(ProfileError::new(&profile.name, "authenticate-depth", message));
        }
        match revocation_lists {
            Ok(revocation_lists) if errors.is_empty() => Ok(Self { roots, revocation_lists }),
            _ => Err(errors),
        }
    }

    pub(super) fn verifier(
        &self,
        profile: &ClientSsl,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, ProfileError> {
        let Some(roots) = &self.roots else { return Ok(WebPkiClientVerifier::no_client_auth()) };
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.store()), provider.clone());
        if !self.revocation_lists.is_empty() {
            // A list past its date says nothing of what was revoked since.
            builder = builder.with_crls(self.revocation_lists.iter().cloned()).enforce_revocation_expiration();
        }
        if profile.peer_cert_mode == PeerCertMode::Request {
            builder = builder.allow_unauthenticated();
        }
        let inner = builder.build().map_err(|error| {
            let key = if self.revocation_lists.is_empty() { CA_FILE } else { CRL_FILE };
            ProfileError::new(&profile.name, key, error.to_string())
        })?;
        let limit = DepthLimit { inner, certificates: profile.authenticate_depth.into() };
        let signatures = HandshakeSignatures::Verified(provider.signature_verification_algorithms);
        Ok(Verifier::new(Arc::new(limit), signatures))
    }
}

fn load_revocation_lists(
    profile: &ClientSsl,
    path: Option<&PathBuf>,
) -> Result<Vec<CertificateRevocationListDer<'static>>, ProfileError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    read_revocation_lists(path).map_err(|error| ProfileError::from_material(&profile.name, CRL_FILE, &error))
}

/// Refuses chains of more than so many certificates, the client's own included and the root not.
#[derive(Debug)]
struct DepthLimit {
    inner: Arc<dyn ClientCertVerifier>,
    certificates: usize,
}

impl VerifyChain for DepthLimit {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        // Clients may send more than their chain needs, such as the root. What counts is whether the first few do.
        let kept = intermediates.len().min(self.certificates.saturating_sub(1));
        let verify = |intermediates| {
            self.inner.verify_client_cert(end_entity, intermediates, now).map(drop).map_err(as_untrusted)
        };
        match verify(&intermediates[..kept]) {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) if kept < intermediates.len() => {
                verify(intermediates)?;
                Err(CertificateError::Other(OtherError(Arc::new(ChainTooLong(self.certificates)))).into())
            }
            outcome => outcome,
        }
    }
}

impl VerifyClient for DepthLimit {
    fn is_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn authorities(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
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

const CRL_FILE: &str = "crl-file";
