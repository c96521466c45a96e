//! Keys that sign handshakes.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::SigningKey;
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::ec_point::with_named_curve;

/// Returns a key as rustls signs with it, also of a curve that is spelled out.
///
/// # Errors
/// It is malformed, or of a kind that TLS servers do not use.
pub(super) fn signing_key(key: &PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
    any_supported_type(key).or_else(|error| {
        let named = Zeroizing::new(with_named_curve(key).ok_or(error)?);
        any_supported_type(&named)
    })
}
