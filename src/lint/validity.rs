//! Validity: from when and until when.

use super::clients::Why;
use super::finding::of_server;
use super::known_authorities::KnownAuthorities;
use super::{Check, Clients, Family, Finding, Located, Severity, Subject, remedy};
use crate::cert::date::{day, moment};
use crate::cert::{Certificate, Field};

pub(super) static CHECKS: &[&Check] =
    &[&EXPIRED, &AUTHORITY_EXPIRED, &ROOT_EXPIRED, &NOT_YET_VALID, &EXPIRING_SOON, &LIFETIME_LONG];

static EXPIRED: Check = Check {
    id: "expired",
    family: Family::Validity,
    severity: Severity::Error,
    title: "the server's certificate has expired",
    basis: "RFC 5280, section 4.1.2.5",
    clients: Clients::Judged(&[Why::Expired]),
    explanation: "Clients compare their own clock with the end that stands in the certificate. An impalad goes on showing an \
        expired certificate until it is restarted with another one, and connections that are open already stay open, so the \
        failure shows with the next connection.\n\n\
        Users see `certificate has expired`, `CertificateExpiredException` or `NotAfter: …`.",
    remedy: "issue the certificate anew",
};

static AUTHORITY_EXPIRED: Check = Check {
    id: "authority-expired",
    family: Family::Validity,
    severity: Severity::Error,
    title: "an intermediate authority's certificate has expired",
    basis: "RFC 5280, section 6.1.3",
    clients: Clients::Judged(&[Why::Expired]),
    explanation: "Every certificate of a chain below the trusted root has to be valid on the day, not the server's alone. \
        Authorities are mostly renewed with the same name and key: then it is enough to put the renewed certificate in the \
        place of the old one, and the server's own may stay.",
    remedy: "put the authority's renewed certificate into the chain, or issue the server's under another authority",
};

pub(super) static ROOT_EXPIRED: Check = Check {
    id: "root-expired",
    family: Family::Validity,
    severity: Severity::Error,
    title: "a root certificate has expired",
    basis: "X.509 verification in OpenSSL, which looks at the dates of roots too (RFC 5280, section 6.1, leaves it open)",
    clients: Clients::Judged(&[Why::Expired]),
    explanation: "Java and rustls take a name and a key from the truststore and ignore the dates beside them. OpenSSL verifies \
        the root like every other certificate. So with an expired root JDBC goes on working while impala-shell and Hue stop.",
    remedy: "renew the root, and put it into the truststore of every client beside the old one",
};

pub(super) static NOT_YET_VALID: Check = Check {
    id: "not-yet-valid",
    family: Family::Validity,
    severity: Severity::Error,
    title: "a certificate is not valid yet",
    basis: "RFC 5280, section 4.1.2.5",
    clients: Clients::Judged(&[Why::NotYetValid]),
    explanation: "Either the certificate is meant for later, or the clock of the authority that issued it or of this host is \
        wrong. Authorities often set the beginning back by some minutes so that clocks may differ.",
    remedy: "wait for its beginning, or set the clocks right",
};

static EXPIRING_SOON: Check = Check {
    id: "expiring-soon",
    family: Family::Validity,
    severity: Severity::Warning,
    title: "a certificate expires soon",
    basis: "RFC 5280, section 4.1.2.5",
    clients: Clients::Later,
    explanation: "An impalad reads its certificate when it starts, so replacing certificates takes a restart of the cluster, \
        which wants to be planned. pronk uses renewed files of its own within `certificate-refresh`, without a reload.",
    remedy: "issue the certificate anew, and plan the restart",
};

static LIFETIME_LONG: Check = Check {
    id: "lifetime-long",
    family: Family::Validity,
    severity: Severity::Info,
    title: "the server's certificate is valid for more than 398 days",
    basis: "CA/Browser Forum Baseline Requirements, section 6.3.2",
    clients: Clients::Unminded,
    explanation: "Public authorities may not issue certificates for longer than 398 days, and some browsers refuse longer ones. \
        Of an internal authority every client takes them, even for 200 years. A key that is in use for long is a key that \
        many have had the chance to copy.",
    remedy: "issue certificates for a year or less, and let a program renew them",
};

