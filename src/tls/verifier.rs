//! The skeleton of every verifier of certificates: each judges a chain in its own way, and all else is the same.

use std::fmt::Debug;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Judges the chain that a peer shows.
pub(super) trait VerifyChain: Debug + Send + Sync {
    /// # Errors
    /// Why the chain is refused.
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error>;
}

/// Judges the chain that a client shows.
pub(super) trait VerifyClient: VerifyChain {
    /// Returns whether a client must show a certificate.
    fn is_mandatory(&self) -> bool;
    /// Returns the names of the authorities that may have issued it, as hints for the client.
    fn authorities(&self) -> &[DistinguishedName];
}

/// A verifier as rustls takes it.
#[derive(Debug)]
pub(super) struct Verifier<V> {
    chain: Arc<V>,
    signatures: HandshakeSignatures,
}

/// What becomes of the signature by which a peer proves that it has the certificate's key.
#[derive(Debug)]
pub(super) enum HandshakeSignatures {
    Verified(WebPkiSupportedAlgorithms),
    /// Any is taken, of the obsolete schemes too.
    Unverified,
}

impl<V> Verifier<V> {
    pub(super) fn new(chain: Arc<V>, signatures: HandshakeSignatures) -> Arc<Self> {
        Arc::new(Self { chain, signatures })
    }
}

/// The methods of both of rustls's traits that are about signatures.
macro_rules! signature_methods {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            match &self.signatures {
                HandshakeSignatures::Verified(known) => verify_tls12_signature(message, certificate, signature, known),
                HandshakeSignatures::Unverified => Ok(HandshakeSignatureValid::assertion()),
            }
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            match &self.signatures {
                HandshakeSignatures::Verified(known) => verify_tls13_signature(message, certificate, signature, known),
                HandshakeSignatures::Unverified => Ok(HandshakeSignatureValid::assertion()),
            }
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            match &self.signatures {
                HandshakeSignatures::Verified(known) => known.supported_schemes(),
                HandshakeSignatures::Unverified => ALL_SCHEMES.to_vec(),
            }
        }
    };
}

impl<V: VerifyChain> ServerCertVerifier for Verifier<V> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.chain.verify_chain(end_entity, intermediates, now).map(|()| ServerCertVerified::assertion())
    }

    signature_methods!();
}

impl<V: VerifyClient> ClientCertVerifier for Verifier<V> {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.chain.verify_chain(end_entity, intermediates, now).map(|()| ClientCertVerified::assertion())
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.is_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.authorities()
    }

    signature_methods!();
}

/// Those of TLS 1.2 and 1.3 that anybody uses, the obsolete included.
const ALL_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
];
