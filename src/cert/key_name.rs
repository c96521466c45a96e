//! What kind of key a private key is, for a message that says why it cannot be used.

use rustls_pki_types::PrivateKeyDer;

use super::PrivateKeyError;
use super::der::{self, INTEGER, OID, SEQUENCE};
use super::ec_point::spelled_out;

/// Returns why a key cannot be used, in words.
pub(super) fn unusable(key: &PrivateKeyDer<'_>) -> String {
    match named(key.secret_der()) {
        Some(name) => format!("it is {name}; {USABLE}"),
        None => PrivateKeyError::Unusable.to_string(),
    }
}

/// Returns the kind of a key in PKCS#8, PKCS#1 or SEC1.
fn named(key: &[u8]) -> Option<String> {
    let parts = der::inside(key, SEQUENCE)?;
    if let [_, modulus, ..] = parts.as_slice()
        && modulus.tag == INTEGER
    {
        return rsa(modulus.contents);
    }
    let Some(algorithm) = parts.get(1).filter(|it| it.tag == SEQUENCE) else {
        let curve = der::elements(parts.get(2)?.contents)?.first().copied()?;
        return ec(curve);
    };
    let algorithm = der::elements(algorithm.contents)?;
    let kind = algorithm.first()?.contents;
    match kind {
        RSA => rsa(der::inside(parts.get(2)?.contents, SEQUENCE)?.get(1)?.contents),
        EC => ec(*algorithm.get(1)?),
        other => Some(match der::dotted(other).as_str() {
            "1.2.840.113549.1.1.10" => "an RSA key for PSS alone".to_owned(),
            "1.2.840.10040.4.1" => "a DSA key".to_owned(),
            "1.3.101.110" => "an X25519 key, which signs nothing".to_owned(),
            "1.3.101.111" => "an X448 key, which signs nothing".to_owned(),
            "1.3.101.112" => "a malformed Ed25519 key".to_owned(),
            "1.3.101.113" => "an Ed448 key".to_owned(),
            "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => "a Diffie-Hellman key, which signs nothing".to_owned(),
            number if number.starts_with("2.16.840.1.101.3.4.3.") => {
                "a post-quantum key (ML-DSA or SLH-DSA)".to_owned()
            }
            number => format!("a key of the unknown kind {number}"),
        }),
    }
}

fn rsa(modulus: &[u8]) -> Option<String> {
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    Some(if (2048..=8192).contains(&bits) {
        format!("a malformed RSA key of {bits} bits")
    } else {
        format!("an RSA key of {bits} bits")
    })
}

fn ec(curve: der::Element<'_>) -> Option<String> {
    let oid = if curve.tag == OID { curve.contents } else { spelled_out(curve.whole)? };
    Some(match der::dotted(oid).as_str() {
        "1.2.840.10045.3.1.7" | "1.3.132.0.34" | "1.3.132.0.35" => "a malformed EC key".to_owned(),
        "1.3.132.0.10" => "an EC key on the curve secp256k1".to_owned(),
        "1.3.132.0.33" => "an EC key on the curve P-224".to_owned(),
        other => match other.strip_prefix("1.3.36.3.3.2.8.1.1.") {
            Some(_) => "an EC key on a Brainpool curve".to_owned(),
            None => format!("an EC key on the curve {other}"),
        },
    })
}

const USABLE: &str = "TLS servers use RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519";
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
