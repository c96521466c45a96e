//! Usage: may the server's own certificate be used for a TLS server?

use super::anchors::Anchors;
use super::clients::Why;
use super::finding::of_server;
use super::{Check, Clients, Family, Finding, Located, Severity, Subject, Use, remedy};
use crate::cert::{Field, Purpose, extension_name};

pub(super) static CHECKS: &[&Check] = &[
    &EKU_NO_SERVER_AUTH,
    &EKU_ANY_ONLY,
    &EKU_ABSENT,
    &KU_NO_DIGITAL_SIGNATURE,
    &KU_CERT_SIGN_ON_LEAF,
    &LEAF_IS_CA,
    &SELF_SIGNED,
    &UNKNOWN_CRITICAL_EXTENSION,
    &MUST_STAPLE,
];

static EKU_NO_SERVER_AUTH: Check = Check {
    id: "eku-no-server-auth",
    family: Family::Usage,
    severity: Severity::Error,
    title: "the extended key usage does not allow a server",
    basis: "RFC 5280, section 4.2.1.12",
    clients: Clients::Judged(&[Why::ForeignPurpose]),
    explanation: "The extended key usage lists what the key is for. Once it stands in a certificate, a server needs \
        `serverAuth` (TLS Web Server Authentication) in it. Certificates from a template for clients or users have \
        `clientAuth` alone. `clientAuth` itself is not needed: an impalad never shows its certificate as a client.",
    remedy: "issue the certificate anew with the extended key usage serverAuth",
};

static EKU_ANY_ONLY: Check = Check {
    id: "eku-any-only",
    family: Family::Usage,
    severity: Severity::Error,
    title: "the extended key usage says \"any\" instead of naming the server",
    basis: "RFC 5280, section 4.2.1.12: applications may require that their purpose be named",
    clients: Clients::Judged(&[Why::AnyPurposeOnly]),
    explanation: "`anyExtendedKeyUsage` looks as if it allowed everything. OpenSSL and rustls want `serverAuth` by name all the \
        same, so JDBC connects where impala-shell, Hue and pronk do not.",
    remedy: "issue the certificate anew with the extended key usage serverAuth",
};

static EKU_ABSENT: Check = Check {
    id: "eku-absent",
    family: Family::Usage,
    severity: Severity::Info,
    title: "there is no extended key usage",
    basis: "RFC 5280, section 4.2.1.12",
    clients: Clients::Unminded,
    explanation: "Without the extension the key may be used for everything. Clients take that. Naming the purpose keeps a \
        stolen key from being used for another one.",
    remedy: "name serverAuth when the certificate is issued anew",
};

static KU_NO_DIGITAL_SIGNATURE: Check = Check {
    id: "ku-no-digital-signature",
    family: Family::Usage,
    severity: Severity::Error,
    title: "the key usage does not allow digital signatures",
    basis: "RFC 5280, section 4.2.1.3, and RFC 8446, section 4.4.2.2",
    clients: Clients::Judged(&[Why::NoDigitalSignature, Why::ForeignKeyUsage]),
    explanation: "In TLS 1.3, and in TLS 1.2 with an ephemeral key exchange, the server signs the handshake. A certificate with \
        `keyEncipherment` alone is made for the RSA key exchange of old, which no current client offers. Java says `KeyUsage \
        does not allow digital signatures`.",
    remedy: "issue the certificate anew with the key usage digitalSignature",
};

pub(super) static KU_CERT_SIGN_ON_LEAF: Check = Check {
    id: "ku-cert-sign-on-leaf",
    family: Family::Usage,
    severity: Severity::Error,
    title: "the key usage allows signing certificates, and the certificate is not an authority's",
    basis: "RFC 5280, section 4.2.1.3: keyCertSign goes with CA:TRUE only",
    clients: Clients::Judged(&[Why::StrictServerSigns]),
    explanation: "Python's default context sets `VERIFY_X509_STRICT` from 3.13 on, and OpenSSL then holds certificates to the \
        letter of RFC 5280. A certificate that works with today's impala-shell stops with the next Python.",
    remedy: "issue the certificate anew without keyCertSign in its key usage",
};

