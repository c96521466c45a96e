//! Kinds of private keys, and making them.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use zeroize::Zeroizing;

/// Kinds of keys that can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyType {
    #[default]
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Rsa2048,
    Rsa3072,
    Rsa4096,
    Ed25519,
}

/// Why a key cannot be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    #[error("it is not an RSA (2048 bits or more), ECDSA (P-256, P-384, P-521) or Ed25519 key")]
    Unusable,
    #[error("the cryptographic library failed to make a key")]
    Generation,
    #[error("the cryptographic library failed to encrypt the key")]
    Encryption,
}

impl KeyType {
    pub const ALL: [Self; 7] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Ed25519];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaP521 => "ecdsa-p521",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Makes a key. Returns it in PKCS#8 (RFC 5208, without the public key, which older Java and OpenSSL do not read).
    pub(super) fn generate(self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let failed = |_| PrivateKeyError::Generation;
        match self {
            Self::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::EcdsaP384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::EcdsaP521 => ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING),
            Self::Rsa2048 => rsa_pkcs8(&rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
            Self::Rsa3072 => rsa_pkcs8(&rsa::KeyPair::generate(KeySize::Rsa3072).map_err(failed)?),
            Self::Rsa4096 => rsa_pkcs8(&rsa::KeyPair::generate(KeySize::Rsa4096).map_err(failed)?),
            Self::Ed25519 => {
                let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(failed)?;
                Ok(Zeroizing::new(document.as_ref().to_vec()))
            }
        }
    }
}

impl FromStr for KeyType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|each| each.as_str() == text).ok_or(())
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let document = EcdsaKeyPair::generate(algorithm).and_then(|pair| pair.to_pkcs8v1());
    Ok(Zeroizing::new(document.map_err(|_| PrivateKeyError::Generation)?.as_ref().to_vec()))
}

pub(super) fn rsa_pkcs8(pair: &rsa::KeyPair) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| PrivateKeyError::Unusable)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}
