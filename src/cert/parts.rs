//! What the contents of a file are, whatever its format: certificates, private keys, revocation lists. The one reader
//! of `run`, `check`, `lint` and `cert`.

use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::der::{self, CONTEXT_0, SEQUENCE};
use super::encoded_key::EncodedKey;
use super::error::Instead;
use super::kind::{self, Kind};
use super::passphrase::Passphrase;
use super::pem::{self, CERTIFICATE_LABELS, Section};
use super::{MaterialError, Pkcs12Error, pkcs7, pkcs12};

/// The contents of one file, taken apart.
pub struct Parts {
    pub path: PathBuf,
    /// In the file's order.
    pub certificates: Vec<CertificateDer<'static>>,
    pub keys: Vec<EncodedKey>,
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// Whether the format has an order of its own, so that the server's certificate need not be the first.
    pub is_unordered: bool,
    /// What of the rest of the file comes first.
    other: Option<Kind>,
}

impl Parts {
    /// Takes contents apart; `path` is for messages, and the passphrase opens an archive.
    ///
    /// # Errors
    /// They are malformed, or of a format that is not read.
    pub fn of(path: &Path, contents: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, MaterialError> {
        let (certificates, keys, revocation_lists) = (Vec::new(), Vec::new(), Vec::new());
        let path = path.to_owned();
        let mut parts = Self { path, certificates, keys, revocation_lists, is_unordered: false, other: None };
        if pkcs12::is_archive(contents) {
            parts.add_archive(contents, passphrase)?;
        } else if is_der(contents) {
            parts.add_der(contents)?;
        } else {
            match kind::of_foreign(contents) {
                Some(Kind::Empty) => parts.note(Kind::Empty),
                Some(kind) => return Err(MaterialError::ForeignFormat { path: parts.path, kind }),
                None if pem::is_pem(contents) => parts.add_pem(contents, passphrase)?,
                // What is cut off is handed on, so that its decoding says what is wrong with it.
                None if contents.first() == Some(&SEQUENCE) => {
                    parts.certificates.push(CertificateDer::from(contents.to_vec()));
                }
                None => {}
            }
        }
        Ok(parts)
    }

    /// Returns the certificates; at least one.
    ///
    /// # Errors
    /// There is none.
    pub fn certificates(self) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
        if self.certificates.is_empty() {
            let instead = self.instead();
            return Err(MaterialError::NoCertificate { path: self.path, instead });
        }
        Ok(self.certificates)
    }

    /// Returns the revocation lists; at least one.
    ///
    /// # Errors
    /// There is none.
    pub fn revocation_lists(self) -> Result<Vec<CertificateRevocationListDer<'static>>, MaterialError> {
        if self.revocation_lists.is_empty() {
            let instead = self.instead();
            return Err(MaterialError::NoRevocationList { path: self.path, instead });
        }
        Ok(self.revocation_lists)
    }

    /// Returns the first private key.
    ///
    /// # Errors
    /// There is none.
    pub fn key(&self) -> Result<&EncodedKey, MaterialError> {
        let none = || MaterialError::NoKey { path: self.path.clone(), instead: self.instead() };
        self.keys.first().ok_or_else(none)
    }

    /// Returns what the file is, for whoever looked for something else in it.
    pub fn instead(&self) -> Instead {
        let kinds = [
            self.other.filter(|it| *it != Kind::Parameters),
            self.keys.first().map(|key| if key.needs_passphrase() { Kind::EncryptedKey } else { Kind::PrivateKey }),
            (!self.revocation_lists.is_empty()).then_some(Kind::RevocationList),
            (!self.certificates.is_empty()).then_some(Kind::Certificate),
            self.other,
        ];
        Instead(kinds.into_iter().flatten().next())
    }

    fn add_pem(&mut self, contents: &[u8], passphrase: Option<&Passphrase>) -> Result<(), MaterialError> {
        let malformed = |fault: pem::Fault| MaterialError::Malformed {
            path: self.path.clone(),
            line: fault.line,
            detail: fault.detail,
        };
        for section in pem::sections(contents).map_err(malformed)? {
            self.add_section(&section, passphrase)?;
        }
        Ok(())
    }

    fn add_section(&mut self, section: &Section, passphrase: Option<&Passphrase>) -> Result<(), MaterialError> {
        let malformed =
            |detail: String| MaterialError::Malformed { path: self.path.clone(), line: section.line, detail };
        let is_whole = der::first(&section.der).is_some_and(|(element, _)| element.tag == SEQUENCE);
        match section.label.as_str() {
            "X509 CRL" if !is_whole => return Err(malformed(NOT_WHOLE.to_owned())),
            label if CERTIFICATE_LABELS.contains(&label) && !is_whole => {
                return Err(malformed(NOT_WHOLE.to_owned()));
            }
            label if CERTIFICATE_LABELS.contains(&label) => {
                // OpenSSL's trusted certificates go on after the certificate.
                match der::first(&section.der) {
                    Some((certificate, trust)) if label == "TRUSTED CERTIFICATE" => {
                        self.certificates.push(CertificateDer::from(certificate.whole.to_vec()));
                        if is_rejected(trust) {
                            let position = self.certificates.len();
                            return Err(MaterialError::Distrusted { path: self.path.clone(), position });
                        }
                    }
                    _ if pkcs7::read(&section.der).is_some() => self.add_signed_data(&section.der),
                    _ => self.certificates.push(CertificateDer::from(section.der.to_vec())),
                }
            }
            "X509 CRL" => self.revocation_lists.push(CertificateRevocationListDer::from(section.der.to_vec())),
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => {
                if pkcs7::read(&section.der).is_none() {
                    return Err(malformed("its PKCS#7 section cannot be decoded".to_owned()));
                }
                self.add_signed_data(&section.der);
            }
            "PKCS12" => self.add_archive(&section.der, passphrase)?,
            label => match EncodedKey::of_section(section) {
                Some(key) => self.keys.push(key),
                None => self.note(of_label(label).ok_or_else(|| malformed(unknown(label)))?),
            },
        }
        Ok(())
    }

    /// Adds what is in a row of DER: mostly one thing.
    fn add_der(&mut self, contents: &[u8]) -> Result<(), MaterialError> {
        let mut rest = contents;
        while !is_padding(rest) {
            let Some((element, after)) = der::first(rest).filter(|(element, _)| element.tag == SEQUENCE) else {
                // BER has no length that tells its end.
                if pkcs7::read(rest).is_some() {
                    self.add_signed_data(rest);
                    return Ok(());
                }
                let (at, rest) = (contents.len() - rest.len(), rest.len());
                let detail = format!("{rest} bytes from byte {at} on are neither DER nor blank");
                return Err(MaterialError::Broken { path: self.path.clone(), detail });
            };
            let der = element.whole;
            match kind::of_der(der) {
                Some(Kind::Certificate) | None => self.certificates.push(CertificateDer::from(der.to_vec())),
                Some(Kind::RevocationList) => {
                    self.revocation_lists.push(CertificateRevocationListDer::from(der.to_vec()));
                }
                Some(Kind::SignedData) => self.add_signed_data(der),
                Some(kind @ (Kind::PrivateKey | Kind::EncryptedKey)) => self.keys.push(EncodedKey::of_der(kind, der)),
                Some(kind) => self.note(kind),
            }
            rest = after;
        }
        Ok(())
    }

    fn add_signed_data(&mut self, contents: &[u8]) {
        let signed = pkcs7::read(contents).unwrap_or_default();
        if signed.certificates.is_empty() && signed.revocation_lists.is_empty() {
            self.note(Kind::SignedData);
        }
        self.is_unordered |= signed.certificates.len() > 1;
        self.certificates.extend(signed.certificates);
        self.revocation_lists.extend(signed.revocation_lists);
    }

    /// Adds a keystore or truststore in PKCS#12.
    fn add_archive(&mut self, contents: &[u8], passphrase: Option<&Passphrase>) -> Result<(), MaterialError> {
        // A passphrase is given for all files; some archives have the empty one.
        let opened = match pkcs12::read(contents, passphrase) {
            Err(Pkcs12Error::WrongPassphrase) if passphrase.is_some() => {
                pkcs12::read(contents, None).map_err(|_| Pkcs12Error::WrongPassphrase)
            }
            outcome => outcome,
        };
        let opened = opened.map_err(|error| MaterialError::Archive { path: self.path.clone(), error })?;
        if opened.keys.is_empty() && opened.certificates.is_empty() {
            self.note(Kind::Archive);
        }
        self.keys.extend(opened.keys.into_iter().map(EncodedKey::of_archive));
        self.certificates.extend(opened.certificates);
        self.is_unordered = true;
        Ok(())
    }

    fn note(&mut self, kind: Kind) {
        self.other = self.other.filter(|it| *it != Kind::Parameters).or(Some(kind));
    }
}

