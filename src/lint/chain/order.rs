//! Which certificates are in a chain's file, and whether they are in order.

use super::checks::{CHAIN_DUPLICATE, CHAIN_OUT_OF_ORDER, CHAIN_ROOT_INCLUDED, CHAIN_UNRELATED};
use super::path::Path;
use crate::cert::Field;
use crate::lint::finding::of_server;
use crate::lint::{Finding, Located, Severity, Subject};

pub(super) fn lint(subject: &Subject, path: &Path<'_>) -> Vec<Finding> {
    let chain = subject.chain();
    // A collection of several servers' certificates is not sent as the file has it.
    if !subject.is_unordered && !subject.is_ordered() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut seen: Vec<&Located> = Vec::new();
    let mut disorder = if subject.is_unordered { None } else { wrong_start(subject) };
    for at in chain {
        if let Some(first) = seen.iter().find(|it| it.certificate.der == at.certificate.der) {
            findings.push(duplicate(first, at));
            continue;
        }
        if path.has_above(at) {
            let follows = seen.iter().any(|below| below.certificate.names_issuer(&at.certificate));
            if !follows && disorder.is_none() && !subject.is_unordered {
                disorder = Some(wrong_place(path, at));
            }
            if at.certificate.names_itself() {
                findings.push(root(at));
            }
        } else if !std::ptr::eq(at, path.server()) {
            findings.push(unrelated(path, at));
        }
        seen.push(at);
    }
    findings.extend(disorder);
    findings
}

fn wrong_start(subject: &Subject) -> Option<Finding> {
    let first = subject.chain().first()?;
    let server = subject.leaf_located();
    if first.certificate.der == server.certificate.der {
        return None;
    }
    let (position, _) = server.origin.position();
    let message = format!(
        "the first certificate is that of {}, and the server's own is certificate {position}",
        first.certificate.title()
    );
    Some(
        of_server(&CHAIN_OUT_OF_ORDER, subject, message)
            .severity(Severity::Error)
            .field(Field::Subject)
            .observed(format!("{} first", first.certificate.title()))
            .expected(format!("{} first", server.certificate.title())),
    )
}

fn wrong_place(path: &Path<'_>, at: &Located) -> Finding {
    let order = path.steps.iter().map(|step| step.certificate.title()).collect::<Vec<_>>().join("; ");
    let message = format!("{} stands before the certificate that it signed", at.certificate.title());
    Finding::new(&CHAIN_OUT_OF_ORDER, at, message)
        .field(Field::Subject)
        .observed(format!("{} as certificate {}", at.certificate.title(), at.origin.position().0))
        .expected(format!("the order: {order}"))
}

fn duplicate(first: &Located, at: &Located) -> Finding {
    let (before, _) = first.origin.position();
    Finding::new(&CHAIN_DUPLICATE, at, format!("{} is certificate {before} already", at.certificate.title()))
        .field(Field::Subject)
        .observed("the same certificate twice")
        .expected("each certificate once")
}

fn root(at: &Located) -> Finding {
    Finding::new(&CHAIN_ROOT_INCLUDED, at, format!("the chain includes the root {}", at.certificate.title()))
        .field(Field::Issuer)
        .observed("a self-signed authority in the chain")
        .expected("a chain that ends below the root")
}

fn unrelated(path: &Path<'_>, at: &Located) -> Finding {
    let server = &path.server().certificate;
    let message = format!("{} is not part of the chain of {}", at.certificate.title(), server.title());
    Finding::new(&CHAIN_UNRELATED, at, message)
        .field(Field::Subject)
        .observed(format!("{}, which signed none of the chain", at.certificate.title()))
        .expected(format!(
            "{}, which signed the last certificate of the chain, or nothing",
            path.top().certificate.issuer_title()
        ))
}
