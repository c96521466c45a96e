//! The chain: is it in the file as it should be, and does it verify up to a trusted authority?
//!
//! rustls-webpki verifies, at a time when all certificates are valid and for whatever purpose, so that what the
//! families `validity` and `usage` report is not reported twice. Where no trusted authority is known, the chain is
//! verified up to its last certificate. Without anything to trust at all ([`Trust::anchors`](super::Trust) empty and
//! not given by the user) unknown issuers are not reported: every certificate would have one.

mod checks;
mod lint;
mod order;
mod path;
mod path_length;
mod unknown_issuer;
mod verification_error;
mod verify;
mod webpki_words;

pub(super) use checks::CHECKS;
pub(super) use lint::{EXPLAINS, lint};
pub(super) use path::Path;
