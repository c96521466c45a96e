//! Revocation lists of every kind, in DER and signed by an [`Authority`] with an ECDSA key.
//!
//! ```ignore
//! let list = List::new(NOW).number(7).revoking(&leaf).der(&ca);
//! let file = write(folder, "crl.pem", pem(&[list]).as_bytes(), 0o644);
//! ```

use pkcs8::der::pem::{LineEnding, encode_string};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::ca::{Authority, Leaf, time};

/// A revocation list to be: of version 2, from a day before `now` to a day after, without a number.
#[derive(Clone, Debug)]
pub struct List {
    from: i64,
    until: Option<i64>,
    number: Option<u64>,
    revoked: Vec<(u64, Option<u8>)>,
    /// OID's last part, criticality, value.
    extensions: Vec<(u8, bool, Vec<u8>)>,
    names_key: bool,
    version: Option<u8>,
}

impl List {
    pub fn new(now: i64) -> Self {
        Self {
            from: now - 86_400,
            until: Some(now + 86_400),
            number: None,
            revoked: Vec::new(),
            extensions: Vec::new(),
            names_key: true,
            version: Some(1),
        }
    }

    pub fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// From this update to the next.
    pub fn dated(mut self, from: i64, until: i64) -> Self {
        (self.from, self.until) = (from, Some(until));
        self
    }

    pub fn without_next_update(mut self) -> Self {
        self.until = None;
        self
    }

    pub fn revoking(self, leaf: &Leaf) -> Self {
        self.revoking_serial(leaf.serial())
    }

    pub fn revoking_serial(mut self, serial: u64) -> Self {
        self.revoked.push((serial, None));
        self
    }

    /// In a delta: not revoked any more.
    pub fn taking_back(mut self, leaf: &Leaf) -> Self {
        self.revoked.push((leaf.serial(), Some(8)));
        self
    }

    /// What changed since the list of this number.
    pub fn delta(self, base: u64) -> Self {
        self.extension(27, true, integer(base))
    }

    /// Fields of the issuing distribution point in DER.
    pub fn scope(self, fields: &[u8]) -> Self {
        self.extension(28, true, tlv(0x30, fields))
    }

    /// An extension 2.5.29.`number`.
    pub fn extension(mut self, number: u8, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.push((number, critical, value));
        self
    }

    /// Without the identifier of the key that signs it.
    pub fn of_unnamed_key(mut self) -> Self {
        self.names_key = false;
        self
    }

    pub fn of_version_1(mut self) -> Self {
        self.version = None;
        self
    }

    pub fn der(&self, issuer: &Authority) -> Vec<u8> {
        let (_, certificate) = X509Certificate::from_der(issuer.certificate()).unwrap();
        let mut tbs = self.version.map(|version| tlv(0x02, &[version])).unwrap_or_default();
        tbs.extend(algorithm());
        tbs.extend(certificate.subject().as_raw());
        tbs.extend(utc_time(self.from));
        tbs.extend(self.until.map(utc_time).unwrap_or_default());
        let entries: Vec<_> = self.revoked.iter().flat_map(|(serial, reason)| self.entry(*serial, *reason)).collect();
        if !entries.is_empty() {
            tbs.extend(tlv(0x30, &entries));
        }
        let mut extensions = Vec::new();
        if self.names_key {
            let id = certificate.extensions().iter().find_map(|it| match it.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            });
            extensions.extend(extension(35, false, &tlv(0x30, &tlv(0x80, &id.unwrap()))));
        }
        extensions.extend(self.number.map(|number| extension(20, false, &integer(number))).unwrap_or_default());
        for (number, critical, value) in &self.extensions {
            extensions.extend(extension(*number, *critical, value));
        }
        if self.version.is_some() {
            tbs.extend(tlv(0xa0, &tlv(0x30, &extensions)));
        }
        let tbs = tlv(0x30, &tbs);
        let signature = issuer.signature(&tbs);
        tlv(0x30, &[tbs, algorithm(), tlv(0x03, &[&[0], &signature[..]].concat())].concat())
    }

    fn entry(&self, serial: u64, reason: Option<u8>) -> Vec<u8> {
        let mut entry = integer(serial);
        entry.extend(utc_time(self.from));
        if let Some(reason) = reason {
            entry.extend(tlv(0x30, &extension(21, false, &tlv(0x0a, &[reason]))));
        }
        tlv(0x30, &entry)
    }
}

/// Lists as PEM, in this order.
pub fn pem(lists: &[Vec<u8>]) -> String {
    lists.iter().map(|der| encode_string("X509 CRL", LineEnding::LF, der).unwrap()).collect()
}

/// The field of an issuing distribution point, or of a certificate's, that names a place.
pub fn point(uri: &str) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())))
}

pub fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut der = vec![tag];
    match length {
        0..=0x7f => der.push(length as u8),
        0x80..=0xff => der.extend([0x81, length as u8]),
        0x100..=0xffff => der.extend([0x82, (length >> 8) as u8, length as u8]),
        _ => der.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
    der.extend(contents);
    der
}

fn extension(number: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut fields = tlv(0x06, &[0x55, 0x1d, number]);
    if critical {
        fields.extend(tlv(0x01, &[0xff]));
    }
    fields.extend(tlv(0x04, value));
    tlv(0x30, &fields)
}

fn integer(number: u64) -> Vec<u8> {
    let bytes: Vec<_> = [0].into_iter().chain(number.to_be_bytes()).collect();
    // As short as DER wants it: a zero stays only where the next byte would be a sign.
    let start = (0..8).find(|at| bytes[*at] != 0 || bytes[at + 1] >= 0x80).unwrap_or(8);
    tlv(0x02, &bytes[start..])
}

fn utc_time(seconds: i64) -> Vec<u8> {
    let at = time(seconds);
    let (date, (hour, minute, second)) = (at.date(), at.to_hms());
    let (year, month, day) = (date.year() % 100, u8::from(date.month()), date.day());
    tlv(0x17, format!("{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z").as_bytes())
}

/// ecdsa-with-SHA256
fn algorithm() -> Vec<u8> {
    tlv(0x30, &tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
}
