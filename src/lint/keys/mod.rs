//! Keys and signatures: can anybody else compute the private key or forge the signature, and does the key file beside
//! the certificate belong to it?

mod file;
mod lint;
mod strength;
mod weak_keys;
mod weak_rsa;

pub use weak_keys::{WeakKeys, WeakKeysError};

pub(super) use lint::{CHECKS, lint};
pub(super) use strength::{KEY_UNUSUAL, RSA_TOO_SHORT, WEAK_SIGNATURE};
