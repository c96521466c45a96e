//! General names (RFC 5280, section 4.2.1.6), as alternative names and as name constraints have them.

use std::fmt;

use x509_parser::extensions::GeneralName as Parsed;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::hex::hexadecimal;

/// A general name, or the base of a name constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    Dns(String),
    /// The octets of an address, or of an address and its mask.
    Ip(Vec<u8>),
    /// A distinguished name in DER.
    Directory {
        der: Vec<u8>,
        words: String,
    },
    Email(String),
    Uri(String),
    /// A name of another kind, by the number of its tag, in words.
    Other {
        tag: u32,
        words: String,
    },
}

impl GeneralName {
    pub(super) fn of(parsed: &Parsed<'_>) -> Self {
        let words = || parsed.to_string();
        match parsed {
            Parsed::DNSName(name) => Self::Dns((*name).to_owned()),
            Parsed::IPAddress(octets) => Self::Ip(octets.to_vec()),
            Parsed::DirectoryName(name) => Self::Directory { der: name.as_raw().to_vec(), words: words() },
            Parsed::RFC822Name(name) => Self::Email((*name).to_owned()),
            Parsed::URI(name) => Self::Uri((*name).to_owned()),
            Parsed::OtherName(..) => Self::Other { tag: 0, words: words() },
            Parsed::X400Address(_) => Self::Other { tag: 3, words: words() },
            Parsed::EDIPartyName(_) => Self::Other { tag: 5, words: words() },
            Parsed::RegisteredID(_) => Self::Other { tag: 8, words: words() },
            // Letters beyond ASCII, an octet each: they match nothing, and are of their kind all the same.
            Parsed::Invalid(tag, octets) if tag.0 == 1 => Self::Email(latin(octets)),
            Parsed::Invalid(tag, octets) if tag.0 == 2 => Self::Dns(latin(octets)),
            Parsed::Invalid(tag, octets) if tag.0 == 6 => Self::Uri(latin(octets)),
            Parsed::Invalid(tag, _) => Self::Other { tag: tag.0, words: words() },
        }
    }

    /// Returns the alternative names of a certificate in DER, which was decoded before.
    pub(super) fn alternatives(der: &[u8]) -> Vec<Self> {
        let Ok((_, parsed)) = X509Certificate::from_der(der) else { return Vec::new() };
        let names = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
        names.into_iter().flatten().map(Self::of).collect()
    }
}

fn latin(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "DNS:{name}"),
            Self::Ip(octets) => {
                let (address, mask) = octets.split_at(octets.len() / 2);
                write!(f, "IP:{}/{}", hexadecimal(address), hexadecimal(mask))
            }
            Self::Email(name) => write!(f, "email:{name}"),
            Self::Uri(name) => write!(f, "URI:{name}"),
            Self::Directory { words, .. } | Self::Other { words, .. } => f.write_str(words),
        }
    }
}