pub(super) fn lint(subject: &Subject, known: &KnownAuthorities<'_>, expiry_days: u32) -> Vec<Finding> {
    let server = subject.leaf_located();
    let mut findings = Vec::new();
    for at in subject.chain() {
        let is_server = subject.is_server() && std::ptr::eq(at, server);
        findings.extend(if is_server {
            of_end(subject, at, Holder::Server, known, expiry_days)
        } else {
            of_end(subject, at, Holder::authority(&at.certificate), known, expiry_days)
        });
        if is_server {
            findings.extend(long_life(at));
        }
    }
    findings
}

/// Whose certificate it is.
#[derive(Clone, Copy, PartialEq)]
enum Holder {
    Server,
    Intermediate,
    Root,
}

impl Holder {
    fn authority(certificate: &Certificate) -> Self {
        if certificate.names_itself() { Self::Root } else { Self::Intermediate }
    }

    /// Returns the subject of a sentence.
    fn words(self, certificate: &Certificate) -> String {
        match self {
            Self::Server => "the certificate".into(),
            Self::Intermediate => format!("the certificate of the authority {}", certificate.title()),
            Self::Root => format!("the root certificate of {}", certificate.title()),
        }
    }

    /// Makes a finding about an end that should be some days away.
    fn about(self, check: &'static Check, subject: &Subject, at: &Located, message: String, days: i64) -> Finding {
        let finding = match self {
            Self::Server => of_server(check, subject, message).paste(remedy::request(subject)),
            Self::Intermediate | Self::Root => Finding::new(check, at, message),
        };
        finding
            .field(Field::NotAfter)
            .observed(moment(at.certificate.not_after))
            .expected(format!("an end {} away or more", span(days)))
    }
}

fn of_end(
    subject: &Subject,
    at: &Located,
    holder: Holder,
    known: &KnownAuthorities<'_>,
    expiry_days: u32,
) -> Option<Finding> {
    let (certificate, now) = (&*at.certificate, known.now);
    let words = holder.words(certificate);
    let end = day(certificate.not_after);
    let days = certificate.days_left(now);
    let wanted = i64::from(expiry_days);
    if now > certificate.not_after {
        let check = match holder {
            Holder::Server => &EXPIRED,
            Holder::Intermediate => &AUTHORITY_EXPIRED,
            Holder::Root => &ROOT_EXPIRED,
        };
        let message = format!("{words} expired on {end}, {} ago", span((now - certificate.not_after) / DAY));
        Some(holder.about(check, subject, at, message, wanted))
    } else if now < certificate.not_before {
        let beginning = moment(certificate.not_before);
        Some(
            Finding::new(&NOT_YET_VALID, at, format!("{words} is not valid before {beginning}"))
                .field(Field::NotBefore)
                .observed(beginning)
                .expected(format!("a beginning before {}", moment(now))),
        )
    } else if days < wanted {
        let urge = if days < URGENT_DAYS.min(wanted / 2) { ": replace it now" } else { "" };
        let message = format!("{words} expires in {}, on {end}{urge}", span(days));
        let finding = holder.about(&EXPIRING_SOON, subject, at, message, wanted);
        Some(match holder {
            Holder::Server => finding,
            Holder::Intermediate => finding.remedy(AUTHORITY_EXPIRED.remedy),
            Holder::Root => finding.remedy(ROOT_EXPIRED.remedy),
        })
    } else {
        None
    }
}

fn long_life(at: &Located) -> Option<Finding> {
    let days = (at.certificate.not_after - at.certificate.not_before) / DAY;
    (days > LONG_DAYS).then(|| {
        Finding::new(&LIFETIME_LONG, at, format!("the certificate is valid for {days} days in all"))
            .field(Field::NotAfter)
            .observed(format!("{days} days"))
            .expected(format!("{LONG_DAYS} days or fewer"))
    })
}

fn span(days: i64) -> String {
    match days {
        0 => "less than a day".into(),
        1 => "1 day".into(),
        _ => format!("{days} days"),
    }
}

const DAY: i64 = 86_400;
const LONG_DAYS: i64 = 398;
/// From so many days before the end on, or from half of the days that the user wants to be warned before it.
const URGENT_DAYS: i64 = 14;
