//! Why a certificate cannot be decoded, in words instead of the parser's own.

use x509_parser::error::X509Error;

use super::der;
use super::kind::{self, Kind};

/// Returns why bytes are no certificate: what they are instead, where they are cut off, or which part is malformed.
pub(super) fn why(der: &[u8], error: X509Error) -> String {
    match (der::header(der), kind::of_der(der)) {
        (Some((der::SEQUENCE, header, Some(length))), _) if der.len() < header + length => {
            format!("it is cut off after {} of {} bytes", der.len(), header + length)
        }
        (Some((der::SEQUENCE, _, None)), _) => "it is in BER, and certificates are in DER".to_owned(),
        (_, Some(kind)) if kind != Kind::Certificate => format!("it is {kind}"),
        (Some((der::SEQUENCE, _, Some(_))), Some(_)) => in_words(error),
        _ => "it is no X.509 certificate".to_owned(),
    }
}

/// Returns a parser's verdict in words.
fn in_words(error: X509Error) -> String {
    use X509Error as E;
    let part = match error {
        E::InvalidVersion => "version",
        E::InvalidSerial => "serial number",
        E::InvalidAlgorithmIdentifier => "signature algorithm",
        E::InvalidX509Name => "subject or issuer",
        E::InvalidDate => "validity",
        E::InvalidSPKI => "public key",
        E::InvalidSubjectUID | E::InvalidIssuerUID => "unique identifier",
        E::InvalidExtensions => "list of extensions",
        E::InvalidSignatureValue => "signature",
        _ => return "it is not well-formed: an element in it does not fit into the one around it".to_owned(),
    };
    format!("its {part} is malformed")
}
