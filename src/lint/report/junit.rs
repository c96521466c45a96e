//! JUnit's XML, for build servers: a suite for each source, a case for each finding and each certificate without one.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::Report;
use crate::lint::{Finding, Located, Severity, Subject};

/// Returns the report as JUnit's XML.
pub fn junit(report: &Report<'_>) -> String {
    let mut sources: BTreeMap<String, (Vec<&Located>, Vec<&Finding>)> = BTreeMap::new();
    for located in report.subjects.iter().flat_map(Subject::chain) {
        sources.entry(located.origin.source()).or_default().0.push(located);
    }
    for finding in &report.findings.findings {
        sources.entry(finding.origin.source()).or_default().1.push(finding);
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written =
        writer.create_element("testsuites").with_attribute(("name", "pronk lint")).write_inner_content(|out| {
            for (source, (certificates, findings)) in &sources {
                suite(out, source, certificates, findings, report.fail_on)?;
            }
            unreadable(out, report)
        });
    // Writing to memory does not fail.
    let _ = written;
    let xml = String::from_utf8(writer.into_inner()).unwrap_or_default();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n")
}

type Out = Writer<Vec<u8>>;

fn suite(
    out: &mut Out,
    source: &str,
    certificates: &[&Located],
    findings: &[&Finding],
    fail_on: Option<Severity>,
) -> io::Result<()> {
    let clean: Vec<_> =
        certificates.iter().filter(|it| !findings.iter().any(|finding| finding.origin == it.origin)).collect();
    let failures = findings.iter().filter(|finding| fails(finding, fail_on)).count();
    let (tests, failures) = ((clean.len() + findings.len()).to_string(), failures.to_string());
    out.create_element("testsuite")
        .with_attributes([("name", &*legal(source)), ("tests", &tests), ("failures", &failures)])
        .write_inner_content(|out| {
            for located in clean {
                let name = legal(&format!("{} is clean", located.certificate.title()));
                out.create_element("testcase")
                    .with_attributes([("classname", &*legal(source)), ("name", &name)])
                    .write_empty()?;
            }
            findings.iter().try_for_each(|finding| case(out, source, finding, fail_on))
        })
        .map(drop)
}

fn case(out: &mut Out, source: &str, finding: &Finding, fail_on: Option<Severity>) -> io::Result<()> {
    let name = legal(&format!("{}: {}", finding.check.id, finding.message));
    let text = legal(&format!(
        "{}\nfound: {}\nexpected: {}\nrule: {}\nclients: {}\nhelp: {}\n{}",
        finding.origin,
        finding.observed,
        finding.expected,
        finding.check.basis,
        finding.clients,
        finding.remedy,
        finding.paste.join("\n")
    ));
    let case = out.create_element("testcase").with_attributes([("classname", &*legal(source)), ("name", &name)]);
    case.write_inner_content(|out| {
        let content = BytesText::new(&text);
        if fails(finding, fail_on) {
            let message = legal(&finding.message);
            out.create_element("failure")
                .with_attributes([("type", finding.severity.as_str()), ("message", &message)])
                .write_text_content(content)
        } else {
            out.create_element("system-out").write_text_content(content)
        }
        .map(drop)
    })
    .map(drop)
}

/// Returns whether a finding fails the build, as the exit code has it.
fn fails(finding: &Finding, fail_on: Option<Severity>) -> bool {
    fail_on.is_some_and(|least| finding.severity >= least)
}

fn unreadable(out: &mut Out, report: &Report<'_>) -> io::Result<()> {
    if report.unreadable.is_empty() {
        return Ok(());
    }
    let count = report.unreadable.len().to_string();
    out.create_element("testsuite")
        .with_attributes([("name", "unreadable"), ("tests", &count), ("errors", &count)])
        .write_inner_content(|out| {
            for error in report.unreadable {
                let message = legal(&error.to_string());
                out.create_element("testcase")
                    .with_attributes([("classname", "unreadable"), ("name", &message)])
                    .write_inner_content(|out| {
                        out.create_element("error").with_attribute(("message", &*message)).write_empty().map(drop)
                    })?;
            }
            Ok(())
        })
        .map(drop)
}

/// Returns the text without what XML 1.0 forbids (section 2.2), which no escape can write.
fn legal(text: &str) -> String {
    let forbidden = |letter: char| {
        (letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')) || matches!(letter, '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|letter| if forbidden(letter) { '\u{fffd}' } else { letter }).collect()
}
