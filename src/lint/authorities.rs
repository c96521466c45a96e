//! Authorities: do certificates that sign others say so as they must?

use super::chain::Path;
use super::clients::Why;
use super::finding::of_server;
use super::known_authorities::KnownAuthorities;
use super::usage::unknown_critical;
use super::{Check, Clients, Family, Finding, Located, Severity, Subject};
use crate::cert::Field;

pub(super) static CHECKS: &[&Check] = &[
    &CA_BASIC_CONSTRAINTS_MISSING,
    &CA_BASIC_CONSTRAINTS_NOT_CRITICAL,
    &CA_KEY_USAGE_MISSING,
    &CA_KEY_IDS_MISSING,
    &CA_CANNOT_SIGN,
];

pub(super) static CA_BASIC_CONSTRAINTS_MISSING: Check = Check {
    id: "ca-basic-constraints-missing",
    family: Family::Authorities,
    severity: Severity::Error,
    title: "an authority's certificate has no basic constraints",
    basis: "RFC 5280, section 4.2.1.9",
    clients: Clients::Judged(&[Why::IssuerIsNoAuthority, Why::AnchorIsNoAuthority]),
    explanation: "`CA:TRUE` in the basic constraints is what tells an authority's certificate from a server's. Roots from before \
        2002, and some that scripts make, lack it. Java then says `basic constraints check failed: this is not a CA certificate`.",
    remedy: "renew the authority's certificate with basicConstraints=critical,CA:TRUE; the same key may stay",
};

pub(super) static CA_BASIC_CONSTRAINTS_NOT_CRITICAL: Check = Check {
    id: "ca-basic-constraints-not-critical",
    family: Family::Authorities,
    severity: Severity::Warning,
    title: "the basic constraints of an authority's certificate are not critical",
    basis: "RFC 5280, section 4.2.1.9",
    clients: Clients::Judged(&[Why::StrictConstraintsNotCritical]),
    explanation: "Python's default context sets `VERIFY_X509_STRICT` from 3.13 on. OpenSSL then says `Basic Constraints of CA cert \
        not marked critical`, for a root of the truststore too. `openssl req -x509` with an old configuration makes such roots.",
    remedy: "renew the authority's certificate with basicConstraints=critical,CA:TRUE; the same key may stay",
};

pub(super) static CA_KEY_USAGE_MISSING: Check = Check {
    id: "ca-key-usage-missing",
    family: Family::Authorities,
    severity: Severity::Warning,
    title: "an authority's certificate has no key usage",
    basis: "RFC 5280, section 4.2.1.3",
    clients: Clients::Judged(&[Why::StrictNoKeyUsage]),
    explanation: "Python's default context sets `VERIFY_X509_STRICT` from 3.13 on. OpenSSL then says `CA cert does not include key \
        usage extension`.",
    remedy: "renew the authority's certificate with keyUsage=critical,keyCertSign,cRLSign; the same key may stay",
};

pub(super) static CA_KEY_IDS_MISSING: Check = Check {
    id: "ca-key-ids-missing",
    family: Family::Authorities,
    severity: Severity::Warning,
    title: "a key identifier is missing: an authority's own, or that of the authority in what it signed",
    basis: "RFC 5280, sections 4.2.1.1 and 4.2.1.2",
    clients: Clients::Judged(&[Why::StrictNoSubjectKey, Why::StrictNoAuthorityKey]),
    explanation: "Key identifiers tell the keys of an authority apart that has had several under one name. Python's default context \
        sets `VERIFY_X509_STRICT` from 3.13 on, and OpenSSL then says `Missing Subject Key Identifier` or `Missing Authority Key \
        Identifier`.",
    remedy: "issue the certificate anew with subjectKeyIdentifier=hash (an authority's) and authorityKeyIdentifier=keyid",
};

pub(super) static CA_CANNOT_SIGN: Check = Check {
    id: "ca-cannot-sign",
    family: Family::Authorities,
    severity: Severity::Error,
    title: "the key usage of an authority's certificate does not allow signing certificates",
    basis: "RFC 5280, section 4.2.1.3",
    clients: Clients::Judged(&[Why::CannotSign]),
    explanation: "An authority's key usage has to have `keyCertSign`. Without it OpenSSL says `invalid CA certificate` and Java \
        `keyCertSign bit is not set`, for an intermediate as for a root of the truststore.",
    remedy: "renew the authority's certificate with keyUsage=critical,keyCertSign,cRLSign; the same key may stay",
};

