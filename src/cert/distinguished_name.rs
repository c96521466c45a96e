//! Distinguished names, and when clients take two for the same: by their octets, or by RFC 5280, section 7.1, without
//! regard to case, blanks and types of strings.

use unicode_normalization::UnicodeNormalization;

use super::der::{self, BIT_STRING, Element, SEQUENCE};

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    pub der: Vec<u8>,
    /// In OpenSSL's canonical form: equal for names that differ in case, blanks or types of strings.
    folded: Vec<u8>,
    /// The form of [`Self::near`], where it is another.
    near: Option<Vec<u8>>,
}

impl DistinguishedName {
    pub fn new(der: &[u8]) -> Self {
        let folded = canonical(der, OPENSSL);
        // Beyond ASCII letters have several forms, which Java takes for the same.
        let near = (!folded.is_ascii() && !is_plain(&folded)).then(|| canonical(der, ANY));
        Self { der: der.to_vec(), folded, near }
    }

    /// Returns what is the same for all names that OpenSSL takes for equal; a name below it begins with it.
    pub fn folded(&self) -> &[u8] {
        &self.folded
    }

    /// Returns what is the same for all names that any client takes for equal, and for some others.
    pub fn near(&self) -> &[u8] {
        self.near.as_deref().unwrap_or(&self.folded)
    }

    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Returns whether OpenSSL takes both for the same name.
    pub fn folds_as(&self, other: &Self) -> bool {
        self.folded == other.folded
    }

    /// Returns whether Java takes both for the same name: it folds strings of two types and of the attributes that RFC
    /// 2253 has words for, and compares others by their octets.
    pub fn is_same_in_java(&self, other: &Self) -> bool {
        self.der == other.der
            || (self.near() == other.near() && canonical(&self.der, JAVA) == canonical(&other.der, JAVA))
    }

    /// Returns whether Java takes this name for one below `base`, or for `base` itself.
    pub fn is_within_in_java(&self, base: &Self) -> bool {
        canonical(&self.der, JAVA).starts_with(&canonical(&base.der, JAVA))
    }

    /// Returns whether every string of a name in DER is of a type that names have, and text in its encoding.
    pub(super) fn has_text(name: &[u8]) -> bool {
        let is_text = |value: &Element<'_>| match value.tag {
            UTF8 => std::str::from_utf8(value.contents).is_ok(),
            BMP => value.contents.len().is_multiple_of(2),
            UNIVERSAL => value.contents.len().is_multiple_of(4),
            tag => STRINGS.contains(&tag),
        };
        let inside = |element: Element<'_>, is: &dyn Fn(Element<'_>) -> bool| {
            der::elements(element.contents).unwrap_or_default().into_iter().all(is)
        };
        let has_text = |pair: Element<'_>| match der::elements(pair.contents).as_deref() {
            Some([_, value]) => is_text(value),
            _ => false,
        };
        let sets = der::inside(name, SEQUENCE).unwrap_or_default();
        sets.into_iter().all(|set| inside(set, &has_text))
    }

    /// Returns the mailboxes of the name, and whether each is written in ASCII's type of string.
    pub fn mailboxes(&self) -> Vec<(String, bool)> {
        let sets = der::inside(&self.der, SEQUENCE).unwrap_or_default();
        let pairs = sets.iter().flat_map(|set| der::elements(set.contents).unwrap_or_default());
        let mailbox = |pair: Element<'_>| match der::elements(pair.contents).as_deref() {
            Some([number, value]) if number.contents == EMAIL_ADDRESS => {
                Some((text(value.tag.into(), value.contents), value.tag == IA5))
            }
            _ => None,
        };
        pairs.filter_map(mailbox).collect()
    }
}

/// How strings of a name become comparable.
#[derive(Clone, Copy)]
struct Folding {
    types: &'static [u8],
    /// The attributes whose strings are folded, where that is not all of them.
    attributes: Option<&'static [&'static [u8]]>,
    fold: fn(&str) -> String,
}

const OPENSSL: Folding = Folding { types: &TEXT, attributes: None, fold };
const JAVA: Folding = Folding { types: &[UTF8, PRINTABLE], attributes: Some(RFC_2253), fold: fold_in_java };
const ANY: Folding = Folding { types: &TEXT, attributes: None, fold: fold_all };

/// Returns whether all strings of a canonical form are ASCII.
fn is_plain(canonical: &[u8]) -> bool {
    der::elements(canonical).unwrap_or_default().iter().all(|element| match element.tag {
        SET | SEQUENCE => is_plain(element.contents),
        UTF8 => element.contents.is_ascii(),
        _ => true,
    })
}

/// Returns the sets of a name one after the other, with the strings of some types folded.
fn canonical(name: &[u8], folding: Folding) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for set in der::inside(name, SEQUENCE).unwrap_or_default() {
        let mut attributes: Vec<_> =
            der::elements(set.contents).unwrap_or_default().iter().map(|it| attribute(*it, folding)).collect();
        attributes.sort();
        der::push(&mut out, SET, &attributes.concat());
    }
    out
}

fn attribute(pair: Element<'_>, folding: Folding) -> Vec<u8> {
    let parts = der::elements(pair.contents).unwrap_or_default();
    let folds = |attributes: &[&[u8]]| parts.first().is_some_and(|number| attributes.contains(&number.contents));
    if !folding.attributes.is_none_or(folds) {
        return pair.whole.to_vec();
    }
    let mut contents = Vec::with_capacity(pair.whole.len());
    for part in &parts {
        if folding.types.contains(&part.tag) {
            der::push(&mut contents, UTF8, (folding.fold)(&text(part.tag.into(), part.contents)).as_bytes());
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

/// Folds as `AVA.toRFC2253CanonicalString` of Java does: ASCII blanks, case by way of capitals, and compatible letters.
fn fold_in_java(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != ' ' || !single.ends_with(' ') {
            single.push(letter);
        }
    }
    compatible(single.trim_matches(|letter| letter <= ' '))
}

/// Folds whatever any client folds.
fn fold_all(text: &str) -> String {
    compatible(text).split(|letter: char| letter.is_whitespace() || letter.is_control()).fold(
        String::new(),
        |mut all, word| {
            if !all.is_empty() && !word.is_empty() {
                all.push(' ');
            }
            all + word
        },
    )
}

fn compatible(text: &str) -> String {
    text.to_uppercase().to_lowercase().nfkd().collect()
}

/// The attributes with a word in RFC 2253: CN, C, L, ST, O, OU, STREET, DC and UID.
const RFC_2253: &[&[u8]] = &[
    &[0x55, 4, 3],
    &[0x55, 4, 6],
    &[0x55, 4, 7],
    &[0x55, 4, 8],
    &[0x55, 4, 10],
    &[0x55, 4, 11],
    &[0x55, 4, 9],
    &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
    &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
];
/// 1.2.840.113549.1.9.1
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];
/// What OpenSSL takes in names beside the types with an encoding (`B_ASN1_PRINTABLE`).
const STRINGS: [u8; 6] = [BIT_STRING, NUMERIC, PRINTABLE, T61, IA5, SEQUENCE];
const NUMERIC: u8 = 0x12;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const T61: u8 = 0x14;
const IA5: u8 = 0x16;
const VISIBLE: u8 = 0x1a;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;
const SET: u8 = 0x31;
const TEXT: [u8; 7] = [UTF8, PRINTABLE, T61, IA5, VISIBLE, UNIVERSAL, BMP];
