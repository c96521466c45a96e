//! The checks of chains: what each is about.

use crate::lint::clients::Why;
use crate::lint::{Check, Clients, Family, Severity};

pub(crate) static CHECKS: &[&Check] = &[
    &CHAIN_OUT_OF_ORDER,
    &CHAIN_MISSING_INTERMEDIATE,
    &CHAIN_ROOT_INCLUDED,
    &CHAIN_UNRELATED,
    &CHAIN_DUPLICATE,
    &ISSUER_UNKNOWN,
    &NAME_CONSTRAINTS_VIOLATED,
    &PATH_LENGTH_EXCEEDED,
    &REVOKED,
    &SIGNATURE_INVALID,
    &AUTHORITY_KEY_DIFFERS,
    &ISSUER_NAME_FORM,
    &CERTIFICATE_MALFORMED,
    &CHAIN_INVALID,
];

pub(super) static CHAIN_OUT_OF_ORDER: Check = Check {
    id: "chain-out-of-order",
    family: Family::Chain,
    severity: Severity::Info,
    title: "the certificates of the chain are not in their order",
    basis: "RFC 5246, section 7.4.2, and RFC 8446, section 4.4.2",
    clients: Clients::Judged(&[Why::ForeignKey]),
    explanation: "A server shows the certificates of its file in the order of the file, and the first one is taken for its own. Its \
        key does not belong to an authority's certificate, so a server with the wrong one in front does not start or cannot make \
        a handshake: the finding is an error then. The others should follow so that each signed the one before it; current \
        clients sort them.",
    remedy: "put the server's own certificate first, then the authority that signed it, and so on",
};

pub(super) static CHAIN_MISSING_INTERMEDIATE: Check = Check {
    id: "chain-missing-intermediate",
    family: Family::Chain,
    severity: Severity::Error,
    title: "an intermediate authority's certificate is missing from the chain",
    basis: "RFC 8446, section 4.4.2",
    clients: Clients::Judged(&[Why::Untrusted]),
    explanation: "Clients have roots in their truststores. The certificates between a root and the server's own have to come from \
        the server. Browsers fetch or remember missing ones, so a look with a browser proves nothing.\n\n\
        Users see `unable to get local issuer certificate`, `unable to find valid certification path to requested target` or \
        `UnknownIssuer`.",
    remedy: "append the intermediate's certificate to the server's certificate file",
};

pub(super) static CHAIN_ROOT_INCLUDED: Check = Check {
    id: "chain-root-included",
    family: Family::Chain,
    severity: Severity::Info,
    title: "the chain includes the root",
    basis: "RFC 8446, section 4.4.2: the root may be omitted",
    clients: Clients::Unminded,
    explanation: "Clients trust the root that they have, not the one that they are shown. It costs about a kilobyte in every \
        handshake.",
    remedy: "leave the root out of the server's certificate file",
};

pub(super) static CHAIN_UNRELATED: Check = Check {
    id: "chain-unrelated",
    family: Family::Chain,
    severity: Severity::Info,
    title: "the file holds a certificate that is not part of the chain",
    basis: "RFC 8446, section 4.4.2",
    clients: Clients::Unminded,
    explanation: "What stands in the certificate file is sent to every client. A certificate that signed nothing in the chain is \
        mostly left over from a renewal under another authority, and the one that should stand in its place may be missing.",
    remedy: "remove it from the server's certificate file",
};

pub(super) static CHAIN_DUPLICATE: Check = Check {
    id: "chain-duplicate",
    family: Family::Chain,
    severity: Severity::Info,
    title: "a certificate stands twice in the chain",
    basis: "RFC 8446, section 4.4.2",
    clients: Clients::Unminded,
    explanation: "It is sent twice in every handshake, to no use. It comes from appending a chain file to a file that had the chain \
        already.",
    remedy: "remove the second one",
};

pub(super) static ISSUER_UNKNOWN: Check = Check {
    id: "issuer-unknown",
    family: Family::Chain,
    severity: Severity::Warning,
    title: "the chain does not lead to a trusted authority",
    basis: "RFC 5280, section 6.1",
    clients: Clients::Judged(&[Why::Untrusted, Why::AnchorIsNoRoot, Why::AnchorUnusable]),
    explanation: "Which authorities a client trusts is its own affair: `--ca_cert` of impala-shell, `SSLTrustStore` of JDBC, \
        `cacerts` of Hue, `ca-file` of pronk. Name the authorities that your clients trust with `--ca-file`: then a chain that \
        leads elsewhere is an error. Without it the operating system's authorities are taken, among which an internal one \
        seldom is, so the finding is a warning.",
    remedy: "name the authority with --ca-file, or issue the certificate under one that clients trust",
};

pub(super) static NAME_CONSTRAINTS_VIOLATED: Check = Check {
    id: "name-constraints-violated",
    family: Family::Chain,
    severity: Severity::Error,
    title: "an authority above may not sign for the names of the certificate",
    basis: "RFC 5280, section 4.2.1.10",
    clients: Clients::Judged(&[Why::NameConstraints, Why::ConstraintMalformed]),
    explanation: "Name constraints in an authority's certificate say for which domains and addresses it may sign. One name outside \
        of them spoils the whole certificate.",
    remedy: "issue the certificate with names within the constraints, or under another authority",
};

