//! Making certificates and requests.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose,
    SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use super::StoreError;
use super::names::Names;
use crate::cert::{Certificate, PrivateKey};

/// An authority that signs.
#[derive(Debug)]
pub struct Authority {
    pub certificate: Certificate,
    /// What its leaves have to show besides their own certificate, nearest first: none below a root.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKey,
}

/// Returns a server's certificate that its own key signs; no authority, so that webpki takes it as a server's too.
///
/// # Errors
/// The library fails.
pub fn self_signed(
    names: &Names,
    key: &PrivateKey,
    validity: (i64, i64),
) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = server_params(names, key)?;
    params.is_ca = IsCa::ExplicitNoCa;
    dated(&mut params, validity)?;
    let certificate = params.self_signed(key).map_err(|error| StoreError::issue(&error))?;
    Ok(certificate.der().clone())
}

/// Returns the certificate of an authority that its own key signs.
///
/// # Errors
/// The library fails.
pub fn authority(names: &Names, key: &PrivateKey, validity: (i64, i64)) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = params(names)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    dated(&mut params, validity)?;
    let certificate = params.self_signed(key).map_err(|error| StoreError::issue(&error))?;
    Ok(certificate.der().clone())
}

/// Returns a server's certificate that an authority signs. It does not outlive the authority's own.
///
/// # Errors
/// The authority's name cannot be written as an issuer, or the library fails.
pub fn sign(
    names: &Names,
    key: &PrivateKey,
    (not_before, not_after): (i64, i64),
    authority: &Authority,
) -> Result<CertificateDer<'static>, StoreError> {
    let mut params = server_params(names, key)?;
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

/// Returns a request for a server's certificate (PKCS#10, RFC 2986) in PEM.
///
/// # Errors
/// The library fails.
pub fn request(names: &Names, key: &PrivateKey) -> Result<String, StoreError> {
    let request = server_params(names, key)?.serialize_request(key).map_err(|error| StoreError::issue(&error))?;
    request.pem().map_err(|error| StoreError::issue(&error))
}

fn params(names: &Names) -> Result<CertificateParams, StoreError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in &names.subject {
        params.distinguished_name.push(kind.clone(), value.as_str());
    }
    for name in &names.dns {
        let name = name.as_str().try_into().map_err(|error| StoreError::issue(&error))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.extend(names.ip.iter().copied().map(SanType::IpAddress));
    Ok(params)
}

/// Adds what a server's certificate of this key has besides its names.
fn server_params(names: &Names, key: &PrivateKey) -> Result<CertificateParams, StoreError> {
    let mut params = params(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if key.is_rsa() {
        // For the key exchange of TLS 1.2 in which the client encrypts with the server's key.
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
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

/// Clocks of clients may lag behind by so many seconds.
pub const CLOCK_SKEW: i64 = 3600;
