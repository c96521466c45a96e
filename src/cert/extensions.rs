//! The extensions of a certificate (RFC 5280, section 4.2), as far as clients look at them.

use std::fmt;

use x509_parser::extensions::{GeneralName as Parsed, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;

use super::der::{self, BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_1, Element, INTEGER, SEQUENCE};
use super::general_name::GeneralName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    pub critical: bool,
    pub ca: bool,
    /// The number of authorities that may be below this one.
    pub path_len: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    pub critical: bool,
    /// It allows nothing at all.
    pub is_empty: bool,
    pub digital_signature: bool,
    pub key_encipherment: bool,
    pub key_agreement: bool,
    pub key_cert_sign: bool,
    pub crl_sign: bool,
}

/// A purpose of the extended key usage extension (RFC 5280, section 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    ServerAuth,
    ClientAuth,
    Any,
    /// A name or a dotted number.
    Other(String),
}

/// The subtrees of names below an authority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    pub critical: bool,
    pub permitted: Vec<Subtree>,
    pub excluded: Vec<Subtree>,
}

/// A subtree of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtree {
    pub base: GeneralName,
    pub bound: Bound,
}

/// What a subtree says of the distance from its base: RFC 5280 allows nothing but the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    None,
    /// The default, written out.
    Zero,
    /// Another minimum, or a maximum.
    Some,
}

/// What the authority key identifier says of the issuer (RFC 5280, section 4.2.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityKey {
    pub id: Option<Vec<u8>>,
    /// The issuer of the issuer's certificate, the first name of a directory in DER.
    pub issuer: Option<Vec<u8>>,
    /// The serial number of the issuer's certificate.
    pub serial: Option<Vec<u8>>,
}

/// The extensions about policies (RFC 5280, sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The policies in dotted numbers, if the extension is there.
    pub asserted: Option<Vec<String>>,
    /// From a policy of the issuer to one of the subject.
    pub mapped: Vec<(String, String)>,
    pub require_explicit: Option<u32>,
    pub inhibit_mapping: Option<u32>,
    pub inhibit_any: Option<u32>,
}

impl BasicConstraints {
    pub(super) fn of(extensions: &[X509Extension<'_>]) -> Option<Self> {
        let extension = extensions.iter().find(|it| it.oid.as_bytes() == BASIC_CONSTRAINTS)?;
        let written = WrittenConstraints::read(extension.value)?;
        Some(Self { critical: extension.critical, ca: written.ca, path_len: written.path_len })
    }
}

/// Basic constraints as they are written.
pub(super) struct WrittenConstraints {
    ca: bool,
    path_len: Option<u32>,
    pub(super) is_negative: bool,
    /// The path length is beyond what is read as one.
    pub(super) is_huge: bool,
    /// CA:TRUE is not the one octet that DER has for it.
    pub(super) is_loose: bool,
}

impl WrittenConstraints {
    /// Reads the value of the extension.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let parts = der::inside(value, SEQUENCE)?;
        let mut rest = parts.as_slice();
        let mut written = Self { ca: false, path_len: None, is_negative: false, is_huge: false, is_loose: false };
        if let [boolean, after @ ..] = rest
            && boolean.tag == BOOLEAN
        {
            let [octet] = boolean.contents else { return None };
            (written.ca, written.is_loose) = (*octet != 0, !matches!(octet, 0 | 0xff));
            rest = after;
        }
        if let [number, after @ ..] = rest
            && number.tag == INTEGER
            && let Some(first) = number.contents.first()
        {
            written.path_len = der::small_number(*number);
            written.is_negative = first & 0x80 != 0;
            written.is_huge = written.path_len.is_none() && !written.is_negative;
            rest = after;
        }
        rest.is_empty().then_some(written)
    }
}

impl KeyUsage {
    pub(super) fn of(extensions: &[X509Extension<'_>]) -> Option<Self> {
        extensions.iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::KeyUsage(value) => Some(Self {
                critical: extension.critical,
                is_empty: value.flags == 0,
                digital_signature: value.digital_signature(),
                key_encipherment: value.key_encipherment(),
                key_agreement: value.key_agreement(),
                key_cert_sign: value.key_cert_sign(),
                crl_sign: value.crl_sign(),
            }),
            _ => None,
        })
    }
}

