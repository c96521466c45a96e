//! Signatures that were verified once need not be verified again: thousands of chains share their intermediates, and a
//! revocation list stands behind every certificate of its authority.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use webpki::ALL_VERIFICATION_ALGS;

/// All algorithms of rustls-webpki, with one memory. Lists and certificates must stay where they are in its lifetime.
pub(super) struct Signatures(Vec<Remembering>);

#[derive(Debug)]
struct Remembering {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    outcomes: Arc<Mutex<HashMap<Key, Result<(), InvalidSignature>>>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    /// SHA-256 of algorithm, public key and signature; and of the message, unless it is long.
    digest: Vec<u8>,
    /// Where a long message lies, and its length.
    place: Option<(usize, usize)>,
}

impl Signatures {
    pub(super) fn new() -> Self {
        let outcomes = Arc::default();
        let remembering = |algorithm: &&'static dyn SignatureVerificationAlgorithm| Remembering {
            algorithm: *algorithm,
            outcomes: Arc::clone(&outcomes),
        };
        Self(ALL_VERIFICATION_ALGS.iter().map(remembering).collect())
    }

    pub(super) fn algorithms(&self) -> Vec<&dyn SignatureVerificationAlgorithm> {
        self.0.iter().map(|it| it as &dyn SignatureVerificationAlgorithm).collect()
    }
}

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = Key::of(self.algorithm, public_key, message, signature);
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

impl Key {
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
        let place = long.then(|| (message.as_ptr().addr(), message.len()));
        Self { digest: digest.finish().as_ref().to_vec(), place }
    }
}

/// Bytes; rustls-webpki takes none that is longer. To digest a list of megabytes costs more than to verify it.
const LONGEST_CERTIFICATE: usize = 0xffff;
