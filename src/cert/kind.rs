//! What a file or a section of it is, in words that people know, and what to do with what is of no use here.

use std::fmt;
use std::path::Path;

use super::der::{
    self, BIT_STRING, CONTEXT_0, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, UTC_TIME,
};
use crate::reading::wide_encoding;

/// What is found where certificates, keys and revocation lists are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Certificate,
    RevocationList,
    PrivateKey,
    EncryptedKey,
    SignedData,
    Archive,
    Request,
    PublicKey,
    DsaKey,
    Parameters,
    OcspResponse,
    AttributeCertificate,
    OpensshKey,
    SshPublicKey,
    PuttyKey,
    Pgp,
    /// A section that programs keep beside certificates, such as TLS sessions and keys for a TPM.
    OtherSection,
    Jks,
    Jceks,
    NssDatabase,
    Json,
    Html,
    Base64,
    /// Without the lines around it.
    BareBase64,
    Utf16,
    Utf32,
    Compressed,
    Empty,
}

impl Kind {
    /// Returns what to do with it, if that is known.
    pub fn remedy(self, path: &Path) -> Option<String> {
        let path = path.display();
        Some(match self {
            Self::Request => {
                "a request is not a certificate yet: have an authority sign it, and give what it returns".into()
            }
            Self::PublicKey => "give the private key, or the certificate, that it was taken from".into(),
            Self::DsaKey => "make a new key and request a certificate for it: pronk cert csr".into(),
            Self::OpensshKey => format!("convert it: ssh-keygen -p -m PKCS8 -f {path}"),
            Self::PuttyKey => format!("convert it: puttygen {path} -O private-openssh -o {path}.ssh"),
            Self::SshPublicKey | Self::Pgp => "TLS uses X.509 certificates; it cannot be converted".into(),
            Self::Jks | Self::Jceks => {
                let from = if self == Self::Jks { "" } else { "-srcstoretype JCEKS " };
                format!(
                    "convert it: keytool -importkeystore {from}-srckeystore {path} -destkeystore {path}.p12 \
                     -deststoretype PKCS12"
                )
            }
            Self::NssDatabase => "take it out of the folder: pk12util -o FILE.p12 -n NICKNAME -d FOLDER".into(),
            Self::Json => format!("take the files out of what cfssl prints: cfssljson -bare NAME < {path}"),
            Self::Html => "a server answered with a page instead of the file: fetch it again".into(),
            Self::Base64 | Self::BareBase64 => format!("decode it: base64 -d {path} > {path}.out"),
            Self::Utf16 => format!("convert it: iconv -f UTF-16 -t UTF-8 {path} > {path}.txt"),
            Self::Utf32 => format!("convert it: iconv -f UTF-32 -t UTF-8 {path} > {path}.txt"),
            Self::Compressed => "unpack it, and give the files in it".into(),
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate",
            Self::RevocationList => "a revocation list (CRL)",
            Self::PrivateKey => "a private key",
            Self::EncryptedKey => "an encrypted private key",
            Self::SignedData => "a PKCS#7 without certificates",
            Self::Archive => "a PKCS#12 archive without certificates and private keys",
            Self::Request => "a certificate request (CSR)",
            Self::PublicKey => "a public key",
            Self::DsaKey => "a DSA key, with which TLS does not work any more",
            Self::Parameters => "a file of parameters (of a key exchange or a curve)",
            Self::OcspResponse => "an OCSP response",
            Self::AttributeCertificate => "an attribute certificate",
            Self::OpensshKey => "a private key in OpenSSH's own format",
            Self::SshPublicKey => "a public key of SSH",
            Self::PuttyKey => "a private key of PuTTY",
            Self::Pgp => "a PGP block",
            Self::OtherSection => "a section of another kind",
            Self::Jks => "a Java keystore (JKS)",
            Self::Jceks => "a Java keystore (JCEKS)",
            Self::NssDatabase => "a database (SQLite), such as NSS keeps certificates in",
            Self::Json => "JSON",
            Self::Html => "a web page (HTML)",
            Self::Base64 => "PEM that was encoded in base64 once more (as in a Kubernetes secret)",
            Self::BareBase64 => "base64 without the lines BEGIN and END",
            Self::Utf16 => "text in UTF-16, as Windows writes it",
            Self::Utf32 => "text in UTF-32",
            Self::Compressed => "a compressed archive",
            Self::Empty => "empty",
        })
    }
}

