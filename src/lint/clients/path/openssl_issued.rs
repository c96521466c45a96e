//! What OpenSSL takes for issued and for self-signed, and what differs between programs that use it.

use super::facts::key_makes_signature_named_inside;
use super::reading::is_invalid_in_openssl;
use crate::cert::Certificate;

/// What differs between programs that use OpenSSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    /// `X509_V_FLAG_X509_STRICT`.
    pub(super) strict: bool,
    /// `X509_V_FLAG_PARTIAL_CHAIN`: what is trusted need not be self-signed.
    pub(super) partial: bool,
    /// The ciphers that are offered let a server have a DSA key.
    pub(super) takes_dsa: bool,
}

/// Returns whether names, key identifiers and kinds of keys say that `issuer` issued `below` (`ossl_x509_likely_issued`).
pub(super) fn is_issued(below: &Certificate, issuer: &Certificate) -> bool {
    below.names_issuer(issuer)
        && key_makes_signature_named_inside(issuer, below)
        && !is_invalid_in_openssl(issuer)
        && !is_invalid_in_openssl(below)
}

pub(super) fn is_self_signed(certificate: &Certificate) -> bool {
    is_issued(certificate, certificate)
}