pub(super) fn lint(subject: &Subject, path: &Path<'_>, known: &KnownAuthorities<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if subject.is_server() {
        findings.extend(issuer_key(subject));
    }
    for at in authorities(subject, path, known) {
        judge(at, &mut findings);
    }
    findings
}

/// Returns the certificates that say they are authorities', and those that have to be because they are above the
/// server's own.
fn authorities<'a>(subject: &'a Subject, path: &'a Path<'a>, known: &KnownAuthorities<'_>) -> Vec<&'a Located> {
    if !subject.is_server() {
        // The trust entry of a server that is its own authority is no authority's, whatever it says.
        return subject.chain().iter().filter(|at| !known.is_server(&at.certificate)).collect();
    }
    let above = subject.chain().iter().filter(|at| !std::ptr::eq(*at, subject.leaf_located()));
    above.filter(|at| at.certificate.is_ca() || path.has_above(at)).collect()
}

fn judge(at: &Located, findings: &mut Vec<Finding>) {
    let certificate = &at.certificate;
    let title = certificate.title();
    let mut about = |check, field, message: String, observed: &str, expected: &str| {
        findings.push(Finding::new(check, at, message).field(field).observed(observed).expected(expected));
    };
    let field = Field::BasicConstraints;
    match certificate.basic_constraints {
        None => {
            let message = format!("the authority {title} does not say that it is one");
            about(&CA_BASIC_CONSTRAINTS_MISSING, field, message, "no basic constraints", "critical, CA:TRUE");
            // It has to be renewed, and mostly lacks everything else that an authority's should have too.
            return;
        }
        // `chain-invalid` reports what signs without being an authority.
        Some(constraints) if !constraints.ca => return,
        Some(constraints) if !constraints.critical => {
            let message = format!("the basic constraints of the authority {title} are not critical");
            about(&CA_BASIC_CONSTRAINTS_NOT_CRITICAL, field, message, "CA:TRUE, not critical", "critical, CA:TRUE");
        }
        Some(_) => {}
    }
    match certificate.key_usage {
        None => {
            let message = format!("the authority {title} does not say what its key is for");
            about(
                &CA_KEY_USAGE_MISSING,
                Field::KeyUsage,
                message,
                "no key usage",
                "critical, Certificate Sign, CRL Sign",
            );
        }
        Some(usage) if !usage.key_cert_sign => {
            let message = format!("the authority {title} may not sign certificates");
            about(
                &CA_CANNOT_SIGN,
                Field::KeyUsage,
                message,
                "a key usage without Certificate Sign",
                "Certificate Sign",
            );
        }
        Some(_) => {}
    }
    if certificate.subject_key_id.is_none() {
        let (field, message) = (Field::SubjectKeyIdentifier, format!("the authority {title} has no key identifier"));
        about(&CA_KEY_IDS_MISSING, field, message, "no subject key identifier", "the hash of its key");
    } else if certificate.authority_key_id().is_none() && !certificate.names_itself() {
        let message = format!("the authority {title} does not name its issuer's key");
        let field = Field::AuthorityKeyIdentifier;
        about(&CA_KEY_IDS_MISSING, field, message, "no authority key identifier", "the issuer's key identifier");
    }
    findings.extend(unknown_critical(at));
}

/// Checks that a server's certificate names its issuer's key, which self-signed ones need not (RFC 6818, section 2).
fn issuer_key(subject: &Subject) -> Option<Finding> {
    let certificate = subject.leaf();
    (certificate.authority_key_id().is_none() && !certificate.names_itself()).then(|| {
        of_server(&CA_KEY_IDS_MISSING, subject, "the certificate does not name its issuer's key")
            .field(Field::AuthorityKeyIdentifier)
            .observed("no authority key identifier")
            .expected("the issuer's key identifier")
    })
}
