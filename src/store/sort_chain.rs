//! The order of the certificates that are imported: from the one that signed the server's own up to the root.

use x509_parser::error::X509Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::cert::Certificate;

/// Takes from `pool` the certificates that lead from `leaf` upward, in order; the root is returned apart.
pub(super) fn order(leaf: &Certificate, pool: &mut Vec<Certificate>) -> (Vec<Certificate>, Option<Certificate>) {
    let mut chain = Vec::new();
    let mut below = leaf.clone();
    while !below.is_self_issued() {
        let Some(at) = pool.iter().position(|above| below.names_issuer(above) && is_signed_by(&below, above)) else {
            break;
        };
        let above = pool.remove(at);
        if above.is_self_issued() {
            return (chain, Some(above));
        }
        below = above.clone();
        chain.push(above);
    }
    (chain, None)
}

/// Returns whether `above` signed `below`. A signature of a kind that the library does not know is left for clients to
/// judge.
fn is_signed_by(below: &Certificate, above: &Certificate) -> bool {
    match (X509Certificate::from_der(&below.der), X509Certificate::from_der(&above.der)) {
        (Ok((_, below)), Ok((_, above))) => {
            !matches!(below.verify_signature(Some(above.public_key())), Err(X509Error::SignatureVerificationError))
        }
        _ => false,
    }
}
