//! What rustls and rustls-webpki say went wrong with a peer, in words that people know.

use rustls::{CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved};

use crate::cert::chain_error;
use crate::words::words_of;

/// Returns what ended TLS, in words that follow "failed:".
pub(super) fn of_error(error: &Error) -> String {
    match error {
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "it sent a TLS message that belongs elsewhere in a connection".to_owned()
        }
        Error::InvalidMessage(flaw) => of_message(flaw),
        Error::PeerMisbehaved(flaw) => of_misbehaviour(flaw),
        Error::PeerIncompatible(flaw) => format!("it has {} in common", of_incompatibility(flaw)),
        Error::InvalidCertificate(flaw) => of_certificate(flaw),
        Error::DecryptError => {
            "what it sent cannot be decrypted: it was damaged on the way, or is not of this connection".to_owned()
        }
        Error::PeerSentOversizedRecord => TOO_LONG.to_owned(),
        Error::NoApplicationProtocol => "no application protocol in common".to_owned(),
        Error::Other(OtherError(other)) => other.to_string(),
        Error::General(text) => format!("pronk's TLS failed: {}", text.to_lowercase()),
        other => format!("pronk's TLS failed: {}", words_of(other)),
    }
}

/// Returns why a message cannot be read.
fn of_message(flaw: &InvalidMessage) -> String {
    use InvalidMessage as M;
    match flaw {
        M::MessageTooLarge => TOO_LONG.to_owned(),
        M::HandshakePayloadTooLarge => "it sent a handshake message of more than 64 KiB".to_owned(),
        M::CertificatePayloadTooLarge => "it sent a chain of certificates of more than 64 KiB".to_owned(),
        M::InvalidContentType => "it sent what is no TLS record".to_owned(),
        M::UnknownProtocolVersion => "it sent a record of a TLS version that there is not".to_owned(),
        M::InvalidEmptyPayload => "it sent an empty TLS record".to_owned(),
        M::MessageTooShort | M::MissingData(_) => "it sent a TLS message that is cut off".to_owned(),
        M::TrailingData(_) => "it sent a TLS message with bytes behind its end".to_owned(),
        M::InvalidServerName => "it sent a server name (SNI) that is none".to_owned(),
        M::DuplicateExtension(number) => format!("it sent the TLS extension {number} twice"),
        M::UnexpectedMessage(_) => "it sent a TLS message that belongs elsewhere in a connection".to_owned(),
        M::UnsupportedCompression => "it asks for compression, which is not served".to_owned(),
        M::UnsupportedCurveType | M::UnsupportedKeyExchangeAlgorithm(_) => {
            "it wants a key exchange that is not offered".to_owned()
        }
        M::NoSignatureSchemes => "it offers no signature scheme".to_owned(),
        other => format!("it sent a TLS message that is malformed ({})", words_of(other)),
    }
}

/// Returns which rule of TLS a peer broke.
fn of_misbehaviour(flaw: &PeerMisbehaved) -> String {
    use PeerMisbehaved as P;
    match flaw {
        P::ServerNameMustContainOneHostName => "it sent a server name (SNI) that is not one host name".to_owned(),
        P::AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "it takes TLS 1.2 and says that it can do 1.3: somebody between may lower the version".to_owned()
        }
        P::IncorrectBinder => "the session that it resumes is another one (a wrong binder)".to_owned(),
        P::TooManyRenegotiationRequests => "it asks again and again for renegotiation, which is not served".to_owned(),
        P::TooManyEmptyFragments => "it sent many empty TLS records in a row".to_owned(),
        P::TooManyKeyUpdateRequests => "it asks for new keys again and again".to_owned(),
        P::TooManyWarningAlertsReceived => "it sent many warnings in a row".to_owned(),
        P::SelectedUnofferedCipherSuite => "it chose a cipher suite that was not offered".to_owned(),
        P::SelectedUnofferedKxGroup => "it chose a key exchange that was not offered".to_owned(),
        other => format!("it broke a rule of TLS ({})", words_of(other)),
    }
}

/// Returns what client and server have not in common, in words that follow "has".
pub(super) fn of_incompatibility(flaw: &PeerIncompatible) -> String {
    use PeerIncompatible as P;
    match flaw {
        P::NoCipherSuitesInCommon => "no cipher suite",
        P::NoKxGroupsInCommon | P::NamedGroupsExtensionRequired | P::KeyShareExtensionRequired => {
            "no key exchange (group or curve)"
        }
        P::NoSignatureSchemesInCommon
        | P::NoCertificateRequestSignatureSchemesInCommon
        | P::SignatureAlgorithmsExtensionRequired => NO_SIGNATURE_SCHEME,
        P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled
        | P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired => "no TLS version",
        P::ExtendedMasterSecretExtensionRequired => "no extended master secret (of TLS 1.2)",
        P::NoEcPointFormatsInCommon | P::EcPointsExtensionRequired | P::UncompressedEcPointsRequired => {
            "no format of points on elliptic curves"
        }
        P::NullCompressionRequired => "no way without compression",
        other => return format!("not all that is needed ({})", words_of(other)),
    }
    .to_owned()
}

