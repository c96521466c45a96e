//! Entries as JSON has them.

use serde::Serialize;

use super::Stored;
use crate::cert::{Certificate, date};

/// An entry as JSON has it, in `pronk cert list --json` and `pronk cert show --json`. Never a key's contents.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    pub name: String,
    /// `server`, `authority`, or `pending` while there is no certificate.
    pub kind: &'static str,
    /// Whether it has asked for a certificate that has not come yet.
    pub request_pending: bool,
    pub certificate: Option<CertificateSummary>,
    /// Those that are sent after it.
    pub chain: Vec<CertificateSummary>,
    pub key_encrypted: Option<bool>,
    /// Which profiles of the configuration file use it.
    pub used_by: Vec<String>,
    pub files: Vec<FileView>,
    /// What cannot be read or used.
    pub problems: Vec<String>,
}

/// What a certificate says, in short.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateSummary {
    pub subject: String,
    pub common_name: Option<String>,
    pub dns: Vec<String>,
    pub ip: Vec<String>,
    pub issuer: String,
    pub serial: String,
    /// `2027-02-03 04:05:06 UTC`.
    pub not_before: String,
    pub not_after: String,
    /// Negative once it has ended.
    pub days_left: i64,
    pub key: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    pub name: String,
    /// Permission bits, such as `0600`.
    pub mode: String,
}

impl EntryView {
    /// Takes what JSON has of it, at `now` in seconds since 1970.
    pub fn new(stored: &Stored, used_by: Vec<String>, now: i64) -> Self {
        let kind = match &stored.leaf {
            None if stored.pending => "pending",
            Some(leaf) if leaf.is_ca() => "authority",
            _ => "server",
        };
        Self {
            name: stored.name.clone(),
            kind,
            request_pending: stored.pending,
            certificate: stored.leaf.as_ref().map(|leaf| CertificateSummary::new(leaf, now)),
            chain: stored.chain.iter().map(|above| CertificateSummary::new(above, now)).collect(),
            key_encrypted: stored.key.as_ref().map(|key| key.encrypted),
            used_by,
            files: stored
                .files
                .iter()
                .map(|(name, mode)| FileView { name: name.clone(), mode: format!("{mode:04o}") })
                .collect(),
            problems: stored.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

impl CertificateSummary {
    /// Takes what JSON has of it, at `now` in seconds since 1970.
    pub fn new(certificate: &Certificate, now: i64) -> Self {
        let names = &certificate.names;
        Self {
            subject: names.subject.clone(),
            common_name: names.common.first().cloned(),
            dns: names.dns.clone(),
            ip: names.ip.iter().map(ToString::to_string).collect(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            not_before: date::moment(certificate.not_before),
            not_after: date::moment(certificate.not_after),
            days_left: certificate.days_left(now),
            key: certificate.key.to_string(),
            fingerprint: certificate.fingerprint(),
        }
    }
}
