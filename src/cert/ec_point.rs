//! Public keys on elliptic curves, written in one way: with the name of the curve, and with both coordinates.
//!
//! A certificate may spell the curve out, and may leave out a coordinate (RFC 5480, section 2); its key file need not do
//! the same. Only a curve that is one of those below in every number is taken for it: one that differs in the base point
//! alone gives anybody the private key (CVE-2020-0601).

use num_bigint::BigUint;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::der::{self, BIT_STRING, CONTEXT_0, INTEGER, OCTET_STRING, OID, SEQUENCE};

/// Returns a SubjectPublicKeyInfo such that equal keys are equal bytes. What is of no known curve comes back as it is.
pub(super) fn canonical(spki: &[u8]) -> Vec<u8> {
    rewritten(spki).unwrap_or_else(|| spki.to_vec())
}

fn rewritten(spki: &[u8]) -> Option<Vec<u8>> {
    let parts = der::inside(spki, SEQUENCE)?;
    let algorithm = der::elements(parts.first()?.contents)?;
    let (kind, parameters) = (algorithm.first()?, algorithm.get(1)?);
    let key = parts.get(1).filter(|key| key.tag == BIT_STRING && kind.contents == EC)?;
    let curve = CURVES.iter().find(|curve| curve.is_meant_by(parameters.tag, parameters.contents))?;
    let point = curve.uncompressed(key.contents.strip_prefix(&[0])?)?;
    let mut inside = Vec::new();
    der::push(&mut inside, OID, EC);
    der::push(&mut inside, OID, curve.oid);
    let mut body = Vec::new();
    der::push(&mut body, SEQUENCE, &inside);
    der::push(&mut body, BIT_STRING, &[&[0], point.as_slice()].concat());
    let mut whole = Vec::new();
    der::push(&mut whole, SEQUENCE, &body);
    Some(whole)
}

/// Returns the object identifier of the curve that explicit parameters (RFC 3279, section 2.3.5) spell out.
pub(super) fn spelled_out(parameters: &[u8]) -> Option<&'static [u8]> {
    let (parameters, _) = der::first(parameters)?;
    let is_explicit = parameters.tag == SEQUENCE;
    CURVES.iter().find(|it| is_explicit && it.is_meant_by(SEQUENCE, parameters.contents)).map(|curve| curve.oid)
}

/// Like [`spelled_out`], of a SubjectPublicKeyInfo.
pub(super) fn curve_spelled_out_in(spki: &[u8]) -> Option<&'static [u8]> {
    let algorithm = der::elements(der::inside(spki, SEQUENCE)?.first()?.contents)?;
    spelled_out(algorithm.get(1)?.whole)
}

