//! Private keys that certificates and requests are signed with: made, read, and written as PEM.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::pem::{LineEnding, encode_string};
use pkcs8::pkcs5::pbes2;
use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use rustls_pki_types::PrivateKeyDer;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::key_type::{KeyType, PrivateKeyError, rsa_pkcs8};
use super::passphrase::Passphrase;
use super::signing_key::signing_key;

/// A private key that certificates and requests can be signed with; wiped when dropped.
pub struct PrivateKey {
    der: Zeroizing<PrivateKeyDer<'static>>,
    signing: Arc<dyn SigningKey>,
    scheme: SignatureScheme,
    algorithm: &'static rcgen::SignatureAlgorithm,
    /// SubjectPublicKeyInfo in DER.
    spki: Vec<u8>,
    /// The public key alone, without its algorithm.
    public: Vec<u8>,
}

impl PrivateKey {
    /// Makes a key.
    ///
    /// # Errors
    /// The library fails, as for lack of randomness.
    pub fn generate(kind: KeyType) -> Result<Self, PrivateKeyError> {
        let pkcs8 = kind.generate()?;
        Self::new(PrivateKeyDer::Pkcs8(pkcs8.to_vec().into()))
    }

    /// Takes a key in PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// It is of a kind that pronk does not serve.
    pub fn new(der: PrivateKeyDer<'static>) -> Result<Self, PrivateKeyError> {
        let der = Zeroizing::new(der);
        let signing = signing_key(&der).map_err(|_| PrivateKeyError::Unusable)?;
        let (scheme, algorithm) = SCHEMES
            .iter()
            .find(|(scheme, _)| signing.choose_scheme(&[*scheme]).is_some())
            .ok_or(PrivateKeyError::Unusable)?;
        let spki = signing.public_key().ok_or(PrivateKeyError::Unusable)?.to_vec();
        let (_, info) = SubjectPublicKeyInfo::from_der(&spki).map_err(|_| PrivateKeyError::Unusable)?;
        let public = info.subject_public_key.data.to_vec();
        Ok(Self { der, signing, scheme: *scheme, algorithm, spki, public })
    }

    /// Returns the SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Returns whether it is an RSA key, with which clients of TLS 1.2 may encrypt too.
    pub fn is_rsa(&self) -> bool {
        self.scheme == SignatureScheme::RSA_PKCS1_SHA256
    }

    /// Returns the key in PKCS#8, whatever it was read from.
    ///
    /// # Errors
    /// The library refuses the key.
    pub fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let unusable = |_| PrivateKeyError::Unusable;
        match &*self.der {
            PrivateKeyDer::Pkcs8(der) => Ok(Zeroizing::new(der.secret_pkcs8_der().to_vec())),
            PrivateKeyDer::Pkcs1(der) => {
                rsa_pkcs8(&rsa::KeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| PrivateKeyError::Unusable)?)
            }
            PrivateKeyDer::Sec1(der) => CURVES
                .iter()
                .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der.secret_sec1_der()).ok())
                .ok_or(PrivateKeyError::Unusable)
                .and_then(|pair| Ok(Zeroizing::new(pair.to_pkcs8v1().map_err(unusable)?.as_ref().to_vec()))),
            _ => Err(PrivateKeyError::Unusable),
        }
    }

    /// Returns the key as PKCS#8 in PEM, encrypted if there is a passphrase (PBES2: PBKDF2 with HMAC-SHA-256,
    /// AES-256-CBC).
    ///
    /// # Errors
    /// The library refuses the key.
    pub fn pem(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let pkcs8 = self.pkcs8()?;
        let text = match passphrase {
            None => encode_string("PRIVATE KEY", LineEnding::LF, &pkcs8).map_err(|_| PrivateKeyError::Unusable)?,
            Some(passphrase) => encrypt(&pkcs8, passphrase).ok_or(PrivateKeyError::Encryption)?,
        };
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl rcgen::PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl rcgen::SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signer = self.signing.choose_scheme(&[self.scheme]).ok_or(rcgen::Error::RemoteKeyError)?;
        signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn encrypt(pkcs8: &[u8], passphrase: &Passphrase) -> Option<String> {
    let (mut salt, mut vector) = ([0; 16], [0; 16]);
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    aws_lc_rs::rand::fill(&mut vector).ok()?;
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, vector).ok()?;
    let key = PrivateKeyInfoRef::from_der(pkcs8).ok()?;
    let encrypted = key.encrypt_with_params(parameters, passphrase.bytes()).ok()?;
    encode_string("ENCRYPTED PRIVATE KEY", LineEnding::LF, encrypted.as_bytes()).ok()
}

/// Of PBKDF2 with HMAC-SHA-256, as OWASP's password storage cheat sheet has it.
const ROUNDS: u32 = 600_000;

const CURVES: [&EcdsaSigningAlgorithm; 3] =
    [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];

/// With which hash each kind of key signs.
static SCHEMES: [(SignatureScheme, &rcgen::SignatureAlgorithm); 5] = [
    (SignatureScheme::RSA_PKCS1_SHA256, &rcgen::PKCS_RSA_SHA256),
    (SignatureScheme::ECDSA_NISTP256_SHA256, &rcgen::PKCS_ECDSA_P256_SHA256),
    (SignatureScheme::ECDSA_NISTP384_SHA384, &rcgen::PKCS_ECDSA_P384_SHA384),
    (SignatureScheme::ECDSA_NISTP521_SHA512, &rcgen::PKCS_ECDSA_P521_SHA512),
    (SignatureScheme::ED25519, &rcgen::PKCS_ED25519),
];
