//! SARIF 2.1.0, for code-scanning pages.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::location::{self, CertificateLines};
use super::{FindingView, Report};
use crate::lint::{Check, Finding, Origin, Severity};

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation; 1],
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    properties: &'a FindingView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
struct Fingerprints {
    /// Stays the same while the same check finds the same thing in the same certificate.
    #[serde(rename = "pronk/v1")]
    pronk: String,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

/// Returns the report as SARIF.
pub fn sarif(report: &Report<'_>) -> String {
    let findings = &report.findings.findings;
    let mut checks: Vec<&'static Check> = findings.iter().map(|finding| finding.check).collect();
    checks.sort_by_key(|check| check.id);
    checks.dedup_by_key(|check| check.id);
    let views: Vec<_> = findings.iter().map(FindingView::from).collect();
    let mut certificate_lines = CertificateLines::default();
    let results: Vec<_> = findings
        .iter()
        .zip(&views)
        .map(|(finding, view)| result(finding, view, &checks, report.folder, &mut certificate_lines))
        .collect();
    let notification = |message| Notification { level: "error", message: Text { text: message } };
    let unreadable: BTreeSet<_> = report.unreadable.iter().map(ToString::to_string).collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: checks.iter().map(|check| rule(check)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: unreadable.is_empty(),
                tool_execution_notifications: unreadable.into_iter().map(notification).collect(),
            }],
            results,
        }],
    };
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn rule(check: &'static Check) -> Rule {
    let help = format!("{}. Rule: {}. Clients: {}.", check.remedy, check.basis, check.clients.words());
    Rule {
        id: check.id,
        short_description: Text { text: check.title.into() },
        full_description: Text { text: check.explanation.into() },
        help: Text { text: help },
        default_configuration: Configuration { level: level(check.severity) },
    }
}

fn result<'a>(
    finding: &Finding,
    view: &'a FindingView,
    checks: &[&Check],
    folder: &Path,
    certificate_lines: &mut CertificateLines,
) -> SarifResult<'a> {
    let certificate = finding.certificate.as_ref().map_or_else(|| finding.origin.source(), |it| it.fingerprint());
    let span = finding.span.as_deref().unwrap_or_default();
    // A message is Markdown of a kind, in which this would begin a link (SARIF 2.1.0, section 3.11.6).
    let text = format!("{}: {}. {}.", finding.origin, finding.message, finding.remedy).replace("](", "] (");
    let uri = match &finding.origin {
        Origin::File { path, .. } => location::uri(path, folder),
        Origin::Live { address, .. } => format!("tls://{address}"),
    };
    SarifResult {
        rule_id: finding.check.id,
        rule_index: checks.iter().position(|check| check.id == finding.check.id).unwrap_or_default(),
        level: level(finding.severity),
        message: Text { text },
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: Artifact { uri },
                region: Region { start_line: certificate_lines.line(finding) },
            },
        }],
        partial_fingerprints: Fingerprints { pronk: format!("{}/{certificate}/{span}", finding.check.id) },
        properties: view,
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}
