//! What a certificate says.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::decode_error::why;
use super::der::{self, BIT_STRING, SEQUENCE};
use super::distinguished_name::DistinguishedName;
use super::extensions::{self, AuthorityKey, BasicConstraints, KeyUsage, NameConstraints, Policies, Purpose};
use super::flaw::Flaw;
use super::general_name::GeneralName;
use super::hex::hexadecimal;
use super::names::CertificateNames;
use super::public_key::{Key, Signature};
use crate::model::Host;
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
    /// What it says of its issuer's key, if the extension is there.
    pub authority_key: Option<AuthorityKey>,
    pub name_constraints: Option<NameConstraints>,
    /// The server must staple an OCSP response (RFC 7633).
    pub must_staple: bool,
    /// Netscape's certificate type, its octet of bits.
    pub netscape_type: Option<u8>,
    pub policies: Option<Policies>,
    /// The extensions that are critical, in dotted numbers.
    pub critical: Vec<String>,
    /// From 1 to 3.
    pub version: u32,
    /// The contents of the serial number in DER.
    pub serial_number: Vec<u8>,
    pub subject: DistinguishedName,
    pub issuer_name: DistinguishedName,
    /// What some client cannot read.
    pub flaws: Vec<Flaw>,
}

/// The certificate cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl Certificate {
    /// Decodes a certificate, as far as any client does: [`Certificate::flaws`] has what some cannot read.
    ///
    /// # Errors
    /// It is not DER, or not an X.509 certificate.
    pub fn decode(der: CertificateDer<'static>) -> Result<Self, DecodeError> {
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|wrong| DecodeError(why(&der, wrong.into())))?;
        let whole = (!rest.is_empty()).then(|| CertificateDer::from(der[..der.len() - rest.len()].to_vec()));
        Ok(Self {
            flaws: Flaw::all_of(&parsed, &der, rest),
            names: CertificateNames::of(&parsed),
            issuer: bounded(&parsed.issuer().to_string()).into_owned(),
            serial: hexadecimal(parsed.raw_serial()).trim_start_matches('0').to_owned(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: Key::of(&parsed),
            signature: Signature::of(&parsed.signature_algorithm),
            basic_constraints: BasicConstraints::of(parsed.extensions()),
            key_usage: KeyUsage::of(parsed.extensions()),
            extended_key_usage: extensions::extended_key_usage(parsed.extensions()),
            subject_key_id: extensions::subject_key_id(parsed.extensions()),
            authority_key: extensions::authority_key(parsed.extensions()),
            name_constraints: NameConstraints::of(parsed.extensions()),
            must_staple: parsed.extensions().iter().any(extensions::is_must_staple),
            netscape_type: extensions::netscape_type(parsed.extensions()),
            policies: Policies::of(parsed.extensions()),
            critical: extensions::critical(parsed.extensions()),
            version: parsed.version().0 + 1,
            serial_number: parsed.raw_serial().to_vec(),
            subject: DistinguishedName::new(parsed.subject().as_raw()),
            issuer_name: DistinguishedName::new(parsed.issuer().as_raw()),
            der: whole.unwrap_or(der),
        })
    }

    /// Returns whether it says that it is an authority's.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Returns whether it is an authority's own and no server's: it may sign others and carries no server's name. One
    /// that may not sign is what `openssl req -x509` makes for a server.
    pub fn is_authority(&self) -> bool {
        self.is_ca() && !self.has_server_name() && self.key_usage.is_some_and(|usage| usage.key_cert_sign)
    }

    /// Returns whether it is meant for a server: it says nothing of signing certificates, or carries a server's name.
    pub fn is_for_server(&self) -> bool {
        let signs = self.is_ca() || self.key_usage.is_some_and(|usage| usage.key_cert_sign);
        !signs || self.has_server_name()
    }

    /// Returns whether it carries a server's name: among the alternative names, or as the common name of a key that may
    /// sign handshakes.
    fn has_server_name(&self) -> bool {
        let alternative = !(self.names.dns.is_empty() && self.names.ip.is_empty());
        let shakes_hands = self.key_usage.is_none_or(|usage| usage.digital_signature || usage.key_encipherment);
        let is_host = |name: &String| name.contains('.') && Host::parse(name).is_ok();
        alternative || (shakes_hands && self.names.common.iter().any(is_host))
    }

    /// Returns whether its subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject.der == self.issuer_name.der
    }

    /// Returns the key identifier that it names as its issuer's.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key.as_ref()?.id.as_deref()
    }

    /// Returns whether `issuer` has the subject that this certificate names as its issuer, and what its authority key
    /// identifier says of it: a key identifier, a serial number and an issuer (RFC 5280, section 4.2.1.1). No signature
    /// is checked.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        self.issuer_name.folds_as(&issuer.subject) && self.authority_key_fits(issuer)
    }

    /// Returns whether nothing in the authority key identifier contradicts `issuer`.
    pub fn authority_key_fits(&self, issuer: &Self) -> bool {
        let Some(named) = &self.authority_key else { return true };
        let differs = |named: &Option<Vec<u8>>, had: Option<&[u8]>| matches!((named, had), (Some(named), Some(had)) if named != had);
        let other_issuer =
            named.issuer.as_ref().is_some_and(|name| !DistinguishedName::new(name).folds_as(&issuer.issuer_name));
        !differs(&named.id, issuer.subject_key_id.as_deref())
            && !differs(&named.serial, Some(&issuer.serial_number))
            && !other_issuer
    }

    /// Returns whether it names itself as its issuer, by name and key identifier, as roots do and servers' certificates
    /// that are their own authority. An authority's next key that its last one signed has the name alone. No signature
    /// is checked.
    pub fn names_itself(&self) -> bool {
        self.names_issuer(self)
    }

    /// Returns the subject's name in DER.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject.der
    }

    /// Returns the issuer's name in DER.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_name.der
    }

    /// Returns every alternative name, of whatever kind.
    pub fn alternative_names(&self) -> Vec<GeneralName> {
        GeneralName::alternatives(&self.der)
    }

    /// Returns whether an extension is there and critical, by its dotted number.
    pub fn is_critical(&self, number: &str) -> bool {
        self.critical.iter().any(|critical| critical == number)
    }

    /// Returns what is signed, the contents of the algorithm's identifier, and the signature.
    pub fn signed(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let parts = der::inside(&self.der, SEQUENCE)?;
        let [body, algorithm, signature] = parts[..] else { return None };
        let bits = (signature.tag == BIT_STRING).then_some(signature.contents)?;
        Some((body.whole, algorithm.contents, bits.get(1..)?))
    }

    /// Returns a flaw for which the certificate means one thing to some and another to others, so that nothing should be
    /// served or trusted by it: an extension twice, alternative names that cannot be decoded.
    pub fn ambiguity(&self) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| match flaw {
            Flaw::Doubled(_) => true,
            Flaw::Unreadable(extension) => extension.number == ALTERNATIVE_NAME,
            _ => false,
        })
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

const ALTERNATIVE_NAME: &str = "2.5.29.17";
