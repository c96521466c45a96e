//! Why a chain does not verify: errors of rustls-webpki in words.

use webpki::Error;

use crate::words::words_of;

/// Returns the reason in words, to follow "it does not verify:" or "it is not valid:".
pub fn chain_error(error: &Error) -> String {
    match error {
        Error::CertExpired { .. } => "a certificate has expired",
        Error::CertNotValidYet { .. } => "a certificate is not valid yet",
        Error::InvalidCertValidity => "a certificate ends before it begins",
        Error::CertRevoked => "a certificate was revoked",
        Error::UnknownIssuer => "it leads to no authority that is trusted",
        Error::InvalidSignatureForPublicKey => "the signature of a certificate is not its issuer's",
        Error::CaUsedAsEndEntity => "it is an authority's certificate (CA:TRUE), not a host's",
        Error::EndEntityUsedAsCa => "a certificate above it is no authority's (CA:FALSE)",
        Error::NameConstraintViolation => "an authority above it may not issue for its names (name constraints)",
        Error::PathLenConstraintViolated => "it has more authorities than one of them allows below itself (pathlen)",
        Error::RequiredEkuNotFoundContext(_) => "an extended key usage does not allow this use",
        Error::UnsupportedSignatureAlgorithmContext(_) => "rustls does not know a signature algorithm of it",
        Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature algorithm does not fit the issuer's key, or rustls does not know its curve"
        }
        Error::SignatureAlgorithmMismatch => "a certificate names two different algorithms for its signature",
        Error::UnsupportedCertVersion => "a certificate is not of X.509 version 3",
        Error::UnsupportedCriticalExtension => "rustls does not know a critical extension in it",
        Error::EmptyEkuExtension => "an extended key usage is empty",
        Error::CertDistrusted => "the key of a certificate is known to be compromised",
        Error::MaximumPathDepthExceeded => "it has more than 6 intermediate authorities",
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => "there are too many ways up to try",
        Error::MalformedNameConstraint | Error::InvalidNetworkMaskConstraint => {
            "the name constraints of an authority are malformed"
        }
        Error::MalformedDnsIdentifier => "a DNS name, or a name constraint for one, is malformed",
        Error::MalformedExtensions | Error::ExtensionValueInvalid => "an extension is malformed",
        Error::InvalidSerialNumber => "a serial number is malformed",
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => "a certificate is not well-formed DER",
        Error::UnknownRevocationStatus => {
            "no revocation list of an issuer is for the certificate and signed with the key that signed it"
        }
        other => return words_of(other),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        assert_eq!(chain_error(&Error::InvalidCrlNumber), "invalid crl number");
        assert_eq!(chain_error(&Error::UnsupportedCertVersion), "a certificate is not of X.509 version 3");
    }
}
