//! Decryption of what a passphrase protects: PBES2 and the older schemes of PKCS#5 and PKCS#12 (RFC 8018, RFC 7292), and
//! the encryption of OpenSSL's old key files.
//!
//! How much work a file may ask for is limited.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use des::{Des, TdesEde2, TdesEde3};
use md5::Md5;
use pkcs8::der::Decode;
use pkcs8::pkcs5::{self, pbes2};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use rc2::Rc2;
use sha1::Sha1;
use sha2::Digest;
use zeroize::Zeroizing;

use super::der::{self, OCTET_STRING, OID, SEQUENCE};
use super::hex;
use super::passphrase::Passphrase;

/// Why something cannot be decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DecryptionError {
    /// What comes out is not well-formed.
    WrongPassphrase,
    /// The scheme's name.
    Unsupported(String),
    /// It asks for too many rounds or too much memory.
    TooMuchWork,
    Malformed,
}

type Decrypted = Result<Zeroizing<Vec<u8>>, DecryptionError>;

/// Decrypts what is encrypted by an AlgorithmIdentifier in DER.
pub(super) fn decrypt(algorithm: &[u8], encrypted: &[u8], passphrase: &Passphrase) -> Decrypted {
    let parts = der::inside(algorithm, SEQUENCE).ok_or(DecryptionError::Malformed)?;
    let oid = parts.first().filter(|oid| oid.tag == OID).ok_or(DecryptionError::Malformed)?.contents;
    if oid == PBES2 {
        return by_pbes2(algorithm, encrypted, passphrase);
    }
    let parameters = parts.get(1).map(|it| it.whole).ok_or(DecryptionError::Malformed)?;
    if let Some([scheme]) = oid.strip_prefix(PKCS12_PBE) {
        return by_pkcs12(*scheme, parameters, encrypted, passphrase);
    }
    if let Some([scheme]) = oid.strip_prefix(PKCS5) {
        return by_pbes1(*scheme, parameters, encrypted, passphrase);
    }
    Err(DecryptionError::Unsupported(der::dotted(oid)))
}

/// Decrypts the body of a key in OpenSSL's old format, by its `DEK-Info`, such as `AES-256-CBC,0123…`.
pub(super) fn decrypt_traditional(dek_info: &str, encrypted: &[u8], passphrase: &Passphrase) -> Decrypted {
    let (cipher, vector) = dek_info.split_once(',').ok_or(DecryptionError::Malformed)?;
    let vector = hex::bytes(vector.trim()).filter(|it| it.len() >= 8).ok_or(DecryptionError::Malformed)?;
    // `EVP_BytesToKey` with MD5 and one round; the vector is the salt too.
    let mut key: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(64));
    while key.len() < 32 {
        let last = key.len().saturating_sub(16);
        let mut digest = Md5::new();
        digest.update(&key[last..]);
        digest.update(passphrase.bytes());
        digest.update(&vector[..8]);
        key.extend_from_slice(&digest.finalize());
    }
    match cipher.trim() {
        "AES-128-CBC" => cbc::<Aes128>(&key[..16], &vector, encrypted),
        "AES-192-CBC" => cbc::<Aes192>(&key[..24], &vector, encrypted),
        "AES-256-CBC" => cbc::<Aes256>(&key[..32], &vector, encrypted),
        "DES-EDE3-CBC" => cbc::<TdesEde3>(&key[..24], &vector, encrypted),
        "DES-CBC" => cbc::<Des>(&key[..8], &vector, encrypted),
        other => Err(DecryptionError::Unsupported(other.chars().take(40).collect())),
    }
}

fn by_pbes2(algorithm: &[u8], encrypted: &[u8], passphrase: &Passphrase) -> Decrypted {
    let unsupported = || DecryptionError::Unsupported(pbes2_names(algorithm).unwrap_or_else(|| "PBES2".to_owned()));
    let scheme = pkcs5::EncryptionScheme::from_der(algorithm).map_err(|_| unsupported())?;
    let too_much = match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(pbes2::Kdf::Pbkdf2(it)) => it.iteration_count > MOST_ROUNDS,
        Some(pbes2::Kdf::Scrypt(it)) => {
            let memory = it.cost_parameter.saturating_mul(u64::from(it.block_size)).saturating_mul(128);
            memory > MOST_MEMORY || it.parallelization > MOST_LANES
        }
        _ => return Err(unsupported()),
    };
    if too_much {
        return Err(DecryptionError::TooMuchWork);
    }
    let decrypted = scheme.decrypt(passphrase.bytes(), encrypted).map_err(|error| match error {
        pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs5::Error::AlgorithmParametersInvalid { .. } => unsupported(),
        _ => DecryptionError::WrongPassphrase,
    })?;
    Ok(Zeroizing::new(decrypted))
}

/// Returns the numbers of a PBES2's key derivation and cipher.
fn pbes2_names(algorithm: &[u8]) -> Option<String> {
    let parameters = der::inside(der::inside(algorithm, SEQUENCE)?.get(1)?.whole, SEQUENCE)?;
    let name = |index: usize| {
        let oid = *der::inside(parameters.get(index)?.whole, SEQUENCE)?.first()?;
        (oid.tag == OID).then(|| algorithm_name(&der::dotted(oid.contents)))
    };
    Some(format!("PBES2 with {} and {}", name(0)?, name(1)?))
}

fn algorithm_name(oid: &str) -> String {
    let known = NAMES.iter().find(|(start, _)| oid.starts_with(start));
    known.map_or_else(|| oid.to_owned(), |(_, name)| (*name).to_owned())
}

