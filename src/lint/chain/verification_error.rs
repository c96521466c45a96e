//! From an error of rustls-webpki to a finding: which certificate causes it, and what to say of it.

use webpki::Error;

use super::checks::{CHAIN_INVALID, ISSUER_UNKNOWN, NAME_CONSTRAINTS_VIOLATED, REVOKED, SIGNATURE_INVALID};
use super::path::Path;
use super::path_length;
use super::verify::is_signed_by;
use super::webpki_words::reason;
use crate::cert::{Certificate, Field, KeyKind};
use crate::lint::anchors::Anchors;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::{Check, Finding, Located, Severity};
use crate::words::{MOST_NAMES, first_of, shown};

/// Returns the finding for an error that no other finding explains.
pub(super) fn lint(
    error: &Error,
    path: &Path<'_>,
    anchors: &Anchors<'_>,
    known: &KnownAuthorities<'_>,
) -> Option<Finding> {
    Some(match error {
        Error::CertRevoked => revoked(path, known),
        Error::InvalidSignatureForPublicKey => signature(path, anchors, known)?,
        Error::NameConstraintViolation => name_constraints(path, anchors),
        Error::PathLenConstraintViolated => path_length::exceeded(path),
        Error::UnknownIssuer => {
            let severity = if anchors.given { Severity::Error } else { Severity::Warning };
            let message = format!("no chain leads from {} to a trusted authority", path.server().certificate.title());
            about(&ISSUER_UNKNOWN, path.top(), Field::Issuer, message).severity(severity)
        }
        Error::EndEntityUsedAsCa => {
            let at = path.intermediates().find(|it| !it.certificate.is_ca()).unwrap_or_else(|| path.server());
            let message = format!("{} signed a certificate and is not an authority", at.certificate.title());
            about(&CHAIN_INVALID, at, Field::BasicConstraints, message).observed("CA:FALSE").expected("CA:TRUE")
        }
        _ => {
            let reason = reason(error, path);
            let message = format!("the chain of {} does not verify: {reason}", path.server().certificate.title());
            about(&CHAIN_INVALID, path.server(), Field::Issuer, message).observed(reason)
        }
    })
}

fn about(check: &'static Check, at: &Located, field: Field, message: String) -> Finding {
    Finding::new(check, at, message).field(field).expected("a chain that verifies")
}

fn revoked(path: &Path<'_>, known: &KnownAuthorities<'_>) -> Finding {
    let revoked = path.steps.iter().copied().find(|it| known.revocation.has(&it.certificate));
    let at = revoked.unwrap_or_else(|| path.server());
    let certificate = &at.certificate;
    let message = format!("{} has revoked the certificate of {}", certificate.issuer_title(), certificate.title());
    about(&REVOKED, at, Field::Serial, message)
        .observed(format!("serial number {} on the revocation list", certificate.serial))
        .expected("a certificate that is not revoked")
}

/// Returns the finding for a signature that does not verify; none if a key is the cause that is linted itself.
fn signature(path: &Path<'_>, anchors: &Anchors<'_>, known: &KnownAuthorities<'_>) -> Option<Finding> {
    let (at, above) = broken_link(path, anchors).unwrap_or_else(|| (path.server(), None));
    let (title, issuer) = (at.certificate.title(), at.certificate.issuer_title());
    if let Some(issuer_of) = above.or_else(|| anchors.named_by(&at.certificate).first().map(|it| &it.certificate))
        && is_of_odd_size(issuer_of)
    {
        let message = format!("{title} is signed with a key of {}, which rustls does not take", issuer_of.key);
        return (!known.is_linted(issuer_of)).then(|| {
            let finding = about(&CHAIN_INVALID, at, Field::Issuer, message).observed(issuer_of.key.to_string());
            finding.expected("RSA of 2048 to 8192 bits, or ECDSA")
        });
    }
    let finding = about(
        &SIGNATURE_INVALID,
        at,
        Field::SignatureAlgorithm,
        format!("{title} is not signed with the key of {issuer}, which it names as its issuer"),
    )
    .observed("a signature that does not verify")
    .expected(format!("the signature of {issuer}"));
    Some(match above {
        Some(_) => finding,
        None => {
            finding.note(format!("an authority named {issuer} is trusted; perhaps it was made anew with another key"))
        }
    })
}

/// Returns the lowest certificate that no issuer of the name that it gives has signed, and its issuer in the file.
fn broken_link<'a>(path: &Path<'a>, anchors: &Anchors<'_>) -> Option<(&'a Located, Option<&'a Certificate>)> {
    let uppers = path.steps.iter().skip(1).map(|it| Some(&*it.certificate)).chain([None]);
    path.steps.iter().copied().zip(uppers).find(|(at, above)| {
        let trusted = anchors.named_by(&at.certificate).iter().map(|anchor| &anchor.certificate);
        let itself = at.certificate.names_itself().then_some(&*at.certificate);
        let mut issuers = above.iter().copied().chain(trusted).chain(itself).peekable();
        issuers.peek().is_some() && !issuers.any(|issuer| is_signed_by(&at.certificate, issuer))
    })
}

/// Returns whether rustls refuses the key for its size: it takes RSA keys of 2048 to 8192 bits.
fn is_of_odd_size(issuer: &Certificate) -> bool {
    matches!(issuer.key.kind, KeyKind::Rsa { bits, .. } if !(2048..=8192).contains(&bits))
}

fn name_constraints(path: &Path<'_>, anchors: &Anchors<'_>) -> Finding {
    let server = path.server();
    let of_anchors = path.related.iter().flat_map(|it| anchors.named_by(&it.certificate)).map(|it| &it.certificate);
    let of_chain = path.steps.iter().skip(1).map(|it| &*it.certificate);
    let constraint = of_chain
        .chain(of_anchors)
        .find_map(|it| it.name_constraints.as_ref().map(|constraints| (it.title(), constraints)));
    let (authority, words) = match constraint {
        Some((title, constraints)) => {
            let permitted = constraints.permitted.iter().map(|name| format!("permitted {}", shown(name)));
            let excluded = constraints.excluded.iter().map(|name| format!("excluded {}", shown(name)));
            (title, first_of(permitted.chain(excluded), MOST_NAMES))
        }
        None => ("an authority above".into(), "names that the authority may sign for".into()),
    };
    let names = &server.certificate.names;
    let carried = names.dns.iter().map(|name| format!("DNS:{}", name.escape_debug()));
    let carried = first_of(carried.chain(names.ip.iter().map(|address| format!("IP Address:{address}"))), MOST_NAMES);
    let message = format!("{authority} may not sign for all names of the certificate");
    about(&NAME_CONSTRAINTS_VIOLATED, server, Field::SubjectAlternativeName, message)
        .observed(if carried.is_empty() { server.certificate.title() } else { carried })
        .expected(words)
}
