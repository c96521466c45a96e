//! Certificates and findings as JSON has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cert::Certificate;
use crate::cert::date::instant;
use crate::lint::{Finding, Origin};

/// A certificate as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// The file, or `host:port`.
    pub source: String,
    /// In the source, from 1, and how many there are.
    pub position: usize,
    pub of: usize,
    pub subject: String,
    pub issuer: String,
    /// In hexadecimal.
    pub serial: String,
    pub common_names: Vec<String>,
    pub dns: Vec<String>,
    pub ip: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    pub not_after: String,
    /// Rounded down; negative once it has expired.
    pub days_left: i64,
    pub key: String,
    pub signature: String,
    pub ca: bool,
    /// Of the DER, in hexadecimal.
    pub sha256: String,
}

impl CertificateView {
    /// Takes what JSON has of a certificate; `now` is in seconds since 1970.
    pub fn of(certificate: &Certificate, origin: &Origin, now: i64) -> Self {
        let (position, of) = origin.position();
        Self {
            source: origin.source(),
            position,
            of,
            subject: certificate.names.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            common_names: certificate.names.common.clone(),
            dns: certificate.names.dns.clone(),
            ip: certificate.names.ip.iter().map(ToString::to_string).collect(),
            not_before: instant(certificate.not_before),
            not_after: instant(certificate.not_after),
            days_left: certificate.days_left(now),
            key: certificate.key.to_string(),
            signature: certificate.signature.name.clone(),
            ca: certificate.is_ca(),
            sha256: certificate.fingerprint(),
        }
    }
}

/// A finding as JSON has it, in `pronk lint --format json` and on the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingView {
    /// The check's id.
    pub check: String,
    /// `error`, `warning` or `info`.
    pub severity: String,
    /// The file, or `host:port`.
    pub source: String,
    /// Of the certificate in the source, from 1, and how many there are.
    pub position: usize,
    pub of: usize,
    /// The certificate's subject; none where there is no certificate.
    pub subject: Option<String>,
    /// As `openssl x509 -text` calls it.
    pub field: Option<String>,
    pub message: String,
    pub observed: String,
    pub expected: String,
    pub basis: String,
    pub clients: String,
    pub remedy: String,
    /// Commands or lines of configuration.
    pub paste: Vec<String>,
    pub notes: Vec<String>,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        let (position, of) = finding.origin.position();
        Self {
            check: finding.check.id.into(),
            severity: finding.severity.as_str().into(),
            source: finding.origin.source(),
            position,
            of,
            subject: finding.certificate.as_ref().map(|certificate| certificate.title()),
            field: finding.field.map(|field| field.as_str().into()),
            message: finding.message.clone(),
            observed: finding.observed.clone(),
            expected: finding.expected.clone(),
            basis: finding.check.basis.into(),
            clients: finding.clients.clone(),
            remedy: finding.remedy.into(),
            paste: finding.paste.clone(),
            notes: finding.notes.clone(),
        }
    }
}
