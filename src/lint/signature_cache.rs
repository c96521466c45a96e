//! A cache of verified signatures: thousands of chains share their intermediates, and every certificate of an authority
//! its revocation list.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::cert::signature_algorithms;

/// The signature algorithms of TLS with one cache of outcomes. Lists and certificates must not move in its
/// lifetime.
pub(super) struct SignatureCache(Vec<Cached>);

#[derive(Debug)]
struct Cached {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    outcomes: Arc<Mutex<HashMap<SignatureId, Result<(), InvalidSignature>>>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SignatureId {
    /// SHA-256 of algorithm, public key and signature; and of the message, unless it is long.
    digest: Vec<u8>,
    /// The address and the length of a long message.
    address: Option<(usize, usize)>,
}

impl SignatureCache {
    pub(super) fn new() -> Self {
        let outcomes = Arc::default();
        let cached = |algorithm: &&'static dyn SignatureVerificationAlgorithm| Cached {
            algorithm: *algorithm,
            outcomes: Arc::clone(&outcomes),
        };
        Self(signature_algorithms().iter().map(cached).collect())
    }

    pub(super) fn algorithms(&self) -> Vec<&dyn SignatureVerificationAlgorithm> {
        self.0.iter().map(|it| it as &dyn SignatureVerificationAlgorithm).collect()
    }
}

impl SignatureVerificationAlgorithm for Cached {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = SignatureId::of(self.algorithm, public_key, message, signature);
        let lock = || self.outcomes.lock();
        if let Some(outcome) = lock().get(&key) {
            return *outcome;
        }
        let outcome = self.algorithm.verify_signature(public_key, message, signature);
        lock().insert(key, outcome);
        outcome
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

impl SignatureId {
    fn of(algorithm: &dyn SignatureVerificationAlgorithm, public_key: &[u8], message: &[u8], signature: &[u8]) -> Self {
        let long = message.len() > LONGEST_CERTIFICATE;
        let mut digest = Context::new(&SHA256);
        let (of_key, of_signature) = (algorithm.public_key_alg_id(), algorithm.signature_alg_id());
        let short: &[u8] = if long { &[] } else { message };
        for part in [of_key.as_ref(), of_signature.as_ref(), public_key, signature, short] {
            // With its length, so that no two lists of parts are the same bytes.
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        }
        let address = long.then(|| (message.as_ptr().addr(), message.len()));
        Self { digest: digest.finish().as_ref().to_vec(), address }
    }
}

/// Bytes; rustls-webpki takes none that is longer. To digest a list of megabytes costs more than to verify it.
const LONGEST_CERTIFICATE: usize = 0xffff;
