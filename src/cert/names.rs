//! The names in a certificate, and which hosts they cover.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::der;
use super::distinguished_name::text;
use super::hex::hexadecimal;
use super::name_match::dns_name_covers;
use crate::model::Host;
use crate::words::bounded;

/// The names that a certificate carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// Of the subject alternative name extension, as written.
    pub dns: Vec<String>,
    pub ip: Vec<IpAddr>,
    /// Alternative names that are of no use to a server, or broken, in words: `email:a@b`, `broken DNS name 6c62ff`.
    pub others: Vec<String>,
    /// An address is not 4 or 16 bytes long, a URI is none, or more follows the alternative names.
    pub has_broken: bool,
    /// The common names of the subject, in their order.
    pub common: Vec<String>,
    /// The subject in one line, such as `CN=lb.example.com, O=Example`; may be empty.
    pub subject: String,
}

impl CertificateNames {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self { subject: bounded(&certificate.subject().to_string()).into_owned(), ..Self::default() };
        names.common = certificate
            .subject()
            .iter_common_name()
            .map(|name| text(name.attr_value().tag().0, name.as_slice()))
            .collect();
        let read = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(read) => Some((extension.value, &read.general_names)),
            _ => None,
        });
        names.has_broken = read.is_some_and(|(value, _)| der::first(value).is_some_and(|(_, rest)| !rest.is_empty()));
        for name in read.iter().flat_map(|(_, names)| names.iter()) {
            names.has_broken |= match name {
                GeneralName::IPAddress(octets) => ip_address(octets).is_none(),
                GeneralName::URI(uri) => !is_uri(uri),
                _ => false,
            };
            match name {
                GeneralName::DNSName(name) => names.dns.push((*name).to_owned()),
                GeneralName::IPAddress(octets) => match ip_address(octets) {
                    Some(address) => names.ip.push(address),
                    None => names.others.push(format!("broken IP address {}", hexadecimal(octets))),
                },
                GeneralName::Invalid(tag, octets) => {
                    names.others.push(format!("broken name [{}] {}", tag.0, hexadecimal(octets)));
                }
                other => names.others.push(other.to_string()),
            }
        }
        names
    }

    /// Returns whether a client that connects to `host` may accept this certificate. The common name does not count
    /// (RFC 9525, 2).
    pub fn cover(&self, host: &Host) -> bool {
        match host {
            Host::Name(name) => self.cover_host(name),
            Host::Ip(address) => self.cover_ip(*address),
        }
    }

    pub fn cover_host(&self, host: &str) -> bool {
        self.dns.iter().any(|presented| dns_name_covers(presented, host))
    }

    pub fn cover_ip(&self, address: IpAddr) -> bool {
        self.ip.contains(&address)
    }

    /// Returns whether there is any subject alternative name, of whatever kind.
    pub fn has_alternative(&self) -> bool {
        !(self.dns.is_empty() && self.ip.is_empty() && self.others.is_empty())
    }

    /// Returns what to call the certificate in a message: its subject, else its first name.
    pub fn title(&self) -> String {
        if !self.subject.is_empty() {
            return self.subject.clone();
        }
        self.dns.first().cloned().or_else(|| self.ip.first().map(IpAddr::to_string)).unwrap_or_else(|| "nobody".into())
    }
}

/// Returns the subject of a certificate in one line, if it can be decoded.
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed.subject().to_string())
}

/// Returns whether there is a scheme, and a host where there is to be one.
fn is_uri(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty() && rest != "//")
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}
