//! What a certificate says.

use std::fmt;

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{self, Oid, OidRegistry};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::escape::shown;
use super::names::{CertificateNames, hexadecimal};

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

/// The public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub kind: KeyKind,
    /// SubjectPublicKeyInfo in DER: equal exactly for equal keys.
    pub spki: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Rsa {
        bits: usize,
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// On a curve of this name, such as `P-256`.
    Ec(String),
    Ed25519,
    Other(String),
}

/// How the issuer signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Such as `sha256WithRSAEncryption`, or a dotted number.
    pub name: String,
    pub hash_is_broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    pub critical: bool,
    pub ca: bool,
    /// Certificates of authorities that may stand below this one.
    pub path_len: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    pub critical: bool,
    pub digital_signature: bool,
    pub key_encipherment: bool,
    pub key_agreement: bool,
    pub key_cert_sign: bool,
    pub crl_sign: bool,
}

/// A purpose of the extended key usage extension (RFC 5280, section 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    ServerAuth,
    ClientAuth,
    Any,
    /// A name or a dotted number.
    Other(String),
}

/// The subtrees of names below an authority, in words: `DNS:.corp.example`, `IP:0a000000/ff000000`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    pub critical: bool,
    pub permitted: Vec<String>,
    pub excluded: Vec<String>,
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
        let error = |detail: String| DecodeError(detail);
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|wrong| error(wrong.to_string()))?;
        if !rest.is_empty() {
            return Err(error(format!("{} bytes follow its end", rest.len())));
        }
        // An extension that stands twice is refused here (RFC 5280, section 4.2).
        parsed.extensions_map().map_err(|wrong| error(wrong.to_string()))?;
        let names = CertificateNames::of(&parsed).map_err(|wrong| error(wrong.to_string()))?;
        let mut certificate = Self {
            names,
            issuer: parsed.issuer().to_string(),
            serial: hexadecimal(parsed.raw_serial()).trim_start_matches('0').to_owned(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: Key::of(&parsed),
            signature: Signature::of(&parsed.signature_algorithm.algorithm),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_key_id: None,
            authority_key_id: None,
            name_constraints: None,
            must_staple: false,
            unknown_critical: Vec::new(),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            der: CertificateDer::from(Vec::new()),
        };
        certificate.read_extensions(&parsed);
        certificate.der = der;
        Ok(certificate)
    }

    fn read_extensions(&mut self, parsed: &X509Certificate<'_>) {
        for extension in parsed.extensions() {
            let critical = extension.critical;
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(value) => {
                    let path_len = value.path_len_constraint;
                    self.basic_constraints = Some(BasicConstraints { critical, ca: value.ca, path_len });
                }
                ParsedExtension::KeyUsage(value) => {
                    self.key_usage = Some(KeyUsage {
                        critical,
                        digital_signature: value.digital_signature(),
                        key_encipherment: value.key_encipherment(),
                        key_agreement: value.key_agreement(),
                        key_cert_sign: value.key_cert_sign(),
                        crl_sign: value.crl_sign(),
                    });
                }
                ParsedExtension::ExtendedKeyUsage(value) => {
                    let known = [
                        (value.server_auth, Purpose::ServerAuth),
                        (value.client_auth, Purpose::ClientAuth),
                        (value.any, Purpose::Any),
                        (value.code_signing, Purpose::Other("code signing".into())),
                        (value.email_protection, Purpose::Other("e-mail protection".into())),
                        (value.time_stamping, Purpose::Other("time stamping".into())),
                        (value.ocsp_signing, Purpose::Other("OCSP signing".into())),
                    ];
                    let known = known.into_iter().filter(|(is, _)| *is).map(|(_, purpose)| purpose);
                    let others = value.other.iter().map(|oid| Purpose::Other(oid.to_id_string()));
                    self.extended_key_usage = Some(known.chain(others).collect());
                }
                ParsedExtension::SubjectKeyIdentifier(value) => self.subject_key_id = Some(value.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(value) => {
                    self.authority_key_id = value.key_identifier.as_ref().map(|it| it.0.to_vec());
                }
                ParsedExtension::NameConstraints(value) => {
                    let words = |trees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
                        trees.iter().flatten().map(|tree| subtree(&tree.base)).collect()
                    };
                    self.name_constraints = Some(NameConstraints {
                        critical,
                        permitted: words(&value.permitted_subtrees),
                        excluded: words(&value.excluded_subtrees),
                    });
                }
                ParsedExtension::SubjectAlternativeName(_) => {}
                _ if extension.oid.to_id_string() == MUST_STAPLE => self.must_staple = true,
                _ if critical && !KNOWN_TO_CLIENTS.contains(&extension.oid.to_id_string().as_str()) => {
                    self.unknown_critical.push(oid_name(&extension.oid));
                }
                _ => {}
            }
        }
    }

    /// Whether it says that it is an authority's.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether it is an authority's own and no server's: it may sign others and carries no server's name. One that may
    /// not sign is what `openssl req -x509` makes for a server.
    pub fn is_authority(&self) -> bool {
        let named = !(self.names.dns.is_empty() && self.names.ip.is_empty());
        self.is_ca() && !named && self.key_usage.is_some_and(|usage| usage.key_cert_sign)
    }

    /// Whether its subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// Whether `issuer`'s subject and key identifier are those that this certificate names. No signature is checked.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        let same_key = match (&self.authority_key_id, &issuer.subject_key_id) {
            (Some(wanted), Some(had)) => wanted == had,
            _ => true,
        };
        self.issuer_der == issuer.subject_der && same_key
    }

    /// Whether it names itself as its issuer, by name and key identifier, as roots do and servers' certificates that are
    /// their own authority. An authority's next key that its last one signed has the name alone. No signature is checked.
    pub fn names_itself(&self) -> bool {
        self.names_issuer(self)
    }

    /// The subject's name in DER: equal exactly for names that clients take for equal.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The issuer's name in DER.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// Days from `now` (seconds since 1970) to its end, rounded down; negative once it has ended.
    pub fn days_left(&self, now: i64) -> i64 {
        (self.not_after - now).div_euclid(86_400)
    }

    /// What to call it in a message.
    pub fn title(&self) -> String {
        shown(&self.names.title())
    }

    /// What to call its issuer in a message.
    pub fn issuer_title(&self) -> String {
        shown(&self.issuer)
    }

    /// SHA-256 of the DER, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hexadecimal(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der).as_ref())
    }
}

