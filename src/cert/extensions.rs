//! The extensions of a certificate (RFC 5280, section 4.2), as far as clients look at them.

use std::fmt;

use x509_parser::extensions::{GeneralName, GeneralSubtree, ParsedExtension, X509Extension};

use super::hex::hexadecimal;
use super::oid::oid_name;

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

/// The subtrees of names below an authority, in words: `DNS:.corp.example`, `IP:0a000000/ff000000`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    pub critical: bool,
    pub permitted: Vec<String>,
    pub excluded: Vec<String>,
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
        let words =
            |trees: &Option<Vec<GeneralSubtree<'_>>>| trees.iter().flatten().map(|tree| subtree(&tree.base)).collect();
        extensions.iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::NameConstraints(value) => Some(Self {
                critical: extension.critical,
                permitted: words(&value.permitted_subtrees),
                excluded: words(&value.excluded_subtrees),
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

/// Returns the key identifier of the authority, which the extension may lack.
pub(super) fn authority_key_id(extensions: &[X509Extension<'_>]) -> Option<Vec<u8>> {
    extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(value) => value.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    })
}

pub(super) fn is_must_staple(extension: &X509Extension<'_>) -> bool {
    extension.oid.to_id_string() == MUST_STAPLE
}

/// Returns the names or numbers of critical extensions that clients do not know.
pub(super) fn unknown_critical(extensions: &[X509Extension<'_>]) -> Vec<String> {
    let is_known = |extension: &X509Extension<'_>| {
        is_decoded(extension.parsed_extension()) || KNOWN_TO_CLIENTS.contains(&extension.oid.to_id_string().as_str())
    };
    let unknown = extensions.iter().filter(|extension| extension.critical && !is_known(extension));
    unknown.map(|extension| oid_name(&extension.oid)).collect()
}

/// Returns whether an extension is one of those that are decoded here, and well-formed.
fn is_decoded(extension: &ParsedExtension<'_>) -> bool {
    matches!(
        extension,
        ParsedExtension::BasicConstraints(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::ExtendedKeyUsage(_)
            | ParsedExtension::SubjectKeyIdentifier(_)
            | ParsedExtension::AuthorityKeyIdentifier(_)
            | ParsedExtension::NameConstraints(_)
            | ParsedExtension::SubjectAlternativeName(_)
    )
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

fn subtree(base: &GeneralName<'_>) -> String {
    match base {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::IPAddress(octets) => {
            let (address, mask) = octets.split_at(octets.len() / 2);
            format!("IP:{}/{}", hexadecimal(address), hexadecimal(mask))
        }
        other => other.to_string(),
    }
}

/// id-pe-tlsfeature (RFC 7633).
const MUST_STAPLE: &str = "1.3.6.1.5.5.7.1.24";
/// Critical extensions that Java, OpenSSL and webpki take beyond those decoded above.
const KNOWN_TO_CLIENTS: &[&str] = &[
    "2.5.29.32", // certificatePolicies
    "2.5.29.33", // policyMappings
    "2.5.29.36", // policyConstraints
    "2.5.29.54", // inhibitAnyPolicy
    "2.5.29.31", // cRLDistributionPoints
    MUST_STAPLE,
];
