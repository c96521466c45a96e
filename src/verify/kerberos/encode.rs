//! Writing Kerberos's messages in DER.

use crate::cert::der;

pub(super) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    der::push(&mut out, tag, contents);
    out
}

pub(super) fn sequence(contents: &[u8]) -> Vec<u8> {
    element(der::SEQUENCE, contents)
}

/// Returns a field of a sequence, by its number.
pub(super) fn field(number: u8, contents: &[u8]) -> Vec<u8> {
    element(CONTEXT | number, contents)
}

/// Returns a number below 128.
pub(super) fn integer(number: u8) -> Vec<u8> {
    element(der::INTEGER, &[number])
}

/// Returns the name of a principal.
pub(super) fn name(kind: u8, parts: &[&str]) -> Vec<u8> {
    let texts: Vec<_> = parts.iter().map(|text| element(GENERAL_STRING, text.as_bytes())).collect();
    sequence(&[field(0, &integer(kind)), field(1, &sequence(&texts.concat()))].concat())
}

pub(super) const CONTEXT: u8 = 0xa0;
pub(super) const GENERAL_STRING: u8 = 0x1b;
pub(super) const NT_PRINCIPAL: u8 = 1;
pub(super) const NT_SRV_HST: u8 = 3;