/// Decrypts by a scheme of PKCS#12 (RFC 7292, appendix C), which is what `openssl pkcs8 -v1` writes too.
fn by_pkcs12(scheme: u8, parameters: &[u8], encrypted: &[u8], passphrase: &Passphrase) -> Decrypted {
    let (salt, rounds) = salt_and_rounds(parameters)?;
    let derive =
        |text: &[u8], purpose, length| Zeroizing::new(derive_key::<Sha1>(text, salt, purpose, rounds as i32, length));
    let by = |text: &[u8]| {
        let vector = derive(text, Pkcs12KeyType::Iv, 8);
        let key = |length| derive(text, Pkcs12KeyType::EncryptionKey, length);
        match scheme {
            3 => cbc::<TdesEde3>(&key(24), &vector, encrypted),
            4 => cbc::<TdesEde2>(&key(16), &vector, encrypted),
            5 => cbc::<Rc2>(&key(16), &vector, encrypted),
            6 => cbc::<Rc2>(&key(5), &vector, encrypted),
            1 | 2 => Err(DecryptionError::Unsupported("RC4".to_owned())),
            _ => Err(DecryptionError::Malformed),
        }
    };
    by(&wide(passphrase)).or_else(|error| {
        // Some writers take no passphrase at all for the empty one.
        if passphrase.bytes().is_empty() && error == DecryptionError::WrongPassphrase { by(&[]) } else { Err(error) }
    })
}

/// Decrypts by a scheme of PKCS#5, version 1.5 (RFC 8018, section 6.1).
fn by_pbes1(scheme: u8, parameters: &[u8], encrypted: &[u8], passphrase: &Passphrase) -> Decrypted {
    let (salt, rounds) = salt_and_rounds(parameters)?;
    let key = match scheme {
        3 | 6 => derive_by::<Md5>(passphrase, salt, rounds),
        10 | 11 => derive_by::<Sha1>(passphrase, salt, rounds),
        1 | 4 => return Err(DecryptionError::Unsupported("MD2".to_owned())),
        _ => return Err(DecryptionError::Unsupported(format!("1.2.840.113549.1.5.{scheme}"))),
    };
    let (key, vector) = (&key[..8], &key[8..16]);
    if matches!(scheme, 3 | 10) { cbc::<Des>(key, vector, encrypted) } else { cbc::<Rc2>(key, vector, encrypted) }
}

/// Derives 16 bytes by PBKDF1 (RFC 8018, section 5.1).
fn derive_by<D: Digest>(passphrase: &Passphrase, salt: &[u8], rounds: u32) -> Zeroizing<Vec<u8>> {
    let mut digest = D::new().chain_update(passphrase.bytes()).chain_update(salt).finalize();
    for _ in 1..rounds {
        digest = D::digest(&digest);
    }
    Zeroizing::new(digest.to_vec())
}

fn salt_and_rounds(parameters: &[u8]) -> Result<(&[u8], u32), DecryptionError> {
    let parts = der::inside(parameters, SEQUENCE).ok_or(DecryptionError::Malformed)?;
    match parts.as_slice() {
        [salt, rounds] if salt.tag == OCTET_STRING => {
            let rounds = der::small_number(*rounds).ok_or(DecryptionError::Malformed)?;
            if rounds > MOST_ROUNDS { Err(DecryptionError::TooMuchWork) } else { Ok((salt.contents, rounds)) }
        }
        _ => Err(DecryptionError::Malformed),
    }
}

fn cbc<C: KeyInit + BlockCipherDecrypt>(key: &[u8], vector: &[u8], encrypted: &[u8]) -> Decrypted {
    let cipher = C::new_from_slice(key).map_err(|_| DecryptionError::Malformed)?;
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, vector).map_err(|_| DecryptionError::Malformed)?;
    let decrypted = mode.decrypt_padded_vec::<Pkcs7>(encrypted).map_err(|_| DecryptionError::WrongPassphrase)?;
    Ok(Zeroizing::new(decrypted))
}

/// Returns a passphrase as PKCS#12 has it: two bytes a letter, and two more that end it. One that is not UTF-8 is taken
/// for Latin-1, as OpenSSL does.
pub(super) fn wide(passphrase: &Passphrase) -> Zeroizing<Vec<u8>> {
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(match std::str::from_utf8(passphrase.bytes()) {
        Ok(text) => text.encode_utf16().chain([0]).collect(),
        Err(_) => passphrase.bytes().iter().map(|byte| u16::from(*byte)).chain([0]).collect(),
    });
    Zeroizing::new(units.iter().flat_map(|unit| unit.to_be_bytes()).collect())
}

/// Of a key's derivation: some seconds' work. OpenSSL takes 2,048, password managers up to a million.
pub(super) const MOST_ROUNDS: u32 = 10_000_000;
/// Bytes that scrypt may ask for; OpenSSL refuses more than 32 MiB.
const MOST_MEMORY: u64 = 256 << 20;
/// Times that scrypt may ask for them.
const MOST_LANES: u16 = 16;
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.2.840.113549.1.5
const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// 1.2.840.113549.1.12.1
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// Of algorithms, by the beginnings of their object identifiers.
const NAMES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.5.12", "PBKDF2"),
    ("1.3.6.1.4.1.11591.4.11", "scrypt"),
    ("2.16.840.1.101.3.4.1.", "AES"),
    ("1.2.840.113549.3.7", "3DES"),
    ("1.2.840.113549.3.2", "RC2"),
    ("1.2.392.200011.61.1.1.1.", "Camellia"),
    ("1.2.410.200046.1.1.", "ARIA"),
];
