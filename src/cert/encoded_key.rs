//! Private keys as files have them: plain, or encrypted in one of three ways.

use std::path::Path;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::MaterialError;
use super::der::{self, INTEGER, OCTET_STRING, SEQUENCE};
use super::encryption::{DecryptionError, decrypt, decrypt_traditional};
use super::kind::{self, Kind};
use super::passphrase::Passphrase;
use super::pem::{Section, encode_section};

/// A private key that was found, not yet decrypted.
pub struct EncodedKey {
    protection: Protection,
    /// PKCS#8, PKCS#1 or SEC1, or what is encrypted of one.
    der: Zeroizing<Vec<u8>>,
    /// Of the section in PEM that it came from.
    label: &'static str,
}

#[derive(Clone, PartialEq, Eq)]
enum Protection {
    Plain,
    /// By the archive that it came from; it is decrypted already.
    Archive,
    /// An EncryptedPrivateKeyInfo (RFC 5958).
    Pkcs8,
    /// OpenSSL's old format, with its `DEK-Info`.
    Traditional(String),
}

impl EncodedKey {
    /// Returns the key of a section, by its label and headers.
    pub(super) fn of_section(section: &Section) -> Option<Self> {
        let label = KEY_LABELS.iter().find(|label| **label == section.label)?;
        let value = |name: &str| section.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let is_encrypted = value("Proc-Type").is_some_and(|it| it.ends_with("ENCRYPTED"));
        let protection = match value("DEK-Info") {
            Some(dek_info) if is_encrypted => Protection::Traditional(dek_info.to_owned()),
            _ if *label == ENCRYPTED_LABEL => Protection::Pkcs8,
            _ => Protection::Plain,
        };
        Some(Self { protection, der: section.der.clone(), label })
    }

    /// Returns the key in DER, plain or encrypted.
    pub(super) fn of_der(kind: Kind, der: &[u8]) -> Self {
        let (protection, label) = match kind {
            Kind::EncryptedKey => (Protection::Pkcs8, ENCRYPTED_LABEL),
            _ => (Protection::Plain, label_of(der)),
        };
        Self { protection, der: Zeroizing::new(der.to_vec()), label }
    }

    /// Takes a key in PKCS#8 that an archive held, decrypted.
    pub(super) fn of_archive(pkcs8: Zeroizing<Vec<u8>>) -> Self {
        Self { protection: Protection::Archive, der: pkcs8, label: "PRIVATE KEY" }
    }

    /// Returns whether the file protects it with a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.protection != Protection::Plain
    }

    /// Returns whether a passphrase is needed to [`open`](Self::open) it.
    pub fn needs_passphrase(&self) -> bool {
        !matches!(self.protection, Protection::Plain | Protection::Archive)
    }

    /// Returns the key, decrypted if need be.
    ///
    /// A passphrase given for a key that is not encrypted is ignored, as OpenSSL does.
    ///
    /// # Errors
    /// The passphrase is missing or wrong, or the encryption unknown.
    pub fn open(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<PrivateKeyDer<'static>, MaterialError> {
        let given = || passphrase.ok_or_else(|| MaterialError::PassphraseMissing { path: path.to_owned() });
        let failed = |error| failure(path, error);
        match &self.protection {
            Protection::Plain | Protection::Archive => Ok(private_key(&self.der, self.label)),
            Protection::Pkcs8 => {
                let parts = der::inside(&self.der, SEQUENCE).filter(|parts| parts.len() == 2);
                let parts = parts.ok_or(DecryptionError::Malformed).map_err(failed)?;
                let key = decrypt(parts[0].whole, parts[1].contents, given()?).map_err(failed)?;
                is_key(path, &key, "PRIVATE KEY")
            }
            Protection::Traditional(dek_info) => {
                let key = decrypt_traditional(dek_info, &self.der, given()?).map_err(failed)?;
                is_key(path, &key, self.label)
            }
        }
    }

    /// Returns the key in PEM as it is: an encrypted key stays encrypted in the way that its owner chose.
    pub fn pem(&self) -> Zeroizing<Vec<u8>> {
        let headers = match &self.protection {
            Protection::Traditional(dek_info) => {
                vec![("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned()), ("DEK-Info".to_owned(), dek_info.clone())]
            }
            _ => Vec::new(),
        };
        Zeroizing::new(encode_section(self.label, &headers, &self.der).as_bytes().to_vec())
    }
}

/// One wrong passphrase in 256 leaves padding that looks right around bytes that are no key.
fn is_key(path: &Path, der: &[u8], label: &str) -> Result<PrivateKeyDer<'static>, MaterialError> {
    match kind::of_der(der) {
        Some(Kind::PrivateKey | Kind::DsaKey) => Ok(private_key(der, label)),
        _ => Err(MaterialError::PassphraseWrong { path: path.to_owned() }),
    }
}

fn private_key(der: &[u8], label: &str) -> PrivateKeyDer<'static> {
    let known = label_of(der);
    match if known.is_empty() { label } else { known } {
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der.to_vec()).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(der.to_vec()).into(),
        _ => PrivatePkcs8KeyDer::from(der.to_vec()).into(),
    }
}

/// Returns the label that a plain key has in PEM, by its structure; nothing if it is none.
fn label_of(der: &[u8]) -> &'static str {
    let tags = der::inside(der, SEQUENCE).unwrap_or_default();
    match tags.iter().take(3).map(|part| part.tag).collect::<Vec<_>>().as_slice() {
        [INTEGER, SEQUENCE, OCTET_STRING] => "PRIVATE KEY",
        [INTEGER, OCTET_STRING, ..] => "EC PRIVATE KEY",
        [INTEGER, INTEGER, INTEGER] => "RSA PRIVATE KEY",
        _ => "",
    }
}

fn failure(path: &Path, error: DecryptionError) -> MaterialError {
    let path = path.to_owned();
    match error {
        DecryptionError::WrongPassphrase => MaterialError::PassphraseWrong { path },
        DecryptionError::Unsupported(detail) => MaterialError::UnsupportedEncryption { path, detail },
        DecryptionError::TooMuchWork => MaterialError::CostlyEncryption { path },
        DecryptionError::Malformed => {
            MaterialError::UnusableKey { path, detail: "what is encrypted of it is malformed".to_owned() }
        }
    }
}

pub(super) const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
const KEY_LABELS: [&str; 4] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", ENCRYPTED_LABEL];
