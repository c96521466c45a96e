//! What verifiers ask of a certificate.

use crate::cert::{Certificate, Flaw, KeyKind, Purpose};

/// The family of a key or of a signature's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    Ec,
    Dsa,
    Ed25519,
    Ed448,
    Other,
}

/// Returns whether keys of the issuer's kind make signatures of the kind that the certificate has.
pub(super) fn key_makes_signature(issuer: &Certificate, of: &Certificate) -> bool {
    key_family(issuer) == signature_family(of) && (!issuer.key.is_for_pss_alone || is_pss(of))
}

/// Returns whether the signature is RSASSA-PSS.
pub(super) fn is_pss(certificate: &Certificate) -> bool {
    certificate.signature.number == PSS
}

pub(super) fn key_family(certificate: &Certificate) -> Family {
    match &certificate.key.kind {
        KeyKind::Rsa { .. } => Family::Rsa,
        KeyKind::Ec(_) => Family::Ec,
        KeyKind::Ed25519 => Family::Ed25519,
        KeyKind::Other(name) if is_dsa_key(name) => Family::Dsa,
        KeyKind::Other(name) if is_ed448(name) => Family::Ed448,
        KeyKind::Other(_) => Family::Other,
    }
}

pub(super) fn signature_family(certificate: &Certificate) -> Family {
    family_of(&certificate.signature.number)
}

/// Returns whether keys of the issuer's kind make signatures of the algorithm that the signed part names.
pub(super) fn key_makes_signature_named_inside(issuer: &Certificate, of: &Certificate) -> bool {
    let inside = of.flaws.iter().find_map(|it| if let Flaw::Algorithms(inside) = it { Some(inside) } else { None });
    let number = inside.unwrap_or(&of.signature.number);
    key_family(issuer) == family_of(number) && (!issuer.key.is_for_pss_alone || number == PSS)
}

/// Returns whether the signed part names another algorithm than the signature has.
pub(super) fn names_other_algorithm(certificate: &Certificate) -> bool {
    certificate.flaws.iter().any(|it| matches!(it, Flaw::Algorithms(_)))
}

fn family_of(number: &str) -> Family {
    match number {
        "1.3.101.112" => Family::Ed25519,
        "1.3.101.113" => Family::Ed448,
        _ if number.starts_with("1.2.840.113549.1.1.") || number.starts_with("1.3.14.3.2.") => Family::Rsa,
        _ if number.starts_with("1.2.840.10045.4.") => Family::Ec,
        _ if number.starts_with("1.2.840.10040.4.") || number.starts_with("2.16.840.1.101.3.4.3.") => Family::Dsa,
        _ => Family::Other,
    }
}

/// Returns whether a signature is over MD5 or older, which everybody refuses.
pub(super) fn is_md5_or_older(certificate: &Certificate) -> bool {
    const NUMBERS: [&str; 4] =
        ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.840.113549.1.1.4", "1.3.14.3.2.25"];
    NUMBERS.contains(&certificate.signature.number.as_str())
}

/// Returns whether a signature is over SHA-224.
pub(super) fn is_sha224(certificate: &Certificate) -> bool {
    const NUMBERS: [&str; 3] = ["1.2.840.113549.1.1.14", "1.2.840.10045.4.3.1", "2.16.840.1.101.3.4.3.1"];
    NUMBERS.contains(&certificate.signature.number.as_str())
}

/// Returns whether the key is on one of these curves.
pub(super) fn is_on_curve(certificate: &Certificate, curves: &[&str]) -> bool {
    matches!(&certificate.key.kind, KeyKind::Ec(curve) if curves.contains(&curve.as_str()))
}

pub(super) fn is_ec(certificate: &Certificate) -> bool {
    matches!(certificate.key.kind, KeyKind::Ec(_))
}

/// Returns the bits of an RSA key.
pub(super) fn rsa_bits(certificate: &Certificate) -> Option<usize> {
    match certificate.key.kind {
        KeyKind::Rsa { bits, .. } => Some(bits),
        _ => None,
    }
}

/// Returns the purposes, if the extended key usage names any or is there.
pub(super) fn purposes(certificate: &Certificate) -> Option<&[Purpose]> {
    certificate.extended_key_usage.as_deref()
}

/// Returns whether the purposes have an older one for servers: Netscape's "server gated cryptography".
pub(super) fn is_server_gated(purposes: &[Purpose]) -> bool {
    purposes.iter().any(|it| matches!(it, Purpose::Other(number) if number == "2.16.840.1.113730.4.1"))
}

/// Returns whether the purposes have Microsoft's server gated cryptography.
pub(super) fn is_microsoft_gated(purposes: &[Purpose]) -> bool {
    purposes.iter().any(|it| matches!(it, Purpose::Other(number) if number == "1.3.6.1.4.1.311.10.3.3"))
}

/// Returns whether an extension is there that is none of `known` and is critical.
pub(super) fn has_critical_beyond(certificate: &Certificate, known: &[&str]) -> bool {
    certificate.critical.iter().any(|number| !known.contains(&number.as_str()))
}

pub(super) fn may_sign_certificates(certificate: &Certificate) -> bool {
    certificate.key_usage.is_none_or(|usage| usage.key_cert_sign)
}

pub(super) fn allowed_below(certificate: &Certificate) -> Option<usize> {
    certificate.basic_constraints.and_then(|it| it.path_len).map(|length| length as usize)
}

pub(super) fn has_alternative_names(certificate: &Certificate) -> bool {
    certificate.names.has_alternative()
}

fn is_dsa_key(name: &str) -> bool {
    name == "1.2.840.10040.4.1" || name.to_ascii_lowercase().contains("dsa")
}

fn is_ed448(name: &str) -> bool {
    name == "1.3.101.113" || name.eq_ignore_ascii_case("ed448")
}

const PSS: &str = "1.2.840.113549.1.1.10";
pub(super) const SUBJECT_KEY: &str = "2.5.29.14";
pub(super) const AUTHORITY_KEY: &str = "2.5.29.35";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const ALTERNATIVE_NAME: &str = "2.5.29.17";
pub(super) const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub(super) const CRL_POINTS: &str = "2.5.29.31";
pub(super) const CERTIFICATE_POLICIES: &str = "2.5.29.32";
pub(super) const POLICY_MAPPINGS: &str = "2.5.29.33";
pub(super) const POLICY_CONSTRAINTS: &str = "2.5.29.36";
pub(super) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(super) const INHIBIT_ANY: &str = "2.5.29.54";
pub(super) const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";