/// Returns a private key in PKCS#8 with the name of its curve and without its public key, which follows from it; none if
/// it is no key of a known curve. Libraries read curves that are spelled out in some forms only.
pub(super) fn with_named_curve(key: &PrivateKeyDer<'_>) -> Option<PrivateKeyDer<'static>> {
    let parts = der::inside(key.secret_der(), SEQUENCE)?;
    let (parameters, sec1) = match parts.as_slice() {
        // PKCS#8 (RFC 5208, section 5).
        [_, algorithm, key, ..] if algorithm.tag == SEQUENCE => {
            let algorithm = der::elements(algorithm.contents)?;
            let kind = algorithm.first()?;
            (kind.contents == EC)
                .then(|| algorithm.get(1).copied())
                .flatten()
                .map(|it| (it, der::inside(key.contents, SEQUENCE)))?
        }
        // RFC 5915, section 3.
        _ => {
            let named = parts.iter().find(|it| it.tag == CONTEXT_0)?;
            (der::first(named.contents)?.0, Some(parts.clone()))
        }
    };
    let curve = CURVES.iter().find(|curve| curve.is_meant_by(parameters.tag, parameters.contents))?;
    let secret = sec1?.iter().find(|it| it.tag == OCTET_STRING)?.contents;
    let zeros = vec![0; (curve.prime.len() / 2).checked_sub(secret.len())?];
    let mut inside = Zeroizing::new(Vec::new());
    der::push(&mut inside, INTEGER, &[1]);
    der::push(&mut inside, OCTET_STRING, &Zeroizing::new([zeros.as_slice(), secret].concat()));
    let mut sec1 = Zeroizing::new(Vec::new());
    der::push(&mut sec1, SEQUENCE, &inside);
    let mut algorithm = Vec::new();
    der::push(&mut algorithm, OID, EC);
    der::push(&mut algorithm, OID, curve.oid);
    let mut body = Zeroizing::new(Vec::new());
    der::push(&mut body, INTEGER, &[0]);
    der::push(&mut body, SEQUENCE, &algorithm);
    der::push(&mut body, OCTET_STRING, &sec1);
    let mut whole = Vec::new();
    der::push(&mut whole, SEQUENCE, &body);
    Some(PrivatePkcs8KeyDer::from(whole).into())
}

/// A curve y² = x³ + ax + b over the numbers below a prime, with a base point; all in hexadecimal.
struct Curve {
    oid: &'static [u8],
    prime: &'static str,
    a: &'static str,
    b: &'static str,
    /// Both coordinates.
    base: &'static str,
    order: &'static str,
}

impl Curve {
    fn is_meant_by(&self, tag: u8, parameters: &[u8]) -> bool {
        match tag {
            OID => parameters == self.oid,
            SEQUENCE => self.is_spelled_out_by(parameters).unwrap_or(false),
            _ => false,
        }
    }

    fn is_spelled_out_by(&self, parameters: &[u8]) -> Option<bool> {
        let parts = der::elements(parameters)?;
        let [_, field, curve, base, order, ..] = parts.as_slice() else { return None };
        let (field, curve) = (der::elements(field.contents)?, der::elements(curve.contents)?);
        let [kind, prime] = field.as_slice() else { return None };
        let [a, b, ..] = curve.as_slice() else { return None };
        let same = |bytes: &[u8], digits: &str| BigUint::from_bytes_be(bytes) == number(digits);
        let base = (base.tag == OCTET_STRING).then_some(base.contents)?;
        Some(
            kind.contents == PRIME_FIELD
                && same(prime.contents, self.prime)
                && same(a.contents, self.a)
                && same(b.contents, self.b)
                && same(order.contents, self.order)
                && self.uncompressed(base).is_some_and(|base| same(&base[1..], self.base)),
        )
    }

    /// Returns a point with both coordinates; none if it is not on the curve, or at infinity.
    fn uncompressed(&self, point: &[u8]) -> Option<Vec<u8>> {
        let (form, coordinates) = point.split_first()?;
        let width = self.prime.len() / 2;
        match form {
            4 if coordinates.len() == 2 * width => Some(point.to_vec()),
            // Both coordinates, and which of both roots the second one is.
            6 | 7 if coordinates.len() == 2 * width => Some([&[4], coordinates].concat()),
            2 | 3 if coordinates.len() == width => {
                let (prime, x) = (number(self.prime), BigUint::from_bytes_be(coordinates));
                let square = (&x * &x * &x + number(self.a) * &x + number(self.b)) % &prime;
                // The primes leave 3 when divided by 4.
                let root = square.modpow(&((&prime + 1u32) >> 2), &prime);
                if &root * &root % &prime != square {
                    return None;
                }
                let y = if root.bit(0) == (*form == 3) { root } else { &prime - root };
                let y = y.to_bytes_be();
                let zeros = vec![0; width.checked_sub(y.len())?];
                Some([&[4], coordinates, &zeros, &y].concat())
            }
            _ => None,
        }
    }
}

fn number(digits: &str) -> BigUint {
    BigUint::parse_bytes(digits.as_bytes(), 16).unwrap_or_default()
}

/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.1.1
const PRIME_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01];
/// P-256, P-384, P-521 and secp256k1 (SEC 2).
static CURVES: [Curve; 4] = [
    Curve {
        oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        a: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        base: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e16\
            2bce33576b315ececbb6406837bf51f5",
        order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    },
    Curve {
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x22],
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
        base: "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
            3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    },
    Curve {
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x23],
        prime: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            ffffffffffffffffffffffffffffffffffff",
        a: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            fffffffffffffffffffffffffffffffffffc",
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1\
            bf073573df883d2c34f1ef451fd46b503f00",
        base: "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ff\
            a8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17\
            273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        order: "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709\
            a5d03bb5c9b8899c47aebb6fb71e91386409",
    },
    Curve {
        oid: &[0x2b, 0x81, 0x04, 0x00, 0x0a],
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        a: "0000000000000000000000000000000000000000000000000000000000000000",
        b: "0000000000000000000000000000000000000000000000000000000000000007",
        base: "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8\
            fd17b448a68554199c47d08ffb10d4b8",
        order: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    },
];
