//! The algorithms that verify the signatures of certificates and revocation lists.

use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::SignatureVerificationAlgorithm;

/// Returns the algorithms of rustls's provider with aws-lc, so that the linter verifies what TLS verifies. The list of
/// rustls-webpki itself begins with those of ring, which differ: they refuse compressed keys on P-256 and P-384.
pub fn signature_algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    default_provider().signature_verification_algorithms.all
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    use rustls_pki_types::alg_id;

    use super::*;

    /// The first that fits decides.
    #[test]
    fn compressed_keys_verify_as_others_do() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
        let whole = pair.public_key().as_ref();
        let compressed = [&[2 + (whole[64] & 1)], &whole[1..33]].concat();
        let fits = |it: &&&'static dyn SignatureVerificationAlgorithm| {
            it.public_key_alg_id() == alg_id::ECDSA_P256 && it.signature_alg_id() == alg_id::ECDSA_SHA256
        };
        let algorithm = signature_algorithms().iter().find(fits).unwrap();
        for key in [whole, &compressed] {
            assert!(algorithm.verify_signature(key, b"message", signature.as_ref()).is_ok());
            assert!(algorithm.verify_signature(key, b"another", signature.as_ref()).is_err());
        }
    }
}
