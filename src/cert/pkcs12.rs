//! PKCS#12 archives (`.p12`, `.pfx`; RFC 7292): reading and writing them.
//!
//! They are read here and not by a library because NSS and Bouncy Castle write BER at every level, below the encryption too, and
//! because the integrity check is over the bytes as they were written.

use aws_lc_rs::hmac;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, LocalKeyId, PrivateKey, PrivateKeyChain, error::Error};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::ber::to_der;
use super::der::{self, CONTEXT_0, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::encryption::{DecryptionError, MOST_ROUNDS, decrypt, wide};
use super::error::{LARGEST_PKCS12, MOST_ENCRYPTED_PARTS, Pkcs12Error};
use super::passphrase::Passphrase;

/// What an archive holds.
#[derive(Default)]
pub struct Contents {
    /// Private keys in PKCS#8, in the archive's order.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// In the archive's order, which need not be that of a chain.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// Reads an archive; no passphrase is the empty one.
///
/// A hostile archive can ask for much work: its size is limited to [`LARGEST_PKCS12`], its encrypted parts to
/// [`MOST_ENCRYPTED_PARTS`], and the rounds of key derivation for each part.
///
/// # Errors
/// The passphrase is wrong, or the archive malformed, too large or of an unknown kind.
pub fn read(contents: &[u8], passphrase: Option<&Passphrase>) -> Result<Contents, Pkcs12Error> {
    if contents.len() > LARGEST_PKCS12 {
        return Err(Pkcs12Error::TooLarge);
    }
    let none = Passphrase::new(Zeroizing::default());
    let passphrase = passphrase.unwrap_or(&none);
    let archive = to_der(contents);
    let (archive, rest) = or_malformed(der::first(&archive), "it is cut off")?;
    if !rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(malformed("something follows its end"));
    }
    let parts = or_malformed(der::elements(archive.contents), "it is cut off")?;
    let [version, safe, rest @ ..] = parts.as_slice() else { return Err(malformed("it has no contents")) };
    if der::small_number(*version) != Some(3) {
        return Err(malformed("it is not of version 3"));
    }
    let content = or_malformed(content_info(*safe), "its contents have no type")?;
    if content.kind == SIGNED_DATA {
        return Err(Pkcs12Error::Unsupported("a signature instead of a passphrase".to_owned()));
    }
    let inside = or_malformed(content.octets(), "its contents are none")?;
    if let Some(mac) = rest.first() {
        verify(*mac, inside, passphrase)?;
    }
    let mut reading = Reading { passphrase, encrypted_parts: 0, found: Contents::default() };
    reading.authenticated_safe(inside)?;
    Ok(reading.found)
}

/// An archive being read.
struct Reading<'a> {
    passphrase: &'a Passphrase,
    encrypted_parts: usize,
    found: Contents,
}

impl Reading<'_> {
    fn authenticated_safe(&mut self, safe: &[u8]) -> Result<(), Pkcs12Error> {
        let safe = to_der(safe);
        for part in or_malformed(der::inside(&safe, SEQUENCE), "its contents are no list")? {
            let content = or_malformed(content_info(part), "a part of it has no type")?;
            match content.kind {
                DATA => self.bags(or_malformed(content.octets(), "a part of it is empty")?, DEEPEST)?,
                ENCRYPTED_DATA => {
                    let plain = or_malformed(self.encrypted_data(content), "an encrypted part of it is broken")?;
                    self.bags(&plain?, DEEPEST)?;
                }
                _ => return Err(Pkcs12Error::Unsupported("parts that are encrypted for somebody's key".to_owned())),
            }
        }
        Ok(())
    }

    /// Decrypts an EncryptedData (RFC 5652, section 8).
    fn encrypted_data(&mut self, content: Content<'_>) -> Option<Result<Zeroizing<Vec<u8>>, Pkcs12Error>> {
        let data = der::inside(content.explicit?, SEQUENCE)?;
        let [_, algorithm, content, ..] = der::elements(data.get(1)?.contents)?[..] else { return None };
        (content.tag == IMPLICIT_0).then(|| self.decrypt(algorithm, content.contents))
    }

    fn decrypt(&mut self, algorithm: Element<'_>, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        self.encrypted_parts += 1;
        if self.encrypted_parts > MOST_ENCRYPTED_PARTS {
            return Err(Pkcs12Error::TooLarge);
        }
        decrypt(algorithm.whole, encrypted, self.passphrase).map_err(reason)
    }

    fn bags(&mut self, bags: &[u8], deepest: usize) -> Result<(), Pkcs12Error> {
        let bags = to_der(bags);
        // What decrypts to no list was decrypted with the wrong passphrase.
        for bag in der::inside(&bags, SEQUENCE).ok_or(Pkcs12Error::WrongPassphrase)? {
            or_malformed(self.bag(bag, deepest), "one of its bags is broken")??;
        }
        Ok(())
    }

    fn bag(&mut self, bag: Element<'_>, deepest: usize) -> Option<Result<(), Pkcs12Error>> {
        let [kind, value, ..] = der::elements(bag.contents)?[..] else { return None };
        let [kind] = kind.contents.strip_prefix(BAG)? else { return Some(Ok(())) };
        let (value, _) = der::first(value.contents)?;
        match kind {
            1 => self.found.keys.push(Zeroizing::new(value.whole.to_vec())),
            2 => {
                let [algorithm, encrypted] = der::elements(value.contents)?[..] else { return None };
                match self.decrypt(algorithm, encrypted.contents) {
                    // One wrong passphrase in 256 leaves padding that looks right around bytes that are no key.
                    Ok(key) if der::inside(&key, SEQUENCE).is_none() => return Some(Err(Pkcs12Error::WrongPassphrase)),
                    Ok(key) => self.found.keys.push(key),
                    Err(error) => return Some(Err(error)),
                }
            }
            3 => {
                let [kind, value] = der::elements(value.contents)?[..] else { return None };
                if kind.contents != X509_CERTIFICATE {
                    return Some(Err(Pkcs12Error::Unsupported("certificates that are not of X.509".to_owned())));
                }
                let (certificate, _) = der::first(value.contents)?;
                self.found.certificates.push(CertificateDer::from(certificate.contents.to_vec()));
            }
            // Bags in a bag.
            6 if deepest > 0 => return Some(self.bags(value.whole, deepest - 1)),
            // Revocation lists and secrets are of no use here.
            _ => {}
        }
        Some(Ok(()))
    }
}

