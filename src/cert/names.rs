//! The names in a certificate, and RFC 9525's rules for which hosts they cover.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The names that a certificate carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// Of the subject alternative name extension, as written.
    pub dns: Vec<String>,
    pub ip: Vec<IpAddr>,
    /// The subject in one line, such as `CN=lb.example.com, O=Example`; may be empty.
    pub subject: String,
}

/// The certificate cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NamesError(String);

impl CertificateNames {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Result<Self, NamesError> {
        let mut names = Self { subject: certificate.subject().to_string(), ..Self::default() };
        let alternative = certificate.subject_alternative_name().map_err(|error| NamesError(error.to_string()))?;
        for name in alternative.iter().flat_map(|extension| &extension.value.general_names) {
            match name {
                GeneralName::DNSName(name) => names.dns.push((*name).to_owned()),
                GeneralName::IPAddress(octets) => names.ip.extend(ip_address(octets)),
                _ => {}
            }
        }
        Ok(names)
    }

    /// Whether a client that asks for `host` may take this certificate. The common name does not count (RFC 9525, 2).
    pub fn cover_host(&self, host: &str) -> bool {
        self.dns.iter().any(|presented| dns_name_covers(presented, host))
    }

    pub fn cover_ip(&self, address: IpAddr) -> bool {
        self.ip.contains(&address)
    }

    /// What to call the certificate in a message: its subject, else its first name.
    pub fn title(&self) -> String {
        if !self.subject.is_empty() {
            return self.subject.clone();
        }
        self.dns.first().cloned().or_else(|| self.ip.first().map(IpAddr::to_string)).unwrap_or_else(|| "nobody".into())
    }
}

/// Whether the DNS name `presented` in a certificate covers `host` (RFC 9525, 6.3): without regard to case, and with a
/// wildcard only as the whole left-most label, for exactly one label.
pub fn dns_name_covers(presented: &str, host: &str) -> bool {
    match presented.strip_prefix("*.") {
        Some(parent) => match host.split_once('.') {
            Some((label, rest)) => !label.is_empty() && !parent.contains('*') && same_name(parent, rest),
            None => false,
        },
        None => !presented.contains('*') && same_name(presented, host),
    }
}

/// The subject of a certificate in one line, if it can be decoded.
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed.subject().to_string())
}

fn same_name(one: &str, other: &str) -> bool {
    !one.is_empty() && one.eq_ignore_ascii_case(other)
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_regard_to_case() {
        assert!(dns_name_covers("lb.Example.com", "LB.example.COM"));
        assert!(dns_name_covers("*.Example.com", "lb.example.COM"));
        assert!(!dns_name_covers("lb.example.com", "lc.example.com"));
        assert!(!dns_name_covers("", ""));
    }

    #[test]
    fn wildcard_covers_exactly_one_label() {
        assert!(dns_name_covers("*.example.com", "lb.example.com"));
        assert!(!dns_name_covers("*.example.com", "a.lb.example.com"));
        assert!(!dns_name_covers("*.example.com", "example.com"));
        assert!(!dns_name_covers("*.example.com", ".example.com"));
    }

    #[test]
    fn wildcard_is_the_whole_left_most_label_or_nothing() {
        for presented in ["l*.example.com", "*b.example.com", "lb.*.com", "*.*.com", "*", "**.example.com"] {
            assert!(!dns_name_covers(presented, "lb.example.com"), "{presented}");
        }
        assert!(!dns_name_covers("*", "lb"));
    }
}
