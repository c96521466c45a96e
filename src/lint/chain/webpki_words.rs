//! Errors of rustls-webpki in words.

use webpki::Error;

use super::path::Path;

/// Returns the reason in words, to follow "it does not verify:".
pub(super) fn reason(error: &Error, path: &Path<'_>) -> String {
    let algorithms = || {
        let mut names: Vec<_> = path.steps.iter().map(|it| it.certificate.signature.name.as_str()).collect();
        names.dedup();
        names.join(", ")
    };
    match error {
        Error::UnsupportedSignatureAlgorithmContext(_) => {
            format!("rustls does not know a signature algorithm of it ({})", algorithms())
        }
        Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            format!(
                "a signature algorithm does not fit the issuer's key, or rustls does not know its curve ({})",
                algorithms()
            )
        }
        Error::SignatureAlgorithmMismatch => "a certificate names two different algorithms for its signature".into(),
        Error::UnsupportedCertVersion => "a certificate is not of X.509 version 3".into(),
        Error::UnsupportedCriticalExtension => "rustls does not know a critical extension in it".into(),
        Error::EmptyEkuExtension => "an extended key usage is empty".into(),
        Error::CertDistrusted => "the key of a certificate is known to be compromised".into(),
        Error::MaximumPathDepthExceeded => "it has more than 6 intermediate authorities".into(),
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => "there are too many ways up to try".into(),
        Error::MalformedNameConstraint | Error::InvalidNetworkMaskConstraint => {
            "the name constraints of an authority are malformed".into()
        }
        Error::MalformedDnsIdentifier => "a DNS name, or a name constraint for one, is malformed".into(),
        Error::MalformedExtensions | Error::ExtensionValueInvalid => "an extension is malformed".into(),
        Error::InvalidSerialNumber => "a serial number is malformed".into(),
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => "a certificate is not well-formed DER".into(),
        Error::UnknownRevocationStatus => {
            "no revocation list of an issuer is for the certificate and signed with the key that signed it".into()
        }
        other => other.to_string(),
    }
}
