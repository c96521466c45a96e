//! A finding: something that is wrong with a certificate, or worth knowing.

use std::sync::Arc;

use super::{Check, Located, Origin, Severity, Subject, remedy};
use crate::cert::{Certificate, Field};
use crate::model::Host;
use crate::words::shown;

/// Something that is wrong with a certificate, or worth knowing. Nothing in its texts acts on a terminal, whatever the
/// certificate says.
#[derive(Clone, Debug)]
pub struct Finding {
    pub check: &'static Check,
    pub severity: Severity,
    pub origin: Origin,
    /// The certificate that it is about, in DER, where that is not the one to show: an anchor that is in no file.
    pub about: Option<Vec<u8>>,
    /// What to show the place in; none where there is no certificate, such as on a port without TLS.
    pub certificate: Option<Arc<Certificate>>,
    /// Where in the certificate; the field may be one that it lacks.
    pub field: Option<Field>,
    /// The part of the field to point at; without one it is all of it.
    pub span: Option<String>,
    /// What is wrong, with the names and numbers of this case.
    pub message: String,
    pub observed: String,
    pub expected: String,
    /// What to do: the check's remedy, or one that fits the place.
    pub remedy: &'static str,
    /// Commands or lines of configuration to paste; the remedy goes with them.
    pub paste: Vec<String>,
    /// The names that are asked for, where the finding is about them.
    pub asked: Vec<Host>,
    /// Which clients refuse the chain for it, and which take it; or whom it concerns.
    pub clients: String,
    /// What else to know about this case.
    pub notes: Vec<String>,
}

impl Finding {
    /// Makes a finding about a certificate of a subject's chain; observed and expected are set with the methods below.
    pub(super) fn new(check: &'static Check, at: &Located, message: impl Into<String>) -> Self {
        Self { certificate: Some(Arc::clone(&at.certificate)), ..Self::about(check, at.origin.clone(), message) }
    }

    /// Makes a finding about a live port that showed no certificate.
    pub(super) fn about_port(check: &'static Check, address: &str, message: impl Into<String>) -> Self {
        Self::about(check, Origin::Live { address: address.to_owned(), position: 1, of: 1 }, message)
    }

    /// Makes a finding about a file that holds no certificate of a subject, or about all of it.
    pub(super) fn about_file(check: &'static Check, origin: Origin, message: impl Into<String>) -> Self {
        Self::about(check, origin, message)
    }

    fn about(check: &'static Check, origin: Origin, message: impl Into<String>) -> Self {
        Self {
            check,
            severity: check.severity,
            origin,
            about: None,
            certificate: None,
            field: None,
            span: None,
            message: shown(&message.into()),
            observed: String::new(),
            expected: String::new(),
            remedy: check.remedy,
            paste: Vec::new(),
            asked: Vec::new(),
            clients: check.clients.before_judgement().to_owned(),
            notes: Vec::new(),
        }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn field(mut self, field: Field) -> Self {
        self.field = Some(field);
        self
    }

    /// Asks clients for these names.
    pub(super) fn asked(mut self, names: impl IntoIterator<Item = Host>) -> Self {
        self.asked.extend(names);
        self
    }

    pub(super) fn span(mut self, span: impl Into<String>) -> Self {
        self.span = Some(span.into());
        self
    }

    pub(super) fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = shown(&observed.into());
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = shown(&expected.into());
        self
    }

    pub(super) fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }

    pub(super) fn paste(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.paste.extend(lines.into_iter().map(|line| shown(&line)));
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(shown(&note.into()));
        self
    }
}

/// Makes a finding about the server's own certificate, with what to remember when it is replaced.
pub(super) fn of_server(check: &'static Check, subject: &Subject, message: impl Into<String>) -> Finding {
    let finding = Finding::new(check, subject.leaf_located(), message);
    match remedy::restart(subject) {
        Some(note) if check.severity >= Severity::Warning => finding.note(note),
        _ => finding,
    }
}
