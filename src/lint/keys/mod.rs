//! Keys and signatures: can anybody else compute the private key or forge the signature, and does the key file that
//! stands with the certificate serve it?

mod file;
mod strength;
mod weak_keys;
mod weak_rsa;

pub use weak_keys::{WeakKeys, WeakKeysError};

use super::{Check, Finding, Subject};

pub(super) static CHECKS: &[&Check] = &[
    &file::KEY_MISMATCH,
    &file::KEY_ENCRYPTED,
    &file::KEY_UNUSABLE,
    &file::KEY_READABLE_BY_OTHERS,
    &strength::RSA_TOO_SHORT,
    &strength::RSA_EXPONENT_SMALL,
    &strength::KEY_ROCA,
    &strength::KEY_FERMAT,
    &strength::KEY_DEBIAN_WEAK,
    &strength::KEY_UNUSUAL,
    &strength::WEAK_SIGNATURE,
];

pub(super) fn lint(subject: &Subject, weak_keys: &WeakKeys) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(key) = &subject.key {
        file::lint(subject, key, &mut findings);
    }
    for located in subject.chain() {
        strength::lint(weak_keys, subject, located, &mut findings);
    }
    findings
}
