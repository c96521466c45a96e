//! Making certificates and requests.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::StoreError;
use crate::cert::Certificate;
use crate::cert::PrivateKey;
use crate::model::Host;

/// Whom a certificate is to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Object identifiers and values of the subject, in its order.
    subject: Vec<(DnType, String)>,
    dns: Vec<String>,
    ip: Vec<IpAddr>,
}

/// Why names cannot stand in a certificate.
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

/// An authority that signs.
#[derive(Debug)]
pub struct Authority {
    pub certificate: Certificate,
    /// What its leaves have to show besides their own certificate, nearest first: none below a root.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKey,
}

impl Names {
    /// Of a server. Without a common name the first of the names is it. A common name that is a host name is among the
    /// alternative names too, first of all, since clients look only there (RFC 9525, section 2).
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

    /// Of an authority, which no client connects to.
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn of_authority(common_name: &str) -> Result<Self, NamesError> {
        let subject = vec![(DnType::CommonName, common_name_of(common_name.to_owned())?)];
        Ok(Self { subject, dns: Vec::new(), ip: Vec::new() })
    }

    /// Those that a certificate has.
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

    fn params(&self) -> Result<CertificateParams, StoreError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in &self.subject {
            params.distinguished_name.push(kind.clone(), value.as_str());
        }
        for name in &self.dns {
            let name = name.as_str().try_into().map_err(|error| StoreError::issue(&error))?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        params.subject_alt_names.extend(self.ip.iter().copied().map(SanType::IpAddress));
        Ok(params)
    }

    /// What a server's certificate of this key carries besides.
    fn server_params(&self, key: &PrivateKey) -> Result<CertificateParams, StoreError> {
        let mut params = self.params()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if key.is_rsa() {
            // For the key exchange of TLS 1.2 in which the client encrypts with the server's key.
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params)
    }
}

/// A server's certificate that its own key signs; no authority, so that webpki takes it as a server's too.
///
/// # Errors
/// The library fails.
pub fn self_signed(
    names: &Names,
    key: &PrivateKey,
    validity: (i64, i64),
) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = names.server_params(key)?;
    params.is_ca = IsCa::ExplicitNoCa;
    dated(&mut params, validity)?;
    let certificate = params.self_signed(key).map_err(|error| StoreError::issue(&error))?;
    Ok(certificate.der().clone())
}

/// The certificate of an authority that its own key signs.
///
/// # Errors
/// The library fails.
pub fn authority(names: &Names, key: &PrivateKey, validity: (i64, i64)) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = names.params()?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    dated(&mut params, validity)?;
    let certificate = params.self_signed(key).map_err(|error| StoreError::issue(&error))?;
    Ok(certificate.der().clone())
}

/// A server's certificate that an authority signs. It does not outlive the authority's own.
///
/// # Errors
/// The authority's name cannot be written as an issuer, or the library fails.
pub fn sign(
    names: &Names,
    key: &PrivateKey,
    (not_before, not_after): (i64, i64),
    authority: &Authority,
) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = names.server_params(key)?;
    params.is_ca = IsCa::ExplicitNoCa;
    dated(
        &mut params,
        (not_before.max(authority.certificate.not_before), not_after.min(authority.certificate.not_after)),
    )?;
    let issuer = Issuer::from_ca_cert_der(&authority.certificate.der, &authority.key)
        .map_err(|error| StoreError::issue(&error))?;
    let der = params.signed_by(key, &issuer).map_err(|error| StoreError::issue(&error))?.der().clone();
    let issued = Certificate::decode(der.clone()).map_err(|error| StoreError::Issue(error.to_string()))?;
    if !issued.names_issuer(&authority.certificate) {
        let subject = &authority.certificate.names.subject;
        return Err(StoreError::Issue(format!("the authority's name {subject} cannot be written as an issuer's")));
    }
    Ok(der)
}

/// A request for a server's certificate (PKCS#10, RFC 2986) in PEM.
///
/// # Errors
/// The library fails.
pub fn request(names: &Names, key: &PrivateKey) -> Result<String, StoreError> {
    let request = names.server_params(key)?.serialize_request(key).map_err(|error| StoreError::issue(&error))?;
    request.pem().map_err(|error| StoreError::issue(&error))
}

fn dated(params: &mut CertificateParams, (not_before, not_after): (i64, i64)) -> Result<(), StoreError> {
    let moment = |seconds| {
        OffsetDateTime::from_unix_timestamp(seconds)
            .map_err(|_| StoreError::Issue("its end is too far away; give fewer --days".into()))
    };
    params.not_before = moment(not_before)?;
    params.not_after = moment(not_after)?;
    // Also names the key of a self-signed one, which Python 3.13 and OpenSSL's strict mode look for.
    params.use_authority_key_identifier_extension = true;
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| StoreError::Issue("there is no randomness".into()))?;
    // Positive and not zero (RFC 5280, section 4.1.2.2).
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(())
}

fn dns_name(name: &str) -> Result<String, NamesError> {
    let bad = |reason: String| NamesError::Dns { name: name.to_owned(), reason };
    let host = name.strip_prefix("*.").unwrap_or(name);
    match Host::parse(host).map_err(|reason| bad(reason.to_string()))? {
        Host::Ip(_) => Err(NamesError::AddressAsDns(name.to_owned())),
        Host::Name(parent) if name != host => match parent.contains('.') {
            true => Ok(format!("*.{parent}")),
            false => Err(bad("a wildcard stands above at least two labels, as in *.example.com".into())),
        },
        Host::Name(name) => Ok(name),
    }
}

/// At most 64 characters (ub-common-name in RFC 5280, appendix A.1).
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