/// Returns whether contents begin with an element of DER or BER. Text that begins with a zero does too, by its first two
/// bytes, and goes on behind the element's end.
fn is_der(contents: &[u8]) -> bool {
    match der::header(contents) {
        Some((SEQUENCE, header, Some(length))) => {
            contents.get(header + length..).is_some_and(|rest| !contents[1].is_ascii() || is_padding(rest))
        }
        Some((SEQUENCE, _, None)) => true,
        _ => false,
    }
}

/// Returns whether the rest of a file is what editors and disks append.
fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

/// Returns whether the trust settings after a certificate (X509_CERT_AUX of OpenSSL) reject some use of it.
fn is_rejected(trust: &[u8]) -> bool {
    der::inside(trust, SEQUENCE).is_some_and(|parts| parts.iter().any(|part| part.tag == CONTEXT_0))
}

/// Returns what a section is that holds nothing that is read, by its label.
fn of_label(label: &str) -> Option<Kind> {
    Some(match label {
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Kind::Request,
        "DSA PRIVATE KEY" => Kind::DsaKey,
        "OPENSSH PRIVATE KEY" => Kind::OpensshKey,
        "SSH2 PUBLIC KEY" => Kind::SshPublicKey,
        "ATTRIBUTE CERTIFICATE" => Kind::AttributeCertificate,
        "OCSP RESPONSE" => Kind::OcspResponse,
        "SSL SESSION PARAMETERS" | "OPENVPN STATIC KEY V1" | "OpenVPN Static key V1" | "TSS2 KEY BLOB" => {
            Kind::OtherSection
        }
        _ if label.starts_with("PGP ") => Kind::Pgp,
        _ if label.ends_with("PUBLIC KEY") => Kind::PublicKey,
        _ if label.ends_with("PARAMETERS") => Kind::Parameters,
        _ if label.ends_with("PRIVATE KEY") => Kind::OtherSection,
        _ => return None,
    })
}

fn unknown(label: &str) -> String {
    let shown = label.chars().take(40).collect::<String>();
    let near = CERTIFICATE_LABELS.iter().chain(&["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "X509 CRL"]);
    let meant = near.min_by_key(|known| strsim::damerau_levenshtein(known, &shown));
    let meant = meant.filter(|known| strsim::damerau_levenshtein(known, &shown) <= 4);
    let meant = meant.map(|known| format!(", perhaps {known}")).unwrap_or_default();
    format!("a section \"{}\" is of no known kind{meant}", shown.escape_debug())
}

const NOT_WHOLE: &str = "the section that begins here is cut off, or letters of its base64 are missing or changed";
