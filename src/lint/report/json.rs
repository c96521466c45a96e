//! The report as JSON, and its schema.

use serde::Serialize;
use serde_json::{Value, json as object};

use super::{CertificateView, FindingView, Report};
use crate::lint::Severity;

/// The version of the form below; it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    hostnames: &'a [String],
    names_checked: bool,
    summary: Summary,
    certificates: Vec<CertificateView>,
    findings: Vec<FindingView>,
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    allowed: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct Unreadable {
    message: String,
    help: Option<String>,
}

/// Returns the report as JSON, as docs/lint-output.md has it, with `more` at its top level.
pub fn json(report: &Report<'_>, more: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    let findings = &report.findings.findings;
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let located = report.subjects.iter().flat_map(crate::lint::Subject::chain);
    let document = Document {
        version: VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        hostnames: report.hostnames,
        names_checked: report.names_checked,
        summary: Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Info),
            allowed: report.findings.allowed,
            unreadable: report.unreadable.len(),
        },
        certificates: located.map(|it| CertificateView::of(&it.certificate, &it.origin, report.now)).collect(),
        findings: findings.iter().map(FindingView::from).collect(),
        unreadable: report
            .unreadable
            .iter()
            .map(|error| Unreadable { message: error.to_string(), help: error.help() })
            .collect(),
    };
    let mut value = serde_json::to_value(document).unwrap_or_default();
    for (key, extra) in more {
        value[key] = extra;
    }
    harmless(&format!("{value:#}\n"))
}

/// Returns the same JSON with what acts on a terminal, or hides, written as escapes. It can only be in strings.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        let plain = letter.is_ascii() && letter != '\x7f';
        // Beyond ASCII `escape_debug` leaves alone what can be seen.
        if plain || letter.escape_debug().len() == 1 {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            text.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Returns a JSON Schema of what [`json`] writes.
pub fn json_schema() -> Value {
    let text = || object!({ "type": "string" });
    let maybe_text = || object!({ "type": ["string", "null"] });
    let number = || object!({ "type": "integer" });
    let texts = || object!({ "type": "array", "items": { "type": "string" } });
    let object_of = |fields: &[(&str, Value)]| {
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let properties: serde_json::Map<_, _> =
            fields.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
        object!({ "type": "object", "properties": properties, "required": names })
    };
    let certificate = object_of(&[
        ("source", text()),
        ("position", number()),
        ("of", number()),
        ("subject", text()),
        ("issuer", text()),
        ("serial", text()),
        ("common_names", texts()),
        ("dns", texts()),
        ("ip", texts()),
        ("not_before", text()),
        ("not_after", text()),
        ("days_left", number()),
        ("key", text()),
        ("signature", text()),
        ("ca", object!({ "type": "boolean" })),
        ("sha256", text()),
    ]);
    let finding = object_of(&[
        ("check", text()),
        ("severity", object!({ "enum": ["error", "warning", "info"] })),
        ("source", text()),
        ("position", number()),
        ("of", number()),
        ("subject", maybe_text()),
        ("field", maybe_text()),
        ("message", text()),
        ("observed", text()),
        ("expected", text()),
        ("basis", text()),
        ("clients", text()),
        ("remedy", text()),
        ("paste", texts()),
        ("notes", texts()),
    ]);
    let mut schema = object_of(&[
        ("version", object!({ "const": VERSION })),
        ("tool", object_of(&[("name", text()), ("version", text())])),
        ("hostnames", texts()),
        ("names_checked", object!({ "type": "boolean" })),
        ("summary", object_of(&["errors", "warnings", "notes", "allowed", "unreadable"].map(|name| (name, number())))),
        ("certificates", object!({ "type": "array", "items": certificate })),
        ("findings", object!({ "type": "array", "items": finding })),
        (
            "unreadable",
            object!({ "type": "array", "items": object_of(&[("message", text()), ("help", maybe_text())]) }),
        ),
    ]);
    schema["$schema"] = object!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = object!("what pronk lint --format json prints");
    schema
}
