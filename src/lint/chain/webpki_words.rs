//! Why a chain does not verify, with its signature algorithms where they are the reason.

use webpki::Error;

use super::path::Path;
use crate::cert::chain_error;

/// Returns the reason in words, to follow "it does not verify:".
pub(super) fn reason(error: &Error, path: &Path<'_>) -> String {
    let algorithms = || {
        let mut names: Vec<_> = path.steps.iter().map(|it| it.certificate.signature.name.as_str()).collect();
        names.dedup();
        names.join(", ")
    };
    let reason = chain_error(error);
    match error {
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            format!("{reason} ({})", algorithms())
        }
        _ => reason,
    }
}
