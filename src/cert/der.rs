//! Elements of DER, as far as files are taken apart here: tag, length, contents.

/// An element: its identifier octet, its contents, and both with the length between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    pub contents: &'a [u8],
    pub whole: &'a [u8],
}

/// Returns the first element and what follows it; none if it is cut off, of indefinite length or has a long tag.
pub fn first(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, header, length) = header(der)?;
    let end = header.checked_add(length?)?;
    let whole = der.get(..end)?;
    Some((Element { tag, contents: &whole[header..], whole }, &der[end..]))
}

/// Returns the elements in a row; none if one of them is malformed.
pub fn elements(mut der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (element, rest) = first(der)?;
        found.push(element);
        der = rest;
    }
    Some(found)
}

/// Returns the elements of the element of this tag that `der` begins with.
pub fn inside(der: &[u8], tag: u8) -> Option<Vec<Element<'_>>> {
    let (element, _) = first(der)?;
    if element.tag == tag { elements(element.contents) } else { None }
}

/// Returns the identifier octet of an element, the length of its header and that of its contents, which is none where
/// the length is indefinite.
pub(super) fn header(der: &[u8]) -> Option<(u8, usize, Option<usize>)> {
    let (&tag, rest) = der.split_first()?;
    let &length = rest.first()?;
    if tag & LONG_TAG == LONG_TAG {
        return None;
    }
    if length < 0x80 {
        return Some((tag, 2, Some(length.into())));
    }
    let count = usize::from(length & 0x7f);
    if count == 0 {
        return Some((tag, 2, None));
    }
    if count > MOST_LENGTH_OCTETS {
        return None;
    }
    let length = rest.get(1..=count)?.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
    Some((tag, 2 + count, Some(length)))
}

/// Writes an element.
pub fn push(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    out.push(tag);
    let octets = contents.len().to_be_bytes();
    let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    match significant {
        [] => out.push(0),
        [length] if *length < 0x80 => out.push(*length),
        _ => {
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(contents);
}

/// Returns a number of up to four octets that is not negative.
pub fn small_number(integer: Element<'_>) -> Option<u32> {
    let digits = integer.contents.strip_prefix(&[0]).unwrap_or(integer.contents);
    let fits = integer.tag == INTEGER && digits.len() <= 4 && integer.contents.first().is_some_and(|it| it & 0x80 == 0);
    fits.then(|| digits.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

/// Returns an object identifier in dotted numbers.
pub(super) fn dotted(oid: &[u8]) -> String {
    pkcs8::ObjectIdentifier::from_bytes(oid).map_or_else(|_| "unknown".to_owned(), |oid| oid.to_string())
}

pub(super) const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub(super) const CONTEXT_CLASS: u8 = 0x80;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub(super) const CONTEXT_1: u8 = 0xa1;
const LONG_TAG: u8 = 0x1f;
/// Of the lengths that are read: up to 4 GiB.
const MOST_LENGTH_OCTETS: usize = 4;
