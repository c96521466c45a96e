//! The report as JSON, and its schema.

use std::io::{self, BufWriter, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json as object};

use super::{CertificateView, FindingView, Report};
use crate::lint::Severity;

/// The version of the form below; it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// The document; what there is much of is made while it is written.
#[derive(Serialize)]
struct Document<C: Serialize, F: Serialize, M: Serialize> {
    version: u32,
    tool: Tool,
    hostnames: Vec<String>,
    names_checked: bool,
    summary: Summary,
    certificates: C,
    findings: F,
    unreadable: Vec<Unreadable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clients: Option<M>,
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

/// A list whose elements are made one after the other, each when it is its turn.
struct Rows<I>(I);

impl<I: Iterator + Clone> Serialize for Rows<I>
where
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// Writes the report as JSON, as docs/lint-output.md has it, with the table of clients if there is one.
///
/// # Errors
/// It cannot be written.
pub fn json(report: &Report<'_>, clients: Option<impl Serialize>, out: impl Write) -> io::Result<()> {
    let findings = &report.findings.findings;
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let located = report.subjects.iter().flat_map(crate::lint::Subject::chain);
    let document = Document {
        version: VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        hostnames: report.hostnames.to_vec(),
        names_checked: report.names_checked,
        summary: Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Info),
            allowed: report.findings.allowed,
            unreadable: report.unreadable.len(),
        },
        certificates: Rows(located.map(|it| CertificateView::of(&it.certificate, &it.origin, report.now))),
        findings: Rows(findings.iter().map(FindingView::from)),
        unreadable: report
            .unreadable
            .iter()
            .map(|error| Unreadable { message: error.to_string(), help: error.help() })
            .collect(),
        clients,
    };
    let mut out = Harmless(BufWriter::new(out));
    serde_json::to_writer_pretty(&mut out, &document)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Passes JSON on with what acts on a terminal, or hides, written as escapes. It can only be in strings.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        if json.iter().all(|byte| byte.is_ascii() && *byte != 0x7f) {
            self.0.write_all(json)?;
            return Ok(json.len());
        }
        // serde_json writes whole strings.
        let text = std::str::from_utf8(json).map_err(io::Error::other)?;
        for letter in text.chars() {
            let plain = letter.is_ascii() && letter != '\x7f';
            // Beyond ASCII `escape_debug` leaves alone what can be seen.
            if plain || letter.escape_debug().len() == 1 {
                write!(self.0, "{letter}")?;
            } else {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(self.0, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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
