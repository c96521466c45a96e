//! The extensions of a certificate (RFC 5280, section 4.2), as far as clients look at them.

use std::fmt;

use x509_parser::extensions::{GeneralSubtree, ParsedExtension, X509Extension};

use super::der;
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
    pub permitted: Vec<GeneralName>,
    pub excluded: Vec<GeneralName>,
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
        extensions.iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(value) => {
                Some(Self { critical: extension.critical, ca: value.ca, path_len: value.path_len_constraint })
            }
            _ => None,
        })
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
        let bases = |trees: &Option<Vec<GeneralSubtree<'_>>>| {
            trees.iter().flatten().map(|tree| GeneralName::of(&tree.base)).collect()
        };
        extensions.iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::NameConstraints(value) => Some(Self {
                critical: extension.critical,
                permitted: bases(&value.permitted_subtrees),
                excluded: bases(&value.excluded_subtrees),
            }),
            _ => None,
        })
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
    let extension = extensions.iter().find(|extension| extension.oid.to_id_string() == NETSCAPE_TYPE)?;
    let (bits, _) = der::first(extension.value)?;
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
    extension.oid.to_id_string() == MUST_STAPLE
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

/// id-pe-tlsfeature (RFC 7633).
const MUST_STAPLE: &str = "1.3.6.1.5.5.7.1.24";
const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";
