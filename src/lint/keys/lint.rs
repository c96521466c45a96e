//! The checks of keys and signatures, one after the other.

use super::weak_keys::WeakKeys;
use super::{file, strength};
use crate::lint::{Check, Finding, Subject};

pub(in crate::lint) static CHECKS: &[&Check] = &[
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

pub(in crate::lint) fn lint(subject: &Subject, weak_keys: &WeakKeys) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(key) = &subject.key {
        file::lint(subject, key, &mut findings);
    }
    for located in subject.chain() {
        strength::lint(weak_keys, subject, located, &mut findings);
    }
    findings
}
