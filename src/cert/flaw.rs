//! What of a certificate is written in another way than RFC 5280 and DER want, so that some client cannot read it.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::x509::X509Name;

use super::der::{self, BIT_STRING, Element, SEQUENCE, UTC_TIME};
use super::distinguished_name::DistinguishedName;
use super::extensions::{NameConstraints, WrittenConstraints};
use super::oid::extension_name;

/// What some client cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The value of an extension cannot be read.
    Unreadable(FlawedExtension),
    /// More follows the value of an extension.
    Surplus(FlawedExtension),
    /// An extension is there twice, by its dotted number.
    Doubled(String),
    /// The alternative names are an empty list.
    NoNames,
    /// A path length is a negative number.
    NegativePathLength,
    /// A path length is a greater number than anybody has.
    HugePathLength,
    /// CA:TRUE is written as another number than 255.
    LooseBoolean,
    /// The algorithm of the signature is not the one that the signed part names, which is this one in dotted numbers.
    Algorithms(String),
    /// A time has a fraction or an offset, or no seconds.
    Time,
    /// The certificate begins before 1970.
    EarlyTime,
    /// There are extensions, and the version is not 3.
    Version,
    /// A string of the subject or the issuer is of a type that names do not have, or is no text in its encoding.
    NameString,
    /// The subject or the issuer has a unique identifier.
    UniqueIdentifier,
    /// More follows the certificate.
    Rest,
}

/// An extension that cannot be read as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlawedExtension {
    /// Dotted.
    pub number: String,
    pub critical: bool,
}

impl Flaw {
    /// Returns the flaws of a certificate, which `rest` follows.
    pub(super) fn all_of(parsed: &X509Certificate<'_>, der: &[u8], rest: &[u8]) -> Vec<Self> {
        let mut flaws: Vec<_> = parsed.extensions().iter().filter_map(of_extension).collect();
        flaws.extend(doubled(parsed.extensions()));
        let parts = der::inside(der, SEQUENCE).unwrap_or_default();
        let signed = parts.first().and_then(|body| der::elements(body.contents)).unwrap_or_default();
        // Version 1 is not written.
        let at = usize::from(signed.first().is_some_and(|it| it.tag == der::CONTEXT_0));
        let mut add = |is: bool, flaw: Self| flaws.extend(is.then_some(flaw));
        let whole = |element: Option<&Element<'_>>| element.map(|it| it.whole.to_vec());
        let inside = parsed.signature.algorithm.to_id_string();
        add(whole(signed.get(at + 1)) != whole(parts.get(1)), Self::Algorithms(inside));
        let times = signed.get(at + 3).and_then(|it| der::elements(it.contents)).unwrap_or_default();
        add(!times.iter().all(is_usual_time), Self::Time);
        add(parsed.validity().not_before.timestamp() < 0, Self::EarlyTime);
        add(!parsed.extensions().is_empty() && parsed.version().0 != 2, Self::Version);
        let has_text = |name: &X509Name<'_>| DistinguishedName::has_text(name.as_raw());
        add(!has_text(parsed.subject()) || !has_text(parsed.issuer()), Self::NameString);
        add(parsed.issuer_uid.is_some() || parsed.subject_uid.is_some(), Self::UniqueIdentifier);
        add(!rest.is_empty(), Self::Rest);
        flaws
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(extension) => {
                write!(f, "the extension {} cannot be decoded", extension_name(&extension.number))
            }
            Self::Surplus(extension) => {
                write!(f, "bytes follow the value of the extension {}", extension_name(&extension.number))
            }
            Self::Doubled(number) => write!(f, "the extension {} is there twice", extension_name(number)),
            Self::NoNames => f.write_str("the list of alternative names is empty"),
            Self::NegativePathLength => f.write_str("the path length is a negative number"),
            Self::HugePathLength => f.write_str("the path length is a huge number"),
            Self::LooseBoolean => f.write_str("CA:TRUE is written as another number than 255"),
            Self::Algorithms(_) => f.write_str("the signature has another algorithm than the signed part names"),
            Self::Time => f.write_str("a date has a fraction or an offset, or no seconds"),
            Self::EarlyTime => f.write_str("its validity begins before 1970"),
            Self::Version => f.write_str("it has extensions and is not of version 3"),
            Self::NameString => f.write_str("a string of its names is of a foreign type, or no text in its encoding"),
            Self::UniqueIdentifier => f.write_str("it has a unique identifier"),
            Self::Rest => f.write_str("bytes follow the end of the certificate"),
        }
    }
}

fn of_extension(extension: &X509Extension<'_>) -> Option<Flaw> {
    let flawed = || FlawedExtension { number: extension.oid.to_id_string(), critical: extension.critical };
    let is_readable = match extension.oid.as_bytes() {
        BASIC_CONSTRAINTS => match WrittenConstraints::read(extension.value) {
            Some(written) if written.is_negative => return Some(Flaw::NegativePathLength),
            Some(written) if written.is_huge => return Some(Flaw::HugePathLength),
            Some(written) if written.is_loose => return Some(Flaw::LooseBoolean),
            read => read.is_some(),
        },
        NAME_CONSTRAINTS => NameConstraints::read(extension.value, extension.critical).is_some(),
        NETSCAPE_TYPE => der::first(extension.value).is_some_and(|(bits, _)| bits.tag == BIT_STRING),
        _ => match extension.parsed_extension() {
            ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::Unparsed => return None,
            ParsedExtension::SubjectAlternativeName(names) if names.general_names.is_empty() => {
                return Some(Flaw::NoNames);
            }
            parsed => !matches!(parsed, ParsedExtension::ParseError { .. }),
        },
    };
    if !is_readable {
        return Some(Flaw::Unreadable(flawed()));
    }
    let (_, rest) = der::first(extension.value)?;
    (!rest.is_empty()).then(|| Flaw::Surplus(flawed()))
}

fn doubled(extensions: &[X509Extension<'_>]) -> Vec<Flaw> {
    let mut seen = HashSet::new();
    let again: BTreeSet<_> = extensions.iter().map(|it| it.oid.as_bytes()).filter(|oid| !seen.insert(*oid)).collect();
    let number = |oid| extensions.iter().find(|it| it.oid.as_bytes() == oid).map(|it| it.oid.to_id_string());
    again.into_iter().take(MOST_DOUBLED).filter_map(number).map(Flaw::Doubled).collect()
}

/// Returns whether a time is in the one form that DER has for it: to the second, in UTC.
fn is_usual_time(time: &Element<'_>) -> bool {
    let digits = if time.tag == UTC_TIME { 12 } else { 14 };
    match time.contents.split_last() {
        Some((b'Z', rest)) => rest.len() == digits && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Extensions that are there twice and are told.
const MOST_DOUBLED: usize = 100;
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
/// 2.16.840.1.113730.1.1
const NETSCAPE_TYPE: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01];
