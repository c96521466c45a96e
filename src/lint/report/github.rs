//! The report as GitHub's workflow commands.

use super::Report;
use super::location::{self, CertificateLines};
use crate::lint::{Origin, Severity};
use crate::words::shown;

/// Returns the report as workflow commands, which GitHub shows beside the files of a change.
pub fn github(report: &Report<'_>) -> String {
    let mut text = String::new();
    let mut certificate_lines = CertificateLines::default();
    for finding in &report.findings.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let message = format!(
            "{}: {}\nfound: {}\nhelp: {}\n{}",
            finding.origin,
            finding.message,
            finding.observed,
            finding.remedy,
            finding.paste.join("\n")
        );
        let title = property(finding.check.id);
        let place = match &finding.origin {
            Origin::File { path, .. } => {
                let file = location::relative(path, report.folder).unwrap_or_else(|| path.clone());
                format!("file={},line={},", property(&shown(&file.to_string_lossy())), certificate_lines.line(finding))
            }
            Origin::Live { .. } => String::new(),
        };
        text += &format!("::{command} {place}title={title}::{}\n", data(&shown_lines(message.trim_end())));
    }
    for error in report.unreadable {
        text += &format!("::error title=unreadable::{}\n", data(&shown(&error.to_string())));
    }
    text
}

/// Escapes what acts on a terminal, such as in a path; the message's own ends of line stay.
fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Escapes a message, which may not end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, which may not end itself either.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
