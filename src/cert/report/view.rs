use serde::{Deserialize, Serialize};

use crate::cert::lint::Finding;

/// A finding as JSON has it, in `pronk lint --format json` and on the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            clients: finding.check.clients.into(),
            remedy: finding.check.remedy.into(),
            paste: finding.paste.clone(),
            notes: finding.notes.clone(),
        }
    }
}