/// Returns why a certificate is refused, in words that follow "a certificate that is not valid:".
pub(super) fn of_certificate(flaw: &CertificateError) -> String {
    use CertificateError as E;
    match flaw {
        E::BadEncoding => "it is malformed".to_owned(),
        E::UnhandledCriticalExtension => "it has a critical extension that is unknown".to_owned(),
        E::UnknownRevocationStatus => "it is not known whether it was revoked".to_owned(),
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            "the revocation list of its issuer is past its date".to_owned()
        }
        E::BadSignature => "its signature is not its issuer's, or its key did not sign the handshake".to_owned(),
        E::UnsupportedSignatureAlgorithmContext { .. } | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is too weak or unknown".to_owned()
        }
        E::InvalidOcspResponse => "its OCSP response is malformed".to_owned(),
        E::Other(OtherError(other)) => match other.downcast_ref::<webpki::Error>() {
            Some(flaw) => chain_error(flaw),
            None => other.to_string(),
        },
        other => words_of(other),
    }
}

pub(super) const TOO_LONG: &str = "it sent a TLS record that is longer than any may be (16 KiB)";
pub(super) const NO_SIGNATURE_SCHEME: &str = "no signature scheme";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{CertRevocationListError, HandshakeType, InconsistentKeys};
    use rustls_pki_types::UnixTime;

    use super::*;

    /// Of every kind of error that a peer can cause, and a few that it cannot.
    fn errors() -> Vec<Error> {
        use {CertificateError as C, InvalidMessage as M, PeerIncompatible as I, PeerMisbehaved as P};
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1));
        let by_webpki = |error: webpki::Error| C::Other(OtherError(Arc::new(error)));
        let mut errors = vec![
            Error::InappropriateHandshakeMessage { expect_types: vec![], got_type: HandshakeType::Finished },
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::General("Bad DNS name".into()),
            Error::HandshakeNotComplete,
            Error::FailedToGetRandomBytes,
            Error::UnsupportedNameType,
            Error::InvalidCertRevocationList(CertRevocationListError::ParseError),
            Error::InconsistentKeys(InconsistentKeys::Unknown),
        ];
        errors.extend(
            [
                M::HandshakePayloadTooLarge,
                M::CertificatePayloadTooLarge,
                M::InvalidContentType,
                M::InvalidCcs,
                M::InvalidDhParams,
                M::InvalidEmptyPayload,
                M::InvalidServerName,
                M::MessageTooLarge,
                M::MessageTooShort,
                M::MissingData("CertificatePayloadTls13"),
                M::TrailingData("ClientHelloPayload"),
                M::UnexpectedMessage("ServerHello"),
                M::UnknownProtocolVersion,
                M::UnsupportedCompression,
                M::IllegalEmptyList("CipherSuites"),
                M::DuplicateExtension(13),
                M::PreSharedKeyIsNotFinalExtension,
            ]
            .map(Error::InvalidMessage),
        );
        errors.extend(
            [
                P::ServerNameMustContainOneHostName,
                P::AttemptedDowngradeToTls12WhenTls13IsSupported,
                P::IncorrectBinder,
                P::TooManyRenegotiationRequests,
                P::TooManyEmptyFragments,
                P::TooManyKeyUpdateRequests,
                P::TooManyWarningAlertsReceived,
                P::SelectedUnofferedCipherSuite,
                P::SelectedUnofferedKxGroup,
                P::IllegalTlsInnerPlaintext,
                P::UnsolicitedEchExtension,
            ]
            .map(Error::PeerMisbehaved),
        );
        errors.extend(
            [
                I::NoCipherSuitesInCommon,
                I::NoKxGroupsInCommon,
                I::NoSignatureSchemesInCommon,
                I::Tls12NotOfferedOrEnabled,
                I::ServerTlsVersionIsDisabledByOurConfig,
                I::ExtendedMasterSecretExtensionRequired,
                I::NoEcPointFormatsInCommon,
                I::NullCompressionRequired,
                I::ServerRejectedEncryptedClientHello(None),
            ]
            .map(Error::PeerIncompatible),
        );
        errors.extend(
            [
                C::BadEncoding,
                C::UnhandledCriticalExtension,
                C::UnknownRevocationStatus,
                C::ExpiredRevocationListContext { time, next_update: time },
                C::BadSignature,
                C::UnsupportedSignatureAlgorithmContext {
                    signature_algorithm_id: vec![6],
                    supported_algorithms: vec![],
                },
                C::InvalidOcspResponse,
                C::ApplicationVerificationFailure,
                by_webpki(webpki::Error::CaUsedAsEndEntity),
                by_webpki(webpki::Error::EndEntityUsedAsCa),
                by_webpki(webpki::Error::NameConstraintViolation),
                by_webpki(webpki::Error::PathLenConstraintViolated),
                by_webpki(webpki::Error::MaximumSignatureChecksExceeded),
                by_webpki(webpki::Error::MalformedExtensions),
                by_webpki(webpki::Error::TrailingData(webpki::DerTypeId::Certificate)),
                by_webpki(webpki::Error::UnsupportedCertVersion),
            ]
            .map(Error::InvalidCertificate),
        );
        errors
    }

    #[test]
    fn no_name_of_the_library_is_shown() {
        for error in errors() {
            let told = of_error(&error);
            let is_name = |word: &str| {
                word.chars()
                    .zip(word.chars().skip(1))
                    .any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
            };
            assert!(!told.replace("KiB", "").split_whitespace().any(is_name) && !told.contains("::"), "{told}");
            assert!(told.len() > 10 && !told.contains('{') && !told.contains("()"), "{told}");
        }
    }
}