impl Key {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let info = certificate.public_key();
        let algorithm = &info.algorithm.algorithm;
        let kind = match info.parsed() {
            Ok(PublicKey::RSA(key)) => {
                let modulus = without_leading_zeros(key.modulus);
                let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
                KeyKind::Rsa { bits, modulus: modulus.to_vec(), exponent: without_leading_zeros(key.exponent).to_vec() }
            }
            Ok(PublicKey::EC(_)) => {
                let curve = info.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
                KeyKind::Ec(curve.map_or_else(|| "of an unnamed curve".into(), |oid| curve_name(&oid)))
            }
            _ if *algorithm == oid_registry::OID_SIG_ED25519 => KeyKind::Ed25519,
            _ => KeyKind::Other(oid_name(algorithm)),
        };
        Self { kind, spki: info.raw.to_vec() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            KeyKind::Rsa { bits, .. } => write!(f, "RSA {bits}"),
            KeyKind::Ec(curve) => write!(f, "ECDSA {curve}"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::Other(name) => f.write_str(name),
        }
    }
}

impl Signature {
    fn of(oid: &Oid<'_>) -> Self {
        Self { name: oid_name(oid), hash_is_broken: BROKEN.contains(&oid.to_id_string().as_str()) }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerAuth => "TLS Web Server Authentication",
            Self::ClientAuth => "TLS Web Client Authentication",
            Self::Any => "Any Extended Key Usage",
            Self::Other(name) => name,
        })
    }
}

fn subtree(base: &GeneralName<'_>) -> String {
    match base {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::IPAddress(octets) => {
            let (address, mask) = octets.split_at(octets.len() / 2);
            format!("IP:{}/{}", hexadecimal(address), hexadecimal(mask))
        }
        other => other.to_string(),
    }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

fn oid_name(oid: &Oid<'_>) -> String {
    static REGISTRY: std::sync::LazyLock<OidRegistry<'static>> =
        std::sync::LazyLock::new(|| OidRegistry::default().with_all_crypto().with_x509());
    REGISTRY.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}

fn curve_name(oid: &Oid<'_>) -> String {
    match oid.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" => "P-256".into(),
        "1.3.132.0.34" => "P-384".into(),
        "1.3.132.0.35" => "P-521".into(),
        "1.3.132.0.10" => "secp256k1".into(),
        other => other.into(),
    }
}

/// Signatures over MD2, MD4, MD5 or SHA-1.
const BROKEN: &[&str] = &[
    "1.2.840.113549.1.1.2", // md2WithRSAEncryption
    "1.2.840.113549.1.1.3", // md4WithRSAEncryption
    "1.2.840.113549.1.1.4", // md5WithRSAEncryption
    "1.2.840.113549.1.1.5", // sha1WithRSAEncryption
    "1.3.14.3.2.25",        // md5WithRSASignature
    "1.3.14.3.2.29",        // sha1WithRSASignature
    "1.2.840.10040.4.3",    // dsa-with-sha1
    "1.2.840.10045.4.1",    // ecdsa-with-SHA1
];
/// id-pe-tlsfeature (RFC 7633).
const MUST_STAPLE: &str = "1.3.6.1.5.5.7.1.24";
/// Critical extensions that Java, OpenSSL and webpki take beyond those decoded above.
const KNOWN_TO_CLIENTS: &[&str] = &[
    "2.5.29.32", // certificatePolicies
    "2.5.29.33", // policyMappings
    "2.5.29.36", // policyConstraints
    "2.5.29.54", // inhibitAnyPolicy
    "2.5.29.31", // cRLDistributionPoints
];
