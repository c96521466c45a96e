//! A chain that does not lead to a trusted authority: an intermediate is missing, or the root is unknown.

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::checks::{CHAIN_MISSING_INTERMEDIATE, ISSUER_UNKNOWN};
use super::path::Path;
use crate::cert::hex::hexadecimal;
use crate::cert::{Certificate, Field};
use crate::lint::anchors::Anchors;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::{Finding, Located, Severity, Subject, Use};

/// Returns the finding about a chain whose last certificate no anchor signed.
pub(super) fn lint(
    subject: &Subject,
    path: &Path<'_>,
    anchors: &Anchors<'_>,
    known: &KnownAuthorities<'_>,
) -> Option<Finding> {
    let top = path.top();
    let of_profile = subject.role.usage == Use::ReEncrypt;
    let finding = if is_missing_intermediate(path, anchors, known) {
        missing_intermediate(top, known, if of_profile { "the profile's ca-file" } else { "--ca-file" })
    } else if anchors.are_missing() {
        return None;
    } else {
        unknown(path, anchors)
    };
    let finding = if of_profile && finding.check.id == ISSUER_UNKNOWN.id { finding.remedy(CA_FILE) } else { finding };
    Some(match other_key(&top.certificate, anchors) {
        Some(note) => finding.note(note),
        None => finding,
    })
}

/// Returns whether an intermediate is missing rather than a root unknown. If another file has the issuer's own
/// certificate, that decides. Otherwise: public authorities never sign servers' certificates with a root; and where the
/// user named the authorities, a lone certificate of another one more often lacks its intermediate than is signed by an
/// unknown root.
fn is_missing_intermediate(path: &Path<'_>, anchors: &Anchors<'_>, known: &KnownAuthorities<'_>) -> bool {
    let top = &path.top().certificate;
    if top.names_itself() || !anchors.named_by(top).is_empty() {
        return false;
    }
    match known.issuer_of(top) {
        Some(issuer) => !issuer.names_itself(),
        None => {
            let alone = path.steps.len() == 1;
            alone && (is_public(top) || (anchors.given && !top.issuer.to_ascii_lowercase().contains("root")))
        }
    }
}

fn missing_intermediate(top: &Located, known: &KnownAuthorities<'_>, trusted_by: &str) -> Finding {
    let certificate = &top.certificate;
    let issuer = certificate.issuer_title();
    let message = format!("the certificate of {issuer}, which signed {}, is missing", certificate.title());
    let finding = Finding::new(&CHAIN_MISSING_INTERMEDIATE, top, message)
        .field(Field::Issuer)
        .observed(format!("a chain that ends with {}", certificate.title()))
        .expected(format!("the certificate of {issuer} behind it"));
    let finding = match ca_issuers(certificate) {
        Some(url) => finding.note(format!("the certificate names a place to fetch it from: {url}")),
        None => finding,
    };
    match known.issuer_of(certificate) {
        Some(_) => finding.note(format!("another of the files has the certificate of {issuer}")),
        None => finding
            .note(format!("if {issuer} is a root, it is not among the trusted authorities: put it into {trusted_by}")),
    }
}

fn unknown(path: &Path<'_>, anchors: &Anchors<'_>) -> Finding {
    let (top, server) = (path.top(), path.server());
    let certificate = &top.certificate;
    let issuer = certificate.issuer_title();
    let message = if server.certificate.names_itself() {
        format!("{} is self-signed and not among the trusted authorities itself", certificate.title())
    } else if certificate.names_itself() {
        format!("the chain leads to the root {issuer}, which is not trusted")
    } else {
        format!("{issuer}, which signed {}, is not among the trusted authorities", certificate.title())
    };
    let finding = Finding::new(&ISSUER_UNKNOWN, top, message)
        .severity(if anchors.given { Severity::Error } else { ISSUER_UNKNOWN.severity })
        .field(Field::Issuer)
        .observed(&issuer)
        .expected("a chain that leads to a trusted authority");
    if certificate.names_itself() {
        return finding;
    }
    let finding = finding.note(format!("if {issuer} is an intermediate, append its certificate to the file"));
    match ca_issuers(certificate) {
        Some(url) => finding.note(format!("the certificate names a place to fetch its issuer's from: {url}")),
        None => finding,
    }
}

/// Returns a note for an authority that was made again with another key under its old name.
fn other_key(top: &Certificate, anchors: &Anchors<'_>) -> Option<String> {
    let known = anchors.named_by(top).first()?;
    let wanted = if top.names_itself() { top.subject_key_id.as_deref() } else { top.authority_key_id() };
    let id = |id: Option<&[u8]>| id.map_or_else(|| "unknown".into(), hexadecimal);
    Some(format!(
        "an authority named {} is trusted, but with another key: its identifier is {}, where the chain leads to {}",
        top.issuer_title(),
        id(known.certificate.subject_key_id.as_deref()),
        id(wanted),
    ))
}

/// Returns where the issuer's certificate can be fetched (RFC 5280, section 4.2.2.1).
fn ca_issuers(certificate: &Certificate) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().find_map(|description| match &description.access_location {
                GeneralName::URI(url) if description.access_method.to_id_string() == CA_ISSUERS => {
                    Some(url.escape_debug().to_string())
                }
                _ => None,
            })
        }
        _ => None,
    })
}

/// Returns whether a public authority issued it: by its policy, or since it was logged for everybody to see.
fn is_public(certificate: &Certificate) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else { return false };
    parsed.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::CertificatePolicies(policies) => {
            policies.iter().any(|policy| policy.policy_id.to_id_string().starts_with(CABF_POLICIES))
        }
        _ => extension.oid.to_id_string() == SCT_LIST,
    })
}

/// id-ad-caIssuers.
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
/// The CA/Browser Forum's policies.
const CABF_POLICIES: &str = "2.23.140.1.";
/// Signed certificate timestamps (RFC 6962, section 3.3).
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";

/// What to do where pronk alone verifies the chain, with a server-ssl profile.
const CA_FILE: &str = "put the authority's certificate into the file that `ca-file` of the server-ssl profile names; no client sees this certificate";
