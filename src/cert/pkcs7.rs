//! Certificates and revocation lists in PKCS#7, as authorities deliver chains (`.p7b`, `.p7c`; RFC 5652, section 5.1).

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

/// What a SignedData carries besides signatures, which nobody makes in such a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SignedData {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

/// Reads a SignedData in DER; none if it is something else. Certificates are kept byte for byte.
pub(super) fn read(der: &[u8]) -> Option<SignedData> {
    let content_info = sequence(der)?;
    let (content, kind) = Any::from_der(content_info).ok()?;
    if kind.tag() != Tag::Oid || kind.data != SIGNED_DATA {
        return None;
    }
    let (_, explicit) = Any::from_der(content).ok()?;
    let mut rest = sequence(context(&explicit, 0)?)?;
    let mut found = SignedData::default();
    while !rest.is_empty() {
        let (after, field) = Any::from_der(rest).ok()?;
        if let Some(certificates) = context(&field, 0) {
            found.certificates = elements(certificates)?.into_iter().map(CertificateDer::from).collect();
        } else if let Some(lists) = context(&field, 1) {
            found.revocation_lists = elements(lists)?.into_iter().map(CertificateRevocationListDer::from).collect();
        }
        rest = after;
    }
    Some(found)
}

/// Returns the contents of a SEQUENCE at the start of `der`.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    let (_, any) = Any::from_der(der).ok()?;
    (any.tag() == Tag::Sequence).then_some(any.data)
}

fn context<'a>(any: &Any<'a>, number: u32) -> Option<&'a [u8]> {
    (any.class() == Class::ContextSpecific && any.tag() == Tag(number)).then_some(any.data)
}

/// Returns each SEQUENCE in a row, whole. Other forms of certificate (RFC 5652, section 10.2.2) are passed over.
fn elements(mut der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (rest, any) = Any::from_der(der).ok()?;
        if any.tag() == Tag::Sequence {
            found.push(der[..der.len() - rest.len()].to_vec());
        }
        der = rest;
    }
    Some(found)
}

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
