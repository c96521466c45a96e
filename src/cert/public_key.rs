//! The public key and the kind of signature of a certificate.

use std::fmt;

use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::AlgorithmIdentifier;

use super::der::{self, BIT_STRING, CONTEXT_0, OID, SEQUENCE, dotted};
use super::ec_point::{canonical, curve_spelled_out_in};
use super::oid::oid_name;

/// The public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub kind: KeyKind,
    /// SubjectPublicKeyInfo in DER, with the curve's name and both coordinates: equal exactly for equal keys.
    pub spki: Vec<u8>,
    /// The curve is given by its parameters instead of its name.
    pub has_explicit_curve: bool,
    /// An RSA key that may make PSS signatures alone (RFC 4055, section 1.2).
    pub is_for_pss_alone: bool,
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
    /// The algorithm in dotted numbers.
    pub number: String,
    /// Such as `sha256WithRSAEncryption`, or a dotted number.
    pub name: String,
    pub hash_is_broken: bool,
}

impl Key {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let info = certificate.public_key();
        let algorithm = &info.algorithm.algorithm;
        let is_for_pss_alone = algorithm.as_bytes() == RSASSA_PSS;
        let mut has_explicit_curve = false;
        let kind = match info.parsed() {
            Ok(PublicKey::RSA(key)) => rsa(key.modulus, key.exponent),
            Ok(PublicKey::EC(_)) => {
                let curve = info.algorithm.parameters.as_ref().filter(|it| it.tag().0 == u32::from(OID));
                let curve = curve.and_then(|it| it.as_oid().ok());
                KeyKind::Ec(match curve {
                    Some(oid) => curve_name(&oid.to_id_string()),
                    None => {
                        has_explicit_curve = true;
                        match curve_spelled_out_in(info.raw) {
                            Some(oid) => format!("{} with its parameters spelled out", curve_name(&dotted(oid))),
                            None => "of an unnamed curve".into(),
                        }
                    }
                })
            }
            _ if *algorithm == oid_registry::OID_SIG_ED25519 => KeyKind::Ed25519,
            _ => match der::inside(&info.subject_public_key.data, SEQUENCE).as_deref() {
                Some([modulus, exponent]) if is_for_pss_alone => rsa(modulus.contents, exponent.contents),
                _ => KeyKind::Other(oid_name(algorithm)),
            },
        };
        Self { kind, spki: canonical(info.raw), has_explicit_curve, is_for_pss_alone }
    }

    /// Returns the contents of the algorithm's identifier, and the key's own octets.
    pub fn parts(&self) -> Option<(&[u8], &[u8])> {
        let parts = der::inside(&self.spki, SEQUENCE)?;
        let [algorithm, key] = parts[..] else { return None };
        Some((algorithm.contents, (key.tag == BIT_STRING).then_some(key.contents)?.get(1..)?))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            KeyKind::Rsa { bits, .. } if self.is_for_pss_alone => write!(f, "RSA {bits} for PSS alone"),
            KeyKind::Rsa { bits, .. } => write!(f, "RSA {bits}"),
            KeyKind::Ec(curve) => write!(f, "ECDSA {curve}"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::Other(name) => f.write_str(name),
        }
    }
}

impl Signature {
    pub(super) fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let number = identifier.algorithm.to_id_string();
        let name = oid_name(&identifier.algorithm);
        if identifier.algorithm.as_bytes() == RSASSA_PSS {
            let hash = pss_hash(identifier);
            let is_sha1 = hash.as_deref().is_none_or(|hash| hash == "1.3.14.3.2.26");
            let name = if is_sha1 { format!("{name} over SHA-1") } else { name };
            return Self { name, hash_is_broken: is_sha1, number };
        }
        Self { name, hash_is_broken: BROKEN.contains(&number.as_str()), number }
    }
}

/// Returns the hash of a PSS signature in dotted numbers; without one it is SHA-1 (RFC 4055, section 3.1).
fn pss_hash(identifier: &AlgorithmIdentifier<'_>) -> Option<String> {
    let parameters = identifier.parameters.as_ref()?;
    let hash = der::elements(parameters.as_bytes())?.into_iter().find(|it| it.tag == CONTEXT_0)?;
    let oid = der::inside(hash.contents, SEQUENCE)?.first().copied().filter(|it| it.tag == OID)?;
    Some(dotted(oid.contents))
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> KeyKind {
    let modulus = without_leading_zeros(modulus);
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    KeyKind::Rsa { bits, modulus: modulus.to_vec(), exponent: without_leading_zeros(exponent).to_vec() }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

fn curve_name(oid: &str) -> String {
    match oid {
        "1.2.840.10045.3.1.7" => "P-256".into(),
        "1.3.132.0.34" => "P-384".into(),
        "1.3.132.0.35" => "P-521".into(),
        "1.3.132.0.10" => "secp256k1".into(),
        "1.2.840.10045.3.1.1" => "P-192".into(),
        "1.3.132.0.33" => "P-224".into(),
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1".into(),
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1".into(),
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1".into(),
        other => other.into(),
    }
}

/// 1.2.840.113549.1.1.10
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
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
