//! The checks of what peers are verified against: authorities (`ca-file`) and revocation lists (`crl-file`).

use super::{Check, Clients, Family, Severity};

pub(super) static CHECKS: &[&Check] = &[
    &CRL_STALE,
    &CRL_UNUSABLE,
    &CRL_EXPIRING_SOON,
    &CRL_MISSING,
    &CRL_PARTIAL,
    &TRUSTED_AUTHORITY_EXPIRED,
    &TRUSTED_AUTHORITY_EXPIRING_SOON,
    &AUTHORITY_NAMES_TOO_LONG,
];

pub(super) static CRL_STALE: Check = Check {
    id: "crl-stale",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "a revocation list is past its next update",
    basis: "RFC 5280, section 5.1.2.5",
    clients: Clients::Concerns("whoever is given the list, such as pronk with crl-file"),
    explanation: "A list past its date says nothing of what was revoked since. Clients that look at lists therefore refuse every \
        certificate of the authority until they have the next one. In a profile's `crl-file` that is an error: every peer of \
        that authority is refused.",
    remedy: "fetch the authority's current list, and let a timer do so",
};

pub(super) static CRL_UNUSABLE: Check = Check {
    id: "crl-unusable",
    family: Family::Peers,
    severity: Severity::Error,
    title: "no revocation list of the authority can be used",
    basis: "RFC 5280, sections 5.1 and 6.3.3",
    clients: Clients::Concerns("whoever is given the list, such as pronk with crl-file"),
    explanation: "A list that is of version 1, indirect, a delta, not valid yet, or signed with another key than the certificate says \
        nothing of what was revoked. So nobody can tell whether this certificate is.",
    remedy: "fetch a complete list that the authority signed with its present key",
};

pub(super) static CRL_EXPIRING_SOON: Check = Check {
    id: "crl-expiring-soon",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "a profile's revocation list is due for its next update within days",
    basis: "RFC 5280, section 5.1.2.5",
    clients: Clients::Concerns("pronk, with every peer of that authority"),
    explanation: "Authorities issue the next list before the last one ends. It is reported from 7 days before the end on: as \
        information while more than a quarter of the list's time is left, since some lists live for a day only, and then as a \
        warning. pronk uses a renewed file within `certificate-refresh`, without a reload.",
    remedy: "fetch the authority's next list, and let a timer do so",
};

pub(super) static CRL_MISSING: Check = Check {
    id: "crl-missing",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "an authority in ca-file has no revocation list in crl-file",
    basis: "RFC 5280, section 6.3",
    clients: Clients::Concerns("pronk, with every peer of that authority"),
    explanation: "With a `crl-file` a peer is accepted if a list shows that its certificate is not revoked. A list counts if the same \
        key signed it that signed the certificate: an authority that was made anew with another key needs a list for each key. \
        With `crl-scope: chain` the lists of the authorities between are needed as well; they are in no file, so they are not \
        looked for.",
    remedy: "add the authority's list to crl-file, or take the authority out of ca-file",
};

pub(super) static CRL_PARTIAL: Check = Check {
    id: "crl-partial",
    family: Family::Peers,
    severity: Severity::Info,
    title: "a revocation list can revoke, and cannot show that a certificate is good",
    basis: "RFC 5280, sections 5.2.4 and 5.2.5",
    clients: Clients::Concerns("pronk, as a client of members and as a server that asks for certificates"),
    explanation: "A delta list has what changed since another list, and a list for some reasons has only part of the revocations. \
        pronk refuses a certificate that is in such a list, and needs a complete list of the same authority beside it. A \
        certificate that a delta list takes back stays refused until the complete list has it no more.",
    remedy: "put the authority's complete list into crl-file",
};

pub(super) static TRUSTED_AUTHORITY_EXPIRED: Check = Check {
    id: "trusted-authority-expired",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "an authority in ca-file has expired, or is not valid yet",
    basis: "X.509 verification in OpenSSL, which looks at the dates of roots too (RFC 5280, section 6.1, leaves it open)",
    clients: Clients::Concerns("pronk, with every peer of that authority, in new handshakes and in resumed ones"),
    explanation: "pronk verifies the dates of the authorities in `ca-file`, as OpenSSL does. One that was renewed with its name and \
        key takes the place of the old one: then the old certificate in the file does no harm.",
    remedy: "put the authority's renewed certificate into ca-file, and take the old one out",
};

pub(super) static TRUSTED_AUTHORITY_EXPIRING_SOON: Check = Check {
    id: "trusted-authority-expiring-soon",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "an authority in ca-file expires soon",
    basis: "X.509 verification in OpenSSL, which looks at the dates of roots too",
    clients: Clients::Concerns("pronk, with every peer of that authority"),
    explanation: "An authority that ends takes all that it issued with it, whatever their own dates say. Renewed with the same name \
        and key, its certificates stay good.",
    remedy: "renew the authority's certificate, and put it into ca-file",
};

pub(super) static AUTHORITY_NAMES_TOO_LONG: Check = Check {
    id: "authority-names-too-long",
    family: Family::Peers,
    severity: Severity::Warning,
    title: "the names of the authorities in ca-file are too long to be told to clients",
    basis: "RFC 8446, section 4.2.4 (65,535 bytes), and Java's limit for handshake messages (32,768 bytes)",
    clients: Clients::Concerns("clients that have several certificates to choose from"),
    explanation: "A server that asks for a certificate tells the names of the authorities that it trusts, as a hint. Beyond 32,000 \
        bytes of names clients could not read the handshake, so pronk leaves the hint out. Clients with one certificate show it \
        as before.",
    remedy: "name only the authorities that issue clients' certificates in ca-file",
};