static LEAF_IS_CA: Check = Check {
    id: "leaf-is-ca",
    family: Family::Usage,
    severity: Severity::Warning,
    title: "the server shows a certificate that says it is an authority's",
    basis: "RFC 5280, section 4.2.1.9, and rustls, which refuses CA:TRUE at the beginning of a chain",
    clients: Clients::Judged(&[Why::AuthorityAsServer]),
    explanation: "`openssl req -x509` marks what it makes with CA:TRUE. Whoever trusts such a certificate trusts its key to \
        sign certificates for every other name too, and the key lies on a server. Where pronk re-encrypts, the member is \
        refused: the finding is an error then.",
    remedy: "make the certificate with -addext basicConstraints=critical,CA:FALSE, or let an authority issue it",
};

static SELF_SIGNED: Check = Check {
    id: "self-signed",
    family: Family::Usage,
    severity: Severity::Info,
    title: "the certificate is self-signed",
    basis: "RFC 6818, section 2",
    clients: Clients::Unminded,
    explanation: "A self-signed certificate with CA:FALSE that is its own entry in the truststore works everywhere: Python 3.11 \
        and 3.13, Java and rustls. Every renewal has to reach every truststore, which an authority would spare.",
    remedy: "let an authority issue the certificates, so that renewals do not touch the clients",
};

pub(super) static UNKNOWN_CRITICAL_EXTENSION: Check = Check {
    id: "unknown-critical-extension",
    family: Family::Usage,
    severity: Severity::Error,
    title: "a critical extension is unknown to clients",
    basis: "RFC 5280, section 4.2: what is critical and not understood is refused",
    clients: Clients::Judged(&[Why::UnknownCriticalExtension]),
    explanation: "An authority marks an extension as critical to say that whoever does not understand it must not use the \
        certificate. TLS clients know a handful of extensions, and take that at its word.",
    remedy: "issue the certificate anew with the extension left out, or not critical",
};

static MUST_STAPLE: Check = Check {
    id: "must-staple",
    family: Family::Usage,
    severity: Severity::Info,
    title: "the certificate demands a stapled OCSP response, and nothing staples one",
    basis: "RFC 7633",
    clients: Clients::Unminded,
    explanation: "With the TLS feature extension a certificate tells clients to insist on an OCSP response in the handshake. \
        Neither an impalad nor pronk sends one. None of Impala's clients insists; some browsers do.",
    remedy: "issue the certificate anew without the TLS feature extension",
};

pub(super) fn lint(subject: &Subject, anchors: &Anchors<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(extended_key_usage(subject));
    key_usage(subject, &mut findings);
    findings.extend(authority(subject));
    findings.extend(self_signed(subject, anchors));
    findings.extend(unknown_critical(subject.leaf_located()));
    if subject.leaf().must_staple {
        findings.push(
            Finding::new(&MUST_STAPLE, subject.leaf_located(), "the certificate demands a stapled OCSP response")
                .field(Field::OtherExtensions)
                .observed("TLS Feature: status_request")
                .expected("no such demand, since nothing staples"),
        );
    }
    findings
}

fn extended_key_usage(subject: &Subject) -> Option<Finding> {
    let Some(purposes) = &subject.leaf().extended_key_usage else {
        let message = "the certificate does not say what its key is for";
        return Some(
            Finding::new(&EKU_ABSENT, subject.leaf_located(), message)
                .field(Field::ExtendedKeyUsage)
                .observed("no extended key usage")
                .expected(Purpose::ServerAuth.to_string()),
        );
    };
    if purposes.contains(&Purpose::ServerAuth) {
        return None;
    }
    let listed = purposes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (check, message) = if purposes.contains(&Purpose::Any) {
        (&EKU_ANY_ONLY, "the certificate allows \"any\" use and does not name that of a server".to_owned())
    } else if purposes.is_empty() {
        (&EKU_NO_SERVER_AUTH, "the extended key usage is empty".to_owned())
    } else {
        (&EKU_NO_SERVER_AUTH, format!("the certificate is for {listed}, not for a server"))
    };
    Some(
        of_server(check, subject, message)
            .field(Field::ExtendedKeyUsage)
            .observed(if listed.is_empty() { "nothing".into() } else { listed })
            .expected(Purpose::ServerAuth.to_string())
            .paste(remedy::request(subject)),
    )
}

