//! Whether an issuer's key made a signature, verified once for all verifiers.

use aws_lc_rs::signature::{
    ECDSA_P256K1_SHA256_ASN1, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
    VerificationAlgorithm,
};

use crate::cert::{Certificate, KeyKind};
use crate::lint::signature_cache::SignatureCache;

/// What came of verifying a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Checked {
    Good,
    Bad,
    /// No algorithm here verifies it.
    Unknown,
}

/// Verifies signatures, each once.
pub(in crate::lint) struct Signatures(SignatureCache);

impl Signatures {
    pub(in crate::lint) fn new() -> Self {
        Self(SignatureCache::new())
    }

    pub(in crate::lint) fn cache(&self) -> &SignatureCache {
        &self.0
    }

    /// Returns whether the key of `issuer` made the signature of `certificate`.
    pub(in crate::lint) fn check(&self, certificate: &Certificate, issuer: &Certificate) -> Checked {
        let (Some((message, identifier, signature)), Some((of_key, key))) = (certificate.signed(), issuer.key.parts())
        else {
            return Checked::Unknown;
        };
        // A key for PSS alone is an RSA key.
        let of_key = if issuer.key.is_for_pss_alone { RSA_ENCRYPTION } else { of_key };
        let known = self.0.algorithms().into_iter().find(|algorithm| {
            algorithm.signature_alg_id().as_ref() == identifier && algorithm.public_key_alg_id().as_ref() == of_key
        });
        let verified = match (known, older(certificate, issuer)) {
            (Some(algorithm), _) if !is_short(issuer) => algorithm.verify_signature(key, message, signature).is_ok(),
            (_, Some(algorithm)) => UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok(),
            _ => return Checked::Unknown,
        };
        if verified { Checked::Good } else { Checked::Bad }
    }

    /// Returns whether rustls-webpki has an algorithm for the signature and the issuer's key.
    pub(super) fn is_known_to_webpki(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let (Some((_, identifier, _)), Some((of_key, _))) = (certificate.signed(), issuer.key.parts()) else {
            return false;
        };
        !issuer.key.has_explicit_curve
            && self.0.algorithms().into_iter().any(|algorithm| {
                algorithm.signature_alg_id().as_ref() == identifier && algorithm.public_key_alg_id().as_ref() == of_key
            })
    }
}

/// The contents of the identifier rsaEncryption.
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Returns whether an RSA key is too short for rustls-webpki's algorithms.
fn is_short(issuer: &Certificate) -> bool {
    matches!(issuer.key.kind, KeyKind::Rsa { bits, .. } if bits < 2048)
}

/// Returns an algorithm that rustls-webpki has not got.
fn older(certificate: &Certificate, issuer: &Certificate) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (certificate.signature.number.as_str(), &issuer.key.kind) {
        ("1.2.840.113549.1.1.5", KeyKind::Rsa { .. }) => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.11", KeyKind::Rsa { .. }) => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.13", KeyKind::Rsa { .. }) => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        ("1.2.840.10045.4.3.2", KeyKind::Ec(curve)) if curve == "secp256k1" => &ECDSA_P256K1_SHA256_ASN1,
        _ => return None,
    })
}
