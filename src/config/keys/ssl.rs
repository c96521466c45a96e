//! The keys that client-ssl and server-ssl profiles share.

use super::declare::settings;
use super::key::Key;
use super::kind::{HOUR, Span, Texts, Words};
use crate::config::fields::Fields;
use crate::model::profile::{CipherGroup, CrlScope, TlsVersion, TlsVersions};

settings!(
    VersionKeys = TlsVersions {
        minimum: Key::new("minimum-version", VERSION, "The oldest TLS version.")
            .default("tls1.2")
            .because("nothing older is spoken")
            .refusing(OLD_VERSIONS),
        maximum: Key::new("maximum-version", VERSION, "The newest TLS version.")
            .default("tls1.3")
            .refusing(OLD_VERSIONS),
    }
);

/// Notes versions that exclude each other, at the one that the user wrote.
pub(super) fn check_versions(versions: TlsVersions, fields: &Fields<'_>) {
    let keys = [VersionKeys::minimum(), VersionKeys::maximum()];
    if versions.minimum > versions.maximum && keys.iter().all(|key| fields.is_good(key)) {
        let places = keys.map(|key| fields.place(key));
        let at = places.into_iter().find(|at| !at.is_built_in()).unwrap_or(places[0]);
        fields.error(at, "minimum-version is above maximum-version", None);
    }
}

pub(super) const CIPHERS: Key<Words<CipherGroup>> = Key::new(
    "cipher-group",
    Words { all: &CipherGroup::ALL, word: CipherGroup::as_str },
    "`default`: all safe suites, AES-128-GCM-SHA256 first if the processor computes SHA-256; `secure`: 256-bit keys; \
     `aes`: AES-GCM; `ecc`: AES-GCM with ECDSA certificates, and TLS 1.3.",
)
.default("default")
.because("AES-128-GCM-SHA256 first where the processor computes SHA-256");
pub(super) const CRL_SCOPE: Key<Words<CrlScope>> = Key::new(
    "crl-scope",
    Words { all: &CrlScope::ALL, word: CrlScope::as_str },
    "Which certificates `crl-file` must have a list for: `chain`: the peer's own and those of the authorities between \
     it and the one in `ca-file`; `leaf`: the peer's own.",
)
.default("chain");
pub(super) const HANDSHAKE: Key<Span> =
    Key::new("handshake-timeout", Span(1, HOUR), "How long the whole handshake may take.").default("10s");
pub(super) const ALPN: Key<Texts> = Key::new(
    "alpn",
    Texts,
    "Protocol names to offer (ALPN), best first; none by \
                                                             default.",
);

const VERSION: Words<TlsVersion> = Words { all: &TlsVersion::ALL, word: TlsVersion::as_str };
const OLD_VERSIONS: &[(&str, &str)] = &[
    ("ssl2", TOO_OLD),
    ("ssl3", TOO_OLD),
    ("sslv2", TOO_OLD),
    ("sslv3", TOO_OLD),
    ("tls1", TOO_OLD),
    ("tls1.0", TOO_OLD),
    ("tls1.1", TOO_OLD),
];
const TOO_OLD: &str = "nothing older than tls1.2 is spoken (RFC 8996)";
