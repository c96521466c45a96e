//! PKCS#12 archives (`.p12`, `.pfx`; RFC 7292): reading and writing them.

use p12_keystore::error::Error;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, LocalKeyId, Pkcs12Archive, PrivateKey, PrivateKeyChain};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::error::{LARGEST_PKCS12, MOST_ENCRYPTED_PARTS, Pkcs12Error};
use super::passphrase::Passphrase;

/// What an archive holds.
pub struct Contents {
    /// Private keys in PKCS#8, in the archive's order.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// In the archive's order, which need not be that of a chain.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// Reads an archive; no passphrase is the empty one.
///
/// A hostile archive can ask for much work: its size is limited to [`LARGEST_PKCS12`], its encrypted parts to
/// [`MOST_ENCRYPTED_PARTS`], and the library refuses more than a million rounds of key derivation for a part.
///
/// # Errors
/// The passphrase is wrong, or the archive malformed, too large or of an unknown kind.
pub fn read(contents: &[u8], passphrase: Option<&Passphrase>) -> Result<Contents, Pkcs12Error> {
    if contents.len() > LARGEST_PKCS12 || encrypted_parts(contents) > MOST_ENCRYPTED_PARTS {
        return Err(Pkcs12Error::TooLarge);
    }
    let archive = Pkcs12Archive::from_pkcs12(contents, text(passphrase)?).map_err(reason)?;
    Ok(Contents {
        keys: archive.keys.iter().map(|bag| Zeroizing::new(bag.key.as_der().to_vec())).collect(),
        certificates: archive.certs.iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec())).collect(),
    })
}

/// Writes an archive with a key in PKCS#8, its certificate and those above it, in this order, under an alias
/// (PBES2 with AES-256-CBC, integrity by HMAC-SHA-256: OpenSSL from 1.1, Java from 8u301 read it).
///
/// # Errors
/// The passphrase, the key or a certificate does not suit PKCS#12.
pub fn write(
    alias: &str,
    pkcs8: &[u8],
    chain: &[CertificateDer<'_>],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    let unwritable = |error: Error| Pkcs12Error::Unwritable(error.to_string());
    let certificates: Vec<_> =
        chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>().map_err(unwritable)?;
    let key = PrivateKey::from_der(pkcs8).map_err(unwritable)?;
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(LocalKeyId::from(alias), key, certificates);
    store.add_entry(alias, KeyStoreEntry::PrivateKeyChain(entry));
    let writer = store.writer(text(Some(passphrase))?).encryption_iterations(ROUNDS).mac_iterations(ROUNDS);
    Ok(Zeroizing::new(writer.write().map_err(unwritable)?))
}

/// Returns whether a file's contents are an archive: a sequence that begins with the version 3 and the type of its
/// contents.
pub fn is_archive(contents: &[u8]) -> bool {
    let Some((0x30, rest)) = contents.split_first().map(|(tag, rest)| (*tag, rest)) else { return false };
    // The length takes one byte, or as many more as its first byte says.
    let length = match rest.first() {
        Some(&first) if first > 0x80 => 1 + usize::from(first & 0x7f),
        Some(_) => 1,
        None => return false,
    };
    rest.get(length..).is_some_and(|body| body.starts_with(&VERSION_3))
}

fn text(passphrase: Option<&Passphrase>) -> Result<&str, Pkcs12Error> {
    std::str::from_utf8(passphrase.map_or(b"", Passphrase::bytes)).map_err(|_| Pkcs12Error::PassphraseNotText)
}

fn reason(error: Error) -> Pkcs12Error {
    match error {
        Error::MacError(_) | Error::UnpadError | Error::InvalidPrivateKey => Pkcs12Error::WrongPassphrase,
        Error::Pkcs5Error(detail) if detail.contains("decryption") => Pkcs12Error::WrongPassphrase,
        Error::UnsupportedEncryptionScheme
        | Error::UnsupportedMacAlgorithm
        | Error::UnsupportedCertificateType
        | Error::UnsupportedContentType
        | Error::Pkcs5Error(_)
        | Error::InvalidParameters => Pkcs12Error::Unsupported(error.to_string()),
        _ => Pkcs12Error::Malformed(error.to_string()),
    }
}

fn encrypted_parts(contents: &[u8]) -> usize {
    [PBES2, PBES1].iter().map(|oid| contents.windows(oid.len()).filter(|window| window == oid).count()).sum()
}

const ROUNDS: u32 = 100_000;
const VERSION_3: [u8; 3] = [0x02, 0x01, 0x03];
/// 1.2.840.113549.1.5.13 in DER.
const PBES2: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.2.840.113549.1.12.1, below which the older schemes are, in DER with one further byte.
const PBES1: &[u8] = &[0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::{KeyType, PrivateKey};

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn archive() -> (Zeroizing<Vec<u8>>, Vec<u8>) {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let pair = rcgen::generate_simple_self_signed(vec!["lb.example.com".into()]).unwrap();
        let pkcs8 = key.pkcs8().unwrap();
        (write("lb", &pkcs8, &[pair.cert.der().clone()], &passphrase("Sesame")).unwrap(), pkcs8.to_vec())
    }

    #[test]
    fn archive_comes_back_as_it_was_written() {
        let (bytes, key) = archive();
        assert!(is_archive(&bytes));
        let contents = read(&bytes, Some(&passphrase("Sesame"))).unwrap();
        assert_eq!((contents.keys.len(), contents.certificates.len()), (1, 1));
        assert_eq!(contents.keys[0].as_slice(), key);
    }

    #[test]
    fn wrong_passphrase_is_told_from_a_malformed_archive() {
        let (bytes, _) = archive();
        for wrong in [None, Some(passphrase("sesame"))] {
            assert!(matches!(read(&bytes, wrong.as_ref()), Err(Pkcs12Error::WrongPassphrase)));
        }
        let sesame = passphrase("Sesame");
        for end in [0, 1, 20, bytes.len() / 2, bytes.len() - 1] {
            assert!(matches!(read(&bytes[..end], Some(&sesame)), Err(Pkcs12Error::Malformed(_))), "{end}");
        }
    }

    #[test]
    fn archive_that_asks_for_too_much_work_is_refused() {
        assert!(matches!(read(&vec![0x30; LARGEST_PKCS12 + 1], None), Err(Pkcs12Error::TooLarge)));
        assert!(matches!(read(&PBES2.repeat(MOST_ENCRYPTED_PARTS + 1), None), Err(Pkcs12Error::TooLarge)));
    }

    #[test]
    fn other_files_are_no_archives() {
        for contents in [&b""[..], b"0", b"-----BEGIN", &[0x30, 0x82, 0x01], &[0x30, 0x03, 0x02, 0x01, 0x01]] {
            assert!(!is_archive(contents), "{contents:?}");
        }
    }
}
