//! The report for people, and the explanation of one check.

use std::collections::HashSet;
use std::fmt::Write;

use super::Report;
use crate::cert::Field;
use crate::cert::text::lines;
use crate::lint::{Finding, Severity};
use crate::snippet::{Line, Snippet, Tone};
use crate::words::MOST_NAMES;

/// Returns the report for people; `color` is for terminals.
pub fn human(report: &Report<'_>, color: bool) -> String {
    let mut text = String::new();
    let mut helped = HashSet::new();
    for finding in &report.findings.findings {
        text += &block(finding, helped.insert(remedy(finding))).render(color);
        text.push('\n');
    }
    text += &summary(report);
    text
}

/// Returns `3 errors, 1 warning and 2 notes in 12 certificates of 10 sources`, and what was not looked at.
fn summary(report: &Report<'_>) -> String {
    let count = |severity| report.findings.findings.iter().filter(|finding| finding.severity == severity).count();
    let certificates = report.subjects.iter().map(|subject| subject.chain().len()).sum();
    let sources: HashSet<_> = report.subjects.iter().map(crate::lint::Subject::source).collect();
    let mut text = format!(
        "{}, {} and {} in {} of {}",
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Info), "note"),
        counted(certificates, "certificate"),
        counted(sources.len(), "source"),
    );
    if report.findings.allowed > 0 {
        let _ = write!(text, "; {} allowed", counted(report.findings.allowed, "finding"));
    }
    text.push('\n');
    if !report.names_checked
        && let Some(help) = report.names_help
    {
        let _ = writeln!(text, "names were not checked: {help}");
    }
    text
}

/// Returns a finding with its certificate as source text. The remedy is written once for all findings that share it.
fn block(finding: &Finding, with_help: bool) -> Snippet<'_> {
    let tone = match finding.severity {
        Severity::Error => Tone::Error,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Note,
    };
    let mut below = Vec::new();
    let mut add = |word, text: &str| {
        if !text.is_empty() {
            below.push((word, text.to_owned()));
        }
    };
    add("found", &finding.observed);
    add("expected", &finding.expected);
    add("rule", finding.check.basis);
    add("clients", &finding.clients);
    if with_help {
        add("help", &remedy(finding));
    } else {
        add("help", &format!("{}, as above", finding.remedy));
    }
    finding.notes.iter().for_each(|note| add("note", note));
    Snippet {
        tone,
        word: finding.severity.as_str(),
        code: Some(finding.check.id),
        message: &finding.message,
        place: Some(finding.origin.to_string()),
        lines: source(finding),
        below,
    }
}

fn remedy(finding: &Finding) -> String {
    let mut text = finding.remedy.to_owned();
    for line in &finding.paste {
        text.push('\n');
        text += line;
    }
    text
}

/// Returns the certificate's subject, for orientation, and the field in question with a caret.
fn source(finding: &Finding) -> Vec<Line> {
    let (Some(certificate), Some(field)) = (&finding.certificate, finding.field) else { return Vec::new() };
    let all = lines(certificate, MOST_NAMES);
    let value = |wanted: Field| all.iter().find(|(field, _)| *field == wanted).map(|(_, value)| value.as_str());
    let mut drawn = Vec::new();
    if field != Field::Subject {
        drawn.push(draw(Field::Subject, value(Field::Subject).unwrap_or_default(), None));
    }
    drawn.push(match value(field).filter(|value| !value.is_empty()) {
        Some(value) => draw(field, value, Some(finding.span.as_deref().unwrap_or(value))),
        None => draw(field, "(none)", Some("(none)")),
    });
    drawn
}

/// `Subject: CN=lb`, with carets under `span`, or under all of it.
fn draw(field: Field, value: &str, span: Option<&str>) -> Line {
    let within = |span: &str| value.find(span).map(|start| start..start + span.len());
    Line {
        label: String::new(),
        heading: format!("{}: ", field.as_str()),
        text: value.to_owned(),
        span: span.map(|span| within(span).unwrap_or(0..value.len())),
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Explains one check, for `--explain`.
pub fn explain(check: &crate::lint::Check) -> String {
    format!(
        "{} ({}): {}\n\n{}\n\nRule: {}.\nClients: {}.\nWhat to do: {}.\n",
        check.id,
        check.severity.as_str(),
        check.title,
        check.explanation,
        check.basis,
        check.clients.words(),
        check.remedy
    )
}
