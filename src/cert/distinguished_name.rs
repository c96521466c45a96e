//! Distinguished names, and when clients take two for the same: by their octets, or by RFC 5280, section 7.1, without
//! regard to case, blanks and types of strings.

use super::der::{self, Element, SEQUENCE};

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    pub der: Vec<u8>,
    /// In OpenSSL's canonical form: equal for names that differ in case, blanks or types of strings.
    folded: Vec<u8>,
}

impl DistinguishedName {
    pub fn new(der: &[u8]) -> Self {
        Self { der: der.to_vec(), folded: canonical(der, &TEXT) }
    }

    /// Returns what is the same for all names that OpenSSL takes for equal; a name below it begins with it.
    pub fn folded(&self) -> &[u8] {
        &self.folded
    }

    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Returns whether OpenSSL takes both for the same name.
    pub fn folds_as(&self, other: &Self) -> bool {
        self.folded == other.folded
    }

    /// Returns whether Java takes both for the same name: it folds strings of two types only, and compares others by
    /// their octets.
    pub fn is_same_in_java(&self, other: &Self) -> bool {
        self.der == other.der
            || (self.folded == other.folded && canonical(&self.der, &JAVA_TEXT) == canonical(&other.der, &JAVA_TEXT))
    }

    /// Returns whether Java takes this name for one below `base`, or for `base` itself.
    pub fn is_within_in_java(&self, base: &Self) -> bool {
        canonical(&self.der, &JAVA_TEXT).starts_with(&canonical(&base.der, &JAVA_TEXT))
    }
}

/// Returns the sets of a name one after the other, with the strings of some types folded.
fn canonical(name: &[u8], folded_types: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for set in der::inside(name, SEQUENCE).unwrap_or_default() {
        let mut attributes: Vec<_> =
            der::elements(set.contents).unwrap_or_default().iter().map(|it| attribute(*it, folded_types)).collect();
        attributes.sort();
        der::push(&mut out, SET, &attributes.concat());
    }
    out
}

fn attribute(pair: Element<'_>, folded_types: &[u8]) -> Vec<u8> {
    let parts = der::elements(pair.contents).unwrap_or_default();
    let mut contents = Vec::with_capacity(pair.whole.len());
    for part in &parts {
        if folded_types.contains(&part.tag) {
            der::push(&mut contents, UTF8, fold(&text(part.tag.into(), part.contents)).as_bytes());
        } else {
            contents.extend_from_slice(part.whole);
        }
    }
    let mut out = Vec::with_capacity(contents.len() + 4);
    der::push(&mut out, SEQUENCE, &contents);
    out
}

/// Returns the text of a string, whatever its type.
pub(super) fn text(tag: u32, octets: &[u8]) -> String {
    let unit = |octets: &[u8]| octets.iter().fold(0u32, |unit, octet| unit << 8 | u32::from(*octet));
    let letter = |unit: u32| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
    match u8::try_from(tag).unwrap_or_default() {
        BMP => octets.chunks(2).map(|it| letter(unit(it))).collect(),
        UNIVERSAL => octets.chunks(4).map(|it| letter(unit(it))).collect(),
        T61 => octets.iter().map(|octet| char::from(*octet)).collect(),
        _ => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// Lowers ASCII letters, drops blanks at both ends and makes one of several.
fn fold(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const T61: u8 = 0x14;
const IA5: u8 = 0x16;
const VISIBLE: u8 = 0x1a;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;
const SET: u8 = 0x31;
const TEXT: [u8; 7] = [UTF8, PRINTABLE, T61, IA5, VISIBLE, UNIVERSAL, BMP];
const JAVA_TEXT: [u8; 2] = [UTF8, PRINTABLE];