/// A ContentInfo (RFC 5652, section 3).
#[derive(Clone, Copy)]
struct Content<'a> {
    kind: &'a [u8],
    /// What is tagged explicitly.
    explicit: Option<&'a [u8]>,
}

impl<'a> Content<'a> {
    fn octets(self) -> Option<&'a [u8]> {
        let (string, _) = der::first(self.explicit?)?;
        (string.tag == OCTET_STRING).then_some(string.contents)
    }
}

fn content_info(element: Element<'_>) -> Option<Content<'_>> {
    let parts = der::elements(element.contents)?;
    let kind = parts.first().filter(|kind| kind.tag == OID)?;
    let explicit = parts.get(1).filter(|it| it.tag == CONTEXT_0).map(|it| it.contents);
    Some(Content { kind: kind.contents, explicit })
}

/// Verifies the integrity of what is protected (RFC 7292, section 4).
fn verify(mac: Element<'_>, protected: &[u8], passphrase: &Passphrase) -> Result<(), Pkcs12Error> {
    let broken = || malformed("its integrity check is broken");
    let parts = der::elements(mac.contents).ok_or_else(broken)?;
    let [digest_info, salt, rest @ ..] = parts.as_slice() else { return Err(broken()) };
    let rounds = rest.first().map_or(Some(1), |it| der::small_number(*it)).ok_or_else(broken)?;
    if rounds > MOST_ROUNDS {
        return Err(Pkcs12Error::TooMuchWork);
    }
    let digest_info = der::elements(digest_info.contents).ok_or_else(broken)?;
    let [algorithm, expected] = digest_info.as_slice() else { return Err(broken()) };
    let oid = der::elements(algorithm.contents).and_then(|it| it.first().copied()).ok_or_else(broken)?.contents;
    let salt = salt.contents;
    let derive = |text: &[u8]| -> Option<(hmac::Algorithm, Vec<u8>)> {
        let purpose = Pkcs12KeyType::Mac;
        let rounds = rounds as i32;
        Some(match oid {
            SHA1 => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derive_key::<sha1::Sha1>(text, salt, purpose, rounds, 20)),
            SHA224 => (hmac::HMAC_SHA224, derive_key::<sha2::Sha224>(text, salt, purpose, rounds, 28)),
            SHA256 => (hmac::HMAC_SHA256, derive_key::<sha2::Sha256>(text, salt, purpose, rounds, 32)),
            SHA384 => (hmac::HMAC_SHA384, derive_key::<sha2::Sha384>(text, salt, purpose, rounds, 48)),
            SHA512 => (hmac::HMAC_SHA512, derive_key::<sha2::Sha512>(text, salt, purpose, rounds, 64)),
            _ => return None,
        })
    };
    let unsupported = || match oid {
        PBMAC1 => Pkcs12Error::Unsupported("an integrity check by PBMAC1".to_owned()),
        _ => Pkcs12Error::Unsupported(format!("an integrity check by {}", der::dotted(oid))),
    };
    // Some writers take no passphrase at all for the empty one.
    let wide = wide(passphrase);
    let texts: &[&[u8]] = if passphrase.bytes().is_empty() { &[&wide, &[]] } else { &[&wide] };
    for text in texts {
        let (algorithm, key) = derive(text).ok_or_else(unsupported)?;
        if hmac::verify(&hmac::Key::new(algorithm, &Zeroizing::new(key)), protected, expected.contents).is_ok() {
            return Ok(());
        }
    }
    Err(Pkcs12Error::WrongPassphrase)
}