pub(super) static PATH_LENGTH_EXCEEDED: Check = Check {
    id: "path-length-exceeded",
    family: Family::Chain,
    severity: Severity::Error,
    title: "there are more authorities below an authority than it allows",
    basis: "RFC 5280, section 4.2.1.9",
    clients: Clients::Judged(&[Why::PathLength, Why::TooDeep]),
    explanation: "`pathlen:0` in an authority's basic constraints says that it signs servers' certificates and no authorities'; \
        `pathlen:1` allows one authority below it, and so on.",
    remedy: "let an authority with a greater path length sign the intermediate",
};

pub(super) static REVOKED: Check = Check {
    id: "revoked",
    family: Family::Chain,
    severity: Severity::Error,
    title: "a certificate of the chain is revoked",
    basis: "RFC 5280, section 5",
    clients: Clients::Concerns(
        "whoever looks at revocation lists, such as pronk with crl-file and Java with com.sun.net.ssl.checkRevocation",
    ),
    explanation: "The authority has published that the certificate is not to be trusted any more, perhaps since its key was copied. \
        Most of Impala's clients do not look, so the server seems to work.",
    remedy: "issue the certificate anew with a new key",
};

pub(super) static SIGNATURE_INVALID: Check = Check {
    id: "signature-invalid",
    family: Family::Chain,
    severity: Severity::Error,
    title: "the issuer that a certificate names did not sign it",
    basis: "RFC 5280, section 6.1.3",
    clients: Clients::Judged(&[Why::BadSignature]),
    explanation: "The signature does not verify with the key of the authority of that name. Either the certificate is damaged, or the \
        authority has been made anew under its old name with another key, or somebody else used its name.",
    remedy: "put the certificate of the authority that signed it into its place, or issue the certificate anew",
};

pub(super) static AUTHORITY_KEY_DIFFERS: Check = Check {
    id: "authority-key-differs",
    family: Family::Chain,
    severity: Severity::Error,
    title: "the authority key identifier names another certificate than the authority's",
    basis: "RFC 5280, section 4.2.1.1",
    clients: Clients::Judged(&[Why::OtherAuthorityKey]),
    explanation: "The authority key identifier of a certificate says which key of its issuer signed it, and may name the issuer's \
        certificate by its serial number too. After a root was renewed with the same key, its certificate has another serial \
        number: clients that compare it then look for the old root in vain. OpenSSL says `unable to get local issuer certificate`, \
        Java `Path does not chain with any of the trust anchors`.",
    remedy: "issue the certificate anew with authorityKeyIdentifier=keyid alone, or keep the old root in every truststore",
};

pub(super) static ISSUER_NAME_FORM: Check = Check {
    id: "issuer-name-form",
    family: Family::Chain,
    severity: Severity::Error,
    title: "the issuer's name is written otherwise than in the authority's certificate",
    basis: "RFC 5280, section 7.1",
    clients: Clients::Judged(&[Why::NameWrittenOtherwise]),
    explanation: "Names are the same if they differ in case, blanks or types of strings only. OpenSSL compares them so. rustls wants \
        the same octets, and Java folds strings of the types UTF8String and PrintableString alone.",
    remedy: "issue the certificate anew with the issuer's name copied from the authority's certificate",
};

pub(super) static CERTIFICATE_MALFORMED: Check = Check {
    id: "certificate-malformed",
    family: Family::Chain,
    severity: Severity::Error,
    title: "a certificate is written in a way that not every client can read",
    basis: "RFC 5280, sections 4.1 and 4.2, and DER (X.690)",
    clients: Clients::Judged(&[Why::Unreadable]),
    explanation: "A certificate has one form, DER, and each extension has its own. What deviates is read by some clients and not by \
        others. Java reads none of the certificates that are shown if one of them cannot be read, though it may be on no path. OpenSSL \
        takes a certificate with such an extension for nobody's issuer and says `unable to get local issuer certificate`.",
    remedy: "issue the certificate anew with current software",
};

pub(super) static CHAIN_INVALID: Check = Check {
    id: "chain-invalid",
    family: Family::Chain,
    severity: Severity::Error,
    title: "the chain does not verify",
    basis: "RFC 5280, section 6.1",
    clients: Clients::Judged(&[
        Why::IssuerIsNoAuthority,
        Why::AnchorIsNoAuthority,
        Why::ForeignPurpose,
        Why::AnyPurposeOnly,
        Why::NetscapeType,
        Why::PolicyDemanded,
        Why::OldVersion,
        Why::EmptySubject,
        Why::EmptyIssuer,
        Why::StrictLengthOfServer,
    ]),
    explanation: "A rule of some client's verifier is broken that no other check is about. The message tells which.",
    remedy: "issue the certificate anew",
};
