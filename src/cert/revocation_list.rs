//! Which revocation lists clients can be verified against.

use webpki::{Error, OwnedCertRevocationList};

use super::der::{self, INTEGER};
use super::kind::{self, Kind};

/// Returns why rustls does not take a list; none if it does.
pub fn flaw(der: &[u8]) -> Option<String> {
    let error = OwnedCertRevocationList::from_der(der).err()?;
    if is_version_1(der) == Some(true) {
        return Some(VERSION_1.into());
    }
    Some(match error {
        Error::UnsupportedDeltaCrl => "it is a delta list, which says only what changed; take the whole list".into(),
        Error::UnsupportedIndirectCrl => "it is an indirect list, of several issuers".into(),
        Error::UnsupportedCrlVersion => "it is of a version that is unknown".into(),
        Error::UnsupportedCriticalExtension => "it has a critical extension that is unknown".into(),
        Error::UnsupportedRevocationReasonsPartitioning => "it covers some reasons only".into(),
        Error::UnsupportedRevocationReason => "it gives a reason of revocation that is unknown".into(),
        _ => match kind::of_der(der) {
            Some(Kind::RevocationList) => "it is not well-formed".into(),
            Some(kind) => format!("it is {kind}"),
            None => "it is no revocation list, or is cut off".into(),
        },
    })
}

/// A list of version 1 has no number of its version.
fn is_version_1(der: &[u8]) -> Option<bool> {
    let (list, _) = der::first(der).filter(|_| kind::of_der(der) == Some(Kind::RevocationList))?;
    let (body, _) = der::first(list.contents)?;
    der::first(body.contents).map(|(first, _)| first.tag != INTEGER)
}

/// OpenSSL writes version 1 unless its configuration says otherwise.
const VERSION_1: &str = "it is of version 1, and only version 2 (RFC 5280) is taken; with `crl_extensions = crl_ext` in \
                         its section, or `-crlexts crl_ext`, `openssl ca -gencrl` writes version 2";
