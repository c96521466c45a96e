//! What a certificate says.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::decode_error::{in_words, why};
use super::extensions::{self, BasicConstraints, KeyUsage, NameConstraints, Purpose};
use super::hex::hexadecimal;
use super::names::CertificateNames;
use super::public_key::{Key, Signature};
use crate::words::{bounded, shown};

/// A certificate, decoded once.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub der: CertificateDer<'static>,
    pub names: CertificateNames,
    /// The issuer in one line.
    pub issuer: String,
    /// In hexadecimal, without leading zeros.
    pub serial: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970; the certificate is valid in this second still.
    pub not_after: i64,
    pub key: Key,
    pub signature: Signature,
    pub basic_constraints: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usage: Option<Vec<Purpose>>,
    pub subject_key_id: Option<Vec<u8>>,
    pub authority_key_id: Option<Vec<u8>>,
    pub name_constraints: Option<NameConstraints>,
    /// The server must staple an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// Names or numbers of critical extensions that clients do not know and therefore refuse (RFC 5280, section 4.2).
    pub unknown_critical: Vec<String>,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
}

/// The certificate cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl Certificate {
    /// Decodes a certificate.
    ///
    /// # Errors
    /// It is not DER, not an X.509 certificate, has bytes after its end, or an extension twice.
    pub fn decode(der: CertificateDer<'static>) -> Result<Self, DecodeError> {
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|wrong| DecodeError(why(&der, wrong.into())))?;
        if !rest.is_empty() {
            return Err(DecodeError(format!("{} bytes follow its end", rest.len())));
        }
        // An extension that is there twice is refused here (RFC 5280, section 4.2).
        parsed.extensions_map().map_err(|wrong| DecodeError(in_words(wrong)))?;
        Ok(Self {
            names: CertificateNames::of(&parsed).map_err(|wrong| DecodeError(in_words(wrong)))?,
            issuer: bounded(&parsed.issuer().to_string()).into_owned(),
            serial: hexadecimal(parsed.raw_serial()).trim_start_matches('0').to_owned(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: Key::of(&parsed),
            signature: Signature::of(&parsed.signature_algorithm.algorithm),
            basic_constraints: BasicConstraints::of(parsed.extensions()),
            key_usage: KeyUsage::of(parsed.extensions()),
            extended_key_usage: extensions::extended_key_usage(parsed.extensions()),
            subject_key_id: extensions::subject_key_id(parsed.extensions()),
            authority_key_id: extensions::authority_key_id(parsed.extensions()),
            name_constraints: NameConstraints::of(parsed.extensions()),
            must_staple: parsed.extensions().iter().any(extensions::is_must_staple),
            unknown_critical: extensions::unknown_critical(parsed.extensions()),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            der,
        })
    }

    /// Returns whether it says that it is an authority's.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Returns whether it is an authority's own and no server's: it may sign others and carries no server's name. One
    /// that may not sign is what `openssl req -x509` makes for a server.
    pub fn is_authority(&self) -> bool {
        let named = !(self.names.dns.is_empty() && self.names.ip.is_empty());
        self.is_ca() && !named && self.key_usage.is_some_and(|usage| usage.key_cert_sign)
    }

    /// Returns whether its subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// Returns whether `issuer`'s subject and key identifier are those that this certificate names. No signature is
    /// checked.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        let same_key = match (&self.authority_key_id, &issuer.subject_key_id) {
            (Some(wanted), Some(had)) => wanted == had,
            _ => true,
        };
        self.issuer_der == issuer.subject_der && same_key
    }

    /// Returns whether it names itself as its issuer, by name and key identifier, as roots do and servers' certificates
    /// that are their own authority. An authority's next key that its last one signed has the name alone. No signature
    /// is checked.
    pub fn names_itself(&self) -> bool {
        self.names_issuer(self)
    }

    /// Returns the subject's name in DER: equal exactly for names that clients take for equal.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// Returns the issuer's name in DER.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// Returns the days from `now` (seconds since 1970) to its end, rounded down; negative once it has ended.
    pub fn days_left(&self, now: i64) -> i64 {
        (self.not_after - now).div_euclid(86_400)
    }

    /// Returns what to call it in a message.
    pub fn title(&self) -> String {
        shown(&self.names.title())
    }

    /// Returns what to call its issuer in a message.
    pub fn issuer_title(&self) -> String {
        shown(&self.issuer)
    }

    /// Returns SHA-256 of the DER, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hexadecimal(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der).as_ref())
    }
}