/// Returns what an element of DER is, by its structure.
pub(super) fn of_der(contents: &[u8]) -> Option<Kind> {
    let parts = der::inside(contents, SEQUENCE)?;
    let tags: Vec<_> = parts.iter().take(4).map(|part| part.tag).collect();
    Some(match tags.as_slice() {
        // Of three parts signed: body, algorithm, signature.
        [SEQUENCE, SEQUENCE, BIT_STRING] => signed(parts[0]),
        [SEQUENCE, BIT_STRING] => Kind::PublicKey,
        [SEQUENCE, OCTET_STRING] => Kind::EncryptedKey,
        [INTEGER, SEQUENCE, OCTET_STRING, ..] => {
            let algorithm = der::inside(parts[1].whole, SEQUENCE)?;
            if algorithm.first().is_some_and(|it| it.contents == DSA) { Kind::DsaKey } else { Kind::PrivateKey }
        }
        [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] if parts[0].contents == [3] => Kind::Archive,
        [INTEGER, OCTET_STRING, ..] if parts[0].contents == [1] => Kind::PrivateKey,
        [OID, CONTEXT_0] if parts[0].contents == SIGNED_DATA => Kind::SignedData,
        [INTEGER, INTEGER] => {
            if parts[0].contents.len() > 32 && parts[1].contents.len() <= 8 {
                // A prime is longer still; RSA's exponent is as short as a generator, so the first bits decide.
                dh_or_rsa(parts[1])
            } else {
                Kind::PublicKey
            }
        }
        [INTEGER, INTEGER, INTEGER, ..] => match parts.len() {
            9.. => Kind::PrivateKey,
            6 => Kind::DsaKey,
            _ => Kind::Parameters,
        },
        [0x0a, CONTEXT_0] => Kind::OcspResponse,
        _ => return None,
    })
}

/// Diffie-Hellman's generators are 2 and 5; RSA's exponents are odd and at least 3.
fn dh_or_rsa(second: Element<'_>) -> Kind {
    if matches!(second.contents, [2 | 5]) { Kind::Parameters } else { Kind::PublicKey }
}

/// Returns what an issuer or a requester has signed.
fn signed(body: Element<'_>) -> Kind {
    let Some(fields) = der::elements(body.contents) else { return Kind::Certificate };
    let tags: Vec<_> = fields.iter().take(4).map(|field| field.tag).collect();
    match tags.as_slice() {
        // Version, subject, key, attributes.
        [INTEGER, SEQUENCE, SEQUENCE, CONTEXT_0] if fields[0].contents == [0] => Kind::Request,
        [INTEGER, SEQUENCE, SEQUENCE] if fields.len() == 3 => Kind::Request,
        // A version or none, algorithm, issuer, and the time of the update at once.
        [INTEGER, SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME]
        | [SEQUENCE, SEQUENCE, UTC_TIME | GENERALIZED_TIME, ..] => Kind::RevocationList,
        [INTEGER, SEQUENCE, CONTEXT_0, SEQUENCE] => Kind::AttributeCertificate,
        _ => Kind::Certificate,
    }
}

/// Returns what contents are that are neither PEM nor DER, if that is known.
pub(super) fn of_foreign(contents: &[u8]) -> Option<Kind> {
    let text = contents.strip_prefix(UTF8_MARK).unwrap_or(contents).trim_ascii();
    let starts = |marks: &[&[u8]]| marks.iter().any(|mark| contents.starts_with(mark));
    Some(if text.is_empty() {
        Kind::Empty
    } else if let Some(encoding) = wide_encoding(contents) {
        if encoding == "UTF-32" { Kind::Utf32 } else { Kind::Utf16 }
    } else if starts(&[&[0xfe, 0xed, 0xfe, 0xed]]) {
        Kind::Jks
    } else if starts(&[&[0xce, 0xce, 0xce, 0xce]]) {
        Kind::Jceks
    } else if starts(&[b"SQLite format 3\0"]) {
        Kind::NssDatabase
    } else if starts(&[b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]) {
        Kind::Compressed
    } else if starts(&[b"PuTTY-User-Key-File"]) {
        Kind::PuttyKey
    } else if ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2"]
        .iter()
        .any(|it| text.starts_with(it.as_bytes()))
    {
        Kind::SshPublicKey
    } else if text.starts_with(b"{") || text.starts_with(b"[{") {
        Kind::Json
    } else if [&b"<!doctype"[..], b"<html", b"<?xml"].iter().any(|it| starts_without_case(text, it)) {
        Kind::Html
    } else if text.starts_with(BASE64_OF_BEGIN) {
        Kind::Base64
    } else if text.starts_with(b"MI") && text.len() > 64 && text.iter().all(|it| is_base64(*it)) {
        Kind::BareBase64
    } else {
        return None;
    })
}

fn starts_without_case(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') || byte.is_ascii_whitespace()
}

pub(super) const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
/// `-----BEGIN` in base64.
const BASE64_OF_BEGIN: &[u8] = b"LS0tLS1CRUdJTi";
/// 1.2.840.113549.1.7.2
pub(super) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.10040.4.1
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
