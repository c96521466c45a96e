//! The names that a certificate is to have.

use std::net::IpAddr;

use rcgen::DnType;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::cert::Certificate;
use crate::model::Host;

/// Whom a certificate is to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Object identifiers and values of the subject, in its order.
    pub(super) subject: Vec<(DnType, String)>,
    pub(super) dns: Vec<String>,
    pub(super) ip: Vec<IpAddr>,
}

/// Why names cannot be in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    #[error("there is no name: give --common-name, --dns or --ip")]
    None,
    #[error(
        "the common name \"{0}\" is empty or longer than 64 characters, which clients refuse; give a short one with --common-name and the long one with --dns"
    )]
    CommonName(String),
    #[error("\"{name}\" cannot be a DNS name of a certificate: {reason}")]
    Dns { name: String, reason: String },
    #[error("{0} is an IP address: give it with --ip, as clients do not look for it among the DNS names")]
    AddressAsDns(String),
    #[error("the subject {0} cannot be written anew; make the entry with: pronk cert create")]
    Subject(String),
}

impl Names {
    /// Returns the names of a server. Without a common name the first of the names is it. A common name that is a host
    /// name is among the alternative names too, first of all, since clients look only there (RFC 9525, section 2).
    ///
    /// # Errors
    /// There is none, or one that clients cannot match.
    pub fn of_server(common_name: Option<&str>, dns: &[String], ip: &[IpAddr]) -> Result<Self, NamesError> {
        let mut dns = dns.iter().map(|name| dns_name(name)).collect::<Result<Vec<_>, _>>()?;
        let mut ip = ip.to_vec();
        let first = dns.first().cloned().or_else(|| ip.first().map(IpAddr::to_string));
        let common = common_name.map(str::to_owned).or(first).ok_or(NamesError::None)?;
        match Host::parse(&common) {
            // A word among names, such as "Impala", is for people.
            Ok(Host::Name(name)) if name.contains('.') || (dns.is_empty() && ip.is_empty()) => dns.insert(0, name),
            Ok(Host::Ip(address)) => ip.insert(0, address),
            _ => {}
        }
        unique(&mut dns);
        unique(&mut ip);
        Ok(Self { subject: vec![(DnType::CommonName, common_name_of(common)?)], dns, ip })
    }

    /// Returns the names of an authority, which no client connects to.
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn of_authority(common_name: &str) -> Result<Self, NamesError> {
        let subject = vec![(DnType::CommonName, common_name_of(common_name.to_owned())?)];
        Ok(Self { subject, dns: Vec::new(), ip: Vec::new() })
    }

    /// Returns the names that a certificate has.
    ///
    /// # Errors
    /// It has names of kinds that are not written here.
    pub fn of_certificate(certificate: &Certificate) -> Result<Self, NamesError> {
        let names = &certificate.names;
        let unwritable = || NamesError::Subject(names.subject.clone());
        let (_, parsed) = X509Certificate::from_der(&certificate.der).map_err(|_| unwritable())?;
        let mut subject: Vec<(DnType, String)> = Vec::new();
        for attribute in parsed.subject().iter_attributes() {
            let oid: Vec<u64> = attribute.attr_type().iter().ok_or_else(unwritable)?.collect();
            let kind = DnType::from_oid(&oid);
            // The library writes each kind once.
            if subject.iter().any(|(had, _)| *had == kind) {
                return Err(unwritable());
            }
            subject.push((kind, attribute.as_str().map_err(|_| unwritable())?.to_owned()));
        }
        if !names.others.is_empty() {
            return Err(unwritable());
        }
        Ok(Self { subject, dns: names.dns.clone(), ip: names.ip.clone() })
    }
}

fn dns_name(name: &str) -> Result<String, NamesError> {
    let bad = |reason: String| NamesError::Dns { name: name.to_owned(), reason };
    let host = name.strip_prefix("*.").unwrap_or(name);
    match Host::parse(host).map_err(|reason| bad(reason.to_string()))? {
        Host::Ip(_) => Err(NamesError::AddressAsDns(name.to_owned())),
        Host::Name(parent) if name != host => {
            if parent.contains('.') {
                Ok(format!("*.{parent}"))
            } else {
                Err(bad("a wildcard stands above at least two labels, as in *.example.com".into()))
            }
        }
        Host::Name(name) => Ok(name),
    }
}

/// Checks a common name: at most 64 characters (ub-common-name in RFC 5280, appendix A.1).
fn common_name_of(name: String) -> Result<String, NamesError> {
    match name.chars().count() {
        1..=64 if !name.chars().any(char::is_control) => Ok(name),
        _ => Err(NamesError::CommonName(name.escape_debug().to_string())),
    }
}

fn unique<T: PartialEq + Clone>(names: &mut Vec<T>) {
    let mut kept = Vec::with_capacity(names.len());
    for name in names.drain(..) {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    *names = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        common: Option<&str>,
        dns: &[&str],
        ip: &[&str],
    ) -> Result<(String, Vec<String>, Vec<String>), NamesError> {
        let dns: Vec<_> = dns.iter().map(|name| (*name).to_owned()).collect();
        let ip: Vec<_> = ip.iter().map(|address| address.parse().unwrap()).collect();
        let names = Names::of_server(common, &dns, &ip)?;
        Ok((names.subject[0].1.clone(), names.dns, names.ip.iter().map(IpAddr::to_string).collect()))
    }

    fn expect(common: &str, dns: &[&str], ip: &[&str]) -> Result<(String, Vec<String>, Vec<String>), NamesError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Ok((common.to_owned(), owned(dns), owned(ip)))
    }

    #[test]
    fn common_name_is_the_first_name_and_among_the_alternative_ones() {
        assert_eq!(names(None, &["LB.x.org", "n.x.org"], &[]), expect("lb.x.org", &["lb.x.org", "n.x.org"], &[]));
        assert_eq!(names(Some("lb.x.org"), &["n.x.org"], &[]), expect("lb.x.org", &["lb.x.org", "n.x.org"], &[]));
        assert_eq!(names(Some("lb.x.org"), &["lb.x.org"], &[]), expect("lb.x.org", &["lb.x.org"], &[]));
        assert_eq!(names(Some("Impala"), &["lb.x.org"], &[]), expect("Impala", &["lb.x.org"], &[]));
        assert_eq!(names(Some("lb"), &[], &[]), expect("lb", &["lb"], &[]));
        assert_eq!(names(None, &[], &["10.0.0.1", "::1"]), expect("10.0.0.1", &[], &["10.0.0.1", "::1"]));
    }

    #[test]
    fn names_that_no_client_matches_are_refused() {
        for (dns, reason) in [
            ("10.0.0.1", "--ip"),
            ("impala_lb.x.org", "underscore"),
            ("*.org", "at least two labels"),
            ("l*.x.org", "wildcard"),
            ("a b", "not a host name"),
            ("", "empty"),
        ] {
            let error = names(None, &[dns], &[]).unwrap_err().to_string();
            assert!(error.contains(reason), "{dns:?}: {error}");
        }
        assert_eq!(names(None, &["*.X.org"], &[]), expect("*.x.org", &["*.x.org"], &[]));
        assert_eq!(names(None, &[], &[]), Err(NamesError::None));
        assert!(names(None, &[&"a.".repeat(40)[..79]], &[]).unwrap_err().to_string().contains("64"));
    }
}
