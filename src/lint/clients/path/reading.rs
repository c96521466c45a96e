//! What each verifier cannot read of a certificate.

use webpki::{EndEntityCert, Error};

use super::facts::{
    ALTERNATIVE_NAME, AUTHORITY_KEY, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, CRL_POINTS, EXTENDED_KEY_USAGE,
    INHIBIT_ANY, KEY_USAGE, NAME_CONSTRAINTS, NETSCAPE_TYPE, POLICY_CONSTRAINTS, POLICY_MAPPINGS, SUBJECT_KEY,
};
use crate::cert::{Bound, Certificate, Flaw, GeneralName, NameConstraints};

/// Returns whether OpenSSL holds a certificate for invalid (`EXFLAG_INVALID`): nobody issued it, and it issues nothing.
pub(super) fn is_invalid_in_openssl(certificate: &Certificate) -> bool {
    // A key usage without any is malformed.
    let has_empty_usage = certificate.key_usage.is_some_and(|usage| usage.is_empty);
    let is_fatal = |flaw: &Flaw| match flaw {
        Flaw::Unreadable(extension) => READ_BY_OPENSSL.contains(&extension.number.as_str()),
        Flaw::Doubled(number) => READ_BY_OPENSSL.contains(&number.as_str()),
        Flaw::NegativePathLength | Flaw::NameString => true,
        _ => false,
    };
    has_empty_usage || certificate.flaws.iter().any(is_fatal)
}

/// Returns whether OpenSSL does not get to the parts of a certificate: then it reads nothing of what is shown with it.
pub(super) fn is_unparseable_in_openssl(certificate: &Certificate) -> bool {
    certificate.flaws.contains(&Flaw::NameString)
}

/// Returns whether Java cannot read a certificate at all: then it reads nothing of what is shown with it either.
pub(super) fn is_unreadable_in_java(certificate: &Certificate) -> bool {
    let is_fatal = |flaw: &Flaw| match flaw {
        // What is not critical is passed over.
        Flaw::Unreadable(extension) | Flaw::Surplus(extension) => {
            extension.critical && READ_BY_JAVA.contains(&extension.number.as_str())
        }
        Flaw::NoNames => certificate.is_critical(ALTERNATIVE_NAME),
        Flaw::HugePathLength => certificate.is_critical(BASIC_CONSTRAINTS),
        Flaw::Doubled(_) | Flaw::Algorithms(_) | Flaw::Version => true,
        Flaw::UniqueIdentifier => certificate.version == 1,
        Flaw::NegativePathLength
        | Flaw::NameString
        | Flaw::LooseBoolean
        | Flaw::Time
        | Flaw::EarlyTime
        | Flaw::Rest => false,
    };
    certificate.flaws.iter().any(is_fatal)
        || certificate.name_constraints.as_ref().is_some_and(|it| it.critical && has_odd_addresses(it))
}

/// Returns whether Java cannot read a trusted certificate, which comes with whatever follows it in its file.
pub(super) fn is_unreadable_anchor_in_java(certificate: &Certificate) -> bool {
    is_unreadable_in_java(certificate) || certificate.flaws.contains(&Flaw::Rest)
}

/// Returns whether Java 25 comes upon something in the server's own certificate that Java 17 has passed over.
pub(super) fn is_unreadable_server_in_java_25(certificate: &Certificate) -> bool {
    let numbers = [ALTERNATIVE_NAME, EXTENDED_KEY_USAGE];
    certificate.names.has_broken
        || certificate.flaws.contains(&Flaw::NoNames)
        || numbers.iter().any(|number| !is_read_by_java(certificate, number))
}

/// Returns whether Java has an extension, of a certificate that it can read.
pub(super) fn is_read_by_java(certificate: &Certificate, number: &str) -> bool {
    !certificate.flaws.iter().any(|flaw| match flaw {
        Flaw::Unreadable(extension) | Flaw::Surplus(extension) => extension.number == number,
        _ => false,
    })
}

/// Returns whether rustls-webpki cannot read a certificate. What it refuses for other reasons is told elsewhere.
pub(super) fn is_unreadable_in_webpki(certificate: &Certificate) -> bool {
    let is_fatal = |flaw: &Flaw| match flaw {
        Flaw::Unreadable(extension) => READ_BY_WEBPKI.contains(&extension.number.as_str()),
        Flaw::LooseBoolean | Flaw::NegativePathLength | Flaw::HugePathLength | Flaw::Time | Flaw::EarlyTime => true,
        _ => false,
    };
    if certificate.flaws.iter().any(is_fatal) {
        return true;
    }
    let elsewhere =
        |error: &Error| matches!(error, Error::UnsupportedCertVersion | Error::UnsupportedCriticalExtension);
    // Without a flaw there is nothing to trip over.
    !certificate.flaws.is_empty() && EndEntityCert::try_from(&certificate.der).is_err_and(|error| !elsewhere(&error))
}

/// Returns whether Java cannot read name constraints: an address without a mask.
pub(super) fn has_odd_addresses(constraints: &NameConstraints) -> bool {
    constraints.all().any(|tree| matches!(&tree.base, GeneralName::Ip(octets) if ![8, 32].contains(&octets.len())))
}

/// Returns whether a subtree has a minimum or a maximum that is not the default.
pub(super) fn has_bounds(constraints: &NameConstraints) -> bool {
    constraints.all().any(|tree| tree.bound == Bound::Some)
}

/// The extensions that `ossl_x509v3_cache_extensions` reads of every certificate.
const READ_BY_OPENSSL: &[&str] = &[
    BASIC_CONSTRAINTS,
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    NETSCAPE_TYPE,
    SUBJECT_KEY,
    AUTHORITY_KEY,
    ALTERNATIVE_NAME,
    NAME_CONSTRAINTS,
    CRL_POINTS,
];
/// The extensions that Java has a class for (`OIDMap`).
const READ_BY_JAVA: &[&str] = &[
    SUBJECT_KEY,
    KEY_USAGE,
    "2.5.29.16",
    ALTERNATIVE_NAME,
    "2.5.29.18",
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    CRL_POINTS,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    AUTHORITY_KEY,
    POLICY_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    "2.5.29.46",
    INHIBIT_ANY,
    "1.3.6.1.5.5.7.1.1",
    "1.3.6.1.5.5.7.1.11",
    NETSCAPE_TYPE,
];
/// The extensions that rustls-webpki reads where it comes to need them.
const READ_BY_WEBPKI: &[&str] = &[BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, NAME_CONSTRAINTS, ALTERNATIVE_NAME];