fn key_usage(subject: &Subject, findings: &mut Vec<Finding>) {
    let certificate = subject.leaf();
    let Some(usage) = certificate.key_usage else { return };
    if !usage.digital_signature {
        findings.push(
            of_server(&KU_NO_DIGITAL_SIGNATURE, subject, "the key may not sign handshakes")
                .field(Field::KeyUsage)
                .observed("a key usage without Digital Signature")
                .expected("Digital Signature")
                .paste(remedy::request(subject)),
        );
    }
    // An authority's certificate that a server shows is one mistake, reported by `leaf-is-ca`.
    if usage.key_cert_sign && !certificate.is_ca() {
        findings.push(
            of_server(&KU_CERT_SIGN_ON_LEAF, subject, "the key may sign certificates, as only an authority's should")
                .field(Field::KeyUsage)
                .span("Certificate Sign")
                .observed("Certificate Sign with CA:FALSE")
                .expected("Digital Signature, without Certificate Sign")
                .paste(remedy::request(subject)),
        );
    }
}

fn authority(subject: &Subject) -> Option<Finding> {
    if !subject.leaf().is_ca() {
        return None;
    }
    let (severity, message) = match subject.role.usage {
        Use::ReEncrypt => {
            (Severity::Error, "the member shows an authority's certificate (CA:TRUE), which pronk refuses")
        }
        _ => (LEAF_IS_CA.severity, "the server shows an authority's certificate (CA:TRUE)"),
    };
    Some(
        of_server(&LEAF_IS_CA, subject, message)
            .severity(severity)
            .field(Field::BasicConstraints)
            .span("CA:TRUE")
            .observed("CA:TRUE")
            .expected("CA:FALSE")
            .paste(remedy::request(subject)),
    )
}

/// Reports a self-signed certificate that is trusted, or where there is nothing to trust.
fn self_signed(subject: &Subject, anchors: &Anchors<'_>) -> Option<Finding> {
    let certificate = subject.leaf();
    let known = anchors.contain(certificate) || anchors.are_missing();
    (certificate.names_itself() && !certificate.is_ca() && known).then(|| {
        let message = "the certificate is self-signed: every client needs it in its truststore";
        Finding::new(&SELF_SIGNED, subject.leaf_located(), message)
            .field(Field::Issuer)
            .observed(certificate.issuer_title())
            .expected("an authority")
    })
}

/// Checks the critical extensions of any certificate of a chain. Which of them clients know is the model's business:
/// what no client minds is a note.
pub(super) fn unknown_critical(at: &Located) -> Option<Finding> {
    let unknown = at.certificate.critical.iter().filter(|number| !KNOWN_TO_ALL.contains(&number.as_str()));
    let names: Vec<_> = unknown.map(|number| extension_name(number)).collect();
    let message = match names.as_slice() {
        [] => return None,
        [name] => format!("the extension {name} is critical, which not every client knows"),
        _ => format!("the extensions {} are critical, which not every client knows", names.join(", ")),
    };
    Some(
        Finding::new(&UNKNOWN_CRITICAL_EXTENSION, at, message)
            .field(Field::OtherExtensions)
            .observed(format!("critical: {}", names.join(", ")))
            .expected("no critical extension but those that every client knows"),
    )
}

/// Critical extensions that every client takes.
const KNOWN_TO_ALL: &[&str] = &[
    "2.5.29.15", // keyUsage
    "2.5.29.17", // subjectAltName
    "2.5.29.19", // basicConstraints
    "2.5.29.30", // nameConstraints
    "2.5.29.37", // extKeyUsage
];
