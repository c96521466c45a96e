//! What pronk makes of a file.

use std::path::Path;

use pronk::cert::{Certificate, Passphrase, bundle};

/// How many certificates, keys (at most one) and revocation lists a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub certificates: usize,
    pub keys: usize,
    pub lists: usize,
}

impl Counts {
    pub fn are_none(self) -> bool {
        self == Self::default()
    }
}

/// Reads a file with the passphrase of the corpus; the error is what a user sees, its help included.
pub fn read(path: &Path) -> Result<Counts, String> {
    let passphrase = Passphrase::new(b"secret".to_vec().into());
    let told = |error: pronk::cert::MaterialError| match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    };
    let bundle = bundle::read(path, Some(&passphrase)).map_err(told)?;
    for certificate in &bundle.certificates {
        Certificate::decode(certificate.clone()).map_err(|error| error.to_string())?;
    }
    let key = bundle.key.map(|key| key.spki).transpose()?;
    Ok(Counts {
        certificates: bundle.certificates.len(),
        keys: key.iter().count(),
        lists: bundle.revocation_lists.len(),
    })
}

/// Returns the public half of a file's key.
pub fn public_half(path: &Path) -> Option<Vec<u8>> {
    let passphrase = Passphrase::new(b"secret".to_vec().into());
    bundle::read(path, Some(&passphrase)).ok()?.key?.spki.ok()
}

/// Asserts that a message is in pronk's own words.
pub fn assert_own_words(name: &str, message: &str) {
    let foreign = [
        "Error",
        "Der(",
        "UnexpectedTag",
        "nom",
        "ASN.1",
        "asn1",
        "BER error",
        "InvalidEncoding",
        "invalid utf-8",
        "stream did not contain",
        "Some(",
        "None",
        "Kind",
        "{",
        "}",
    ];
    for word in foreign {
        assert!(!message.contains(word), "{name}: a library's word {word:?} in {message:?}");
    }
}