fn malformed(detail: &'static str) -> Pkcs12Error {
    Pkcs12Error::Malformed(detail)
}

fn or_malformed<T>(part: Option<T>, detail: &'static str) -> Result<T, Pkcs12Error> {
    part.ok_or(Pkcs12Error::Malformed(detail))
}

fn reason(error: DecryptionError) -> Pkcs12Error {
    match error {
        DecryptionError::WrongPassphrase => Pkcs12Error::WrongPassphrase,
        DecryptionError::Unsupported(what) => Pkcs12Error::Unsupported(format!("encryption by {what}")),
        DecryptionError::TooMuchWork => Pkcs12Error::TooMuchWork,
        DecryptionError::Malformed => malformed("an encrypted part of it is broken"),
    }
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
    let unwritable = |error: Error| {
        Pkcs12Error::Unwritable(match error {
            Error::InvalidPrivateKey => "the private key does not suit PKCS#12",
            Error::X509Error(_) => "a certificate does not suit PKCS#12",
            _ => "the name or the passphrase has letters that PKCS#12 cannot hold",
        })
    };
    let certificates: Vec<_> =
        chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>().map_err(unwritable)?;
    let key = PrivateKey::from_der(pkcs8).map_err(unwritable)?;
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(LocalKeyId::from(alias), key, certificates);
    store.add_entry(alias, KeyStoreEntry::PrivateKeyChain(entry));
    let writer = store.writer(text(Some(passphrase))?).encryption_iterations(ROUNDS).mac_iterations(ROUNDS);
    Ok(Zeroizing::new(writer.write().map_err(unwritable)?))
}

/// Returns whether a file's contents are an archive, or its beginning: a sequence that begins with the version 3 and the
/// sequence of its contents.
pub fn is_archive(contents: &[u8]) -> bool {
    let Some((SEQUENCE, header, _)) = der::header(contents) else { return false };
    contents[header..].starts_with(&[INTEGER, 1, 3, SEQUENCE])
}

fn text(passphrase: Option<&Passphrase>) -> Result<&str, Pkcs12Error> {
    std::str::from_utf8(passphrase.map_or(b"", Passphrase::bytes)).map_err(|_| Pkcs12Error::PassphraseNotText)
}

const ROUNDS: u32 = 100_000;
/// Of bags in bags.
const DEEPEST: usize = 4;
/// `[0]`, primitive.
const IMPLICIT_0: u8 = 0x80;
/// 1.2.840.113549.1.7.1
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.7.6
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// 1.2.840.113549.1.12.10.1
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
/// 1.2.840.113549.1.9.22.1
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// 1.2.840.113549.1.5.14
const PBMAC1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// 2.16.840.1.101.3.4.2.4
const SHA224: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04];
/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 2.16.840.1.101.3.4.2.2
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// 2.16.840.1.101.3.4.2.3
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

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
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500)) {
            let _ = read(&bytes, None);
        }
    }

    #[test]
    fn archive_whose_bytes_were_changed_is_refused_or_the_same() {
        let sesame = passphrase("Sesame");
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap().pkcs8().unwrap();
        // Few rounds, for the many attempts.
        let store = {
            let pair = rcgen::generate_simple_self_signed(vec!["lb.example.com".into()]).unwrap();
            let mut store = KeyStore::new();
            let certificate = Certificate::from_der(pair.cert.der()).unwrap();
            let key =
                PrivateKeyChain::new(LocalKeyId::from("lb"), super::PrivateKey::from_der(&key).unwrap(), [certificate]);
            store.add_entry("lb", KeyStoreEntry::PrivateKeyChain(key));
            store
        };
        let bytes = store.writer("Sesame").encryption_iterations(2).mac_iterations(2).write().unwrap();
        let whole = read(&bytes, Some(&sesame)).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            if let Ok(contents) = read(&changed, Some(&sesame)) {
                assert!(contents.keys == whole.keys && contents.certificates == whole.certificates, "byte {at}");
            }
        }
    }

    #[test]
    fn other_files_are_no_archives() {
        for contents in [&b""[..], b"0", b"-----BEGIN", &[0x30, 0x82, 0x01], &[0x30, 0x03, 0x02, 0x01, 0x01]] {
            assert!(!is_archive(contents), "{contents:?}");
        }
    }
}