impl NameConstraints {
    pub(super) fn of(extensions: &[X509Extension<'_>]) -> Option<Self> {
        let extension = extensions.iter().find(|it| it.oid.as_bytes() == NAME_CONSTRAINTS)?;
        Self::read(extension.value, extension.critical)
    }

    /// Reads the value of the extension.
    pub(super) fn read(value: &[u8], critical: bool) -> Option<Self> {
        let mut read = Self { critical, ..Self::default() };
        for trees in der::inside(value, SEQUENCE)? {
            let list = match trees.tag {
                CONTEXT_0 => &mut read.permitted,
                CONTEXT_1 => &mut read.excluded,
                _ => return None,
            };
            for tree in der::elements(trees.contents)? {
                list.push(Subtree::read(tree)?);
            }
        }
        Some(read)
    }

    /// Returns the subtrees, the permitted ones first.
    pub fn all(&self) -> impl Iterator<Item = &Subtree> {
        self.permitted.iter().chain(&self.excluded)
    }
}

impl Subtree {
    fn read(tree: Element<'_>) -> Option<Self> {
        let parts = (tree.tag == SEQUENCE).then(|| der::elements(tree.contents)).flatten()?;
        let (base, bounds) = parts.split_first()?;
        let (_, parsed) = Parsed::from_der(base.whole).ok()?;
        // A minimum of 0 is what is meant without one.
        let is_minimum_0 = |it: &Element<'_>| it.tag == MINIMUM && it.contents.iter().all(|octet| *octet == 0);
        let bound = match bounds {
            [] => Bound::None,
            all if all.iter().all(is_minimum_0) => Bound::Zero,
            _ => Bound::Some,
        };
        Some(Self { base: GeneralName::of(&parsed), bound })
    }
}

/// Returns the purposes of the extended key usage, if there is one.
pub(super) fn extended_key_usage(extensions: &[X509Extension<'_>]) -> Option<Vec<Purpose>> {
    extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(value) => {
            let known = [
                (value.server_auth, Purpose::ServerAuth),
                (value.client_auth, Purpose::ClientAuth),
                (value.any, Purpose::Any),
                (value.code_signing, Purpose::Other("code signing".into())),
                (value.email_protection, Purpose::Other("e-mail protection".into())),
                (value.time_stamping, Purpose::Other("time stamping".into())),
                (value.ocsp_signing, Purpose::Other("OCSP signing".into())),
            ];
            let known = known.into_iter().filter(|(is, _)| *is).map(|(_, purpose)| purpose);
            let others = value.other.iter().map(|oid| Purpose::Other(oid.to_id_string()));
            Some(known.chain(others).collect())
        }
        _ => None,
    })
}

pub(super) fn subject_key_id(extensions: &[X509Extension<'_>]) -> Option<Vec<u8>> {
    extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(value) => Some(value.0.to_vec()),
        _ => None,
    })
}

pub(super) fn authority_key(extensions: &[X509Extension<'_>]) -> Option<AuthorityKey> {
    extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(value) => Some(AuthorityKey {
            id: value.key_identifier.as_ref().map(|id| id.0.to_vec()),
            issuer: value.authority_cert_issuer.iter().flatten().find_map(|name| match name {
                x509_parser::extensions::GeneralName::DirectoryName(name) => Some(name.as_raw().to_vec()),
                _ => None,
            }),
            serial: value.authority_cert_serial.map(<[u8]>::to_vec),
        }),
        _ => None,
    })
}

/// Returns Netscape's certificate type as its octet of bits, `0x80` for a client and `0x40` for a server.
pub(super) fn netscape_type(extensions: &[X509Extension<'_>]) -> Option<u8> {
    let extension = extensions.iter().find(|extension| extension.oid.as_bytes() == NETSCAPE_TYPE)?;
    let (bits, _) = der::first(extension.value).filter(|(bits, _)| bits.tag == BIT_STRING)?;
    bits.contents.get(1).copied().or(Some(0))
}

impl Policies {
    /// Returns them if any of the extensions is there.
    pub(super) fn of(extensions: &[X509Extension<'_>]) -> Option<Self> {
        let (mut policies, mut found) = (Self::default(), false);
        for extension in extensions {
            match extension.parsed_extension() {
                ParsedExtension::CertificatePolicies(value) => {
                    policies.asserted = Some(value.iter().map(|policy| policy.policy_id.to_id_string()).collect());
                }
                ParsedExtension::PolicyMappings(value) => {
                    let pair = |it: &x509_parser::extensions::PolicyMapping<'_>| {
                        (it.issuer_domain_policy.to_id_string(), it.subject_domain_policy.to_id_string())
                    };
                    policies.mapped = value.mappings.iter().map(pair).collect();
                }
                ParsedExtension::PolicyConstraints(value) => {
                    policies.require_explicit = value.require_explicit_policy;
                    policies.inhibit_mapping = value.inhibit_policy_mapping;
                }
                ParsedExtension::InhibitAnyPolicy(value) => policies.inhibit_any = Some(value.skip_certs),
                _ => continue,
            }
            found = true;
        }
        found.then_some(policies)
    }
}

/// Returns the dotted numbers of critical extensions.
pub(super) fn critical(extensions: &[X509Extension<'_>]) -> Vec<String> {
    extensions.iter().filter(|extension| extension.critical).map(|extension| extension.oid.to_id_string()).collect()
}

pub(super) fn is_must_staple(extension: &X509Extension<'_>) -> bool {
    extension.oid.as_bytes() == MUST_STAPLE
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerAuth => "TLS Web Server Authentication",
            Self::ClientAuth => "TLS Web Client Authentication",
            Self::Any => "Any Extended Key Usage",
            Self::Other(name) => name,
        })
    }
}

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
/// id-pe-tlsfeature (RFC 7633), 1.3.6.1.5.5.7.1.24
const MUST_STAPLE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18];
/// 2.16.840.1.113730.1.1
const NETSCAPE_TYPE: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01];
/// `[0]`
const MINIMUM: u8 = 0x80;
