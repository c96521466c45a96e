//! The types of profiles, and what several of them share.

use super::key::Key;
use super::kind::{HOUR, Kind, Span, Texts, Words, Written, Wrong};
use super::{AnyKey, Setting, Type, client_ssl, persistence, protocol, server_ssl, settings};
use crate::config::fields::Fields;
use crate::model::profile::{CipherGroup, Profiles, TlsVersion, TlsVersions};

/// Every type of profile.
pub(in crate::config) const PROFILES: &[&Type<ReadProfile>] = &[
    &client_ssl::CLIENT_SSL,
    &server_ssl::SERVER_SSL,
    &protocol::TCP,
    &protocol::FAST_L4,
    &persistence::SOURCE_ADDR,
    &persistence::HASH,
];

/// Reads a profile, notes what does not fit together in it, and adds it to the others of its type.
pub(in crate::config) type ReadProfile = fn(&Fields<'_>, &mut Profiles);

/// Adds the keys that every profile has.
pub(super) fn list_common(keys: &mut Vec<&'static dyn AnyKey>) {
    const {
        &Key::new(
            "type",
            TypeWord(|| PROFILES.iter().map(|it| it.word).collect()),
            "The kind of profile; by default its parent's.",
        )
    }
    .list(keys);
    const {
        &Key::new(
            "defaults-from",
            ParentName("profile"),
            "The profile that gives every key not set here; by default the built-in one of the type.",
        )
    }
    .list(keys);
}

settings!(
    VersionKeys = TlsVersions {
        minimum: Key::new("minimum-version", VERSION, "Oldest TLS version.")
            .default("tls1.2")
            .because("nothing older is spoken")
            .refusing(OLD_VERSIONS),
        maximum: Key::new("maximum-version", VERSION, "Newest TLS version.").default("tls1.3").refusing(OLD_VERSIONS),
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
    "`default`: all that are safe, AES-128-GCM-SHA256 first where the processor computes SHA-256; `secure`: 256-bit \
     keys; `aes`: AES-GCM; `ecc`: AES-GCM with ECDSA certificates, and TLS 1.3.",
)
.default("default")
.because("AES-128-GCM-SHA256 first where the processor computes SHA-256");
pub(super) const HANDSHAKE: Key<Span> =
    Key::new("handshake-timeout", Span(1, HOUR), "For the whole handshake.").default("10s");
pub(super) const ALPN: Key<Texts> = Key::new("alpn", Texts, "Protocol names offered, best first; none by default.");

pub(super) const NO_CIPHER_STRING: &str = "write a `cipher-group`: default, secure, aes or ecc";
pub(super) const NO_OPTIONS: &str = "for versions write `minimum-version` and `maximum-version`";

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

/// The word of a type, which decides what else may be written, and so is read before anything else.
#[derive(Clone, Copy)]
pub(super) struct TypeWord(pub fn() -> Vec<&'static str>);

impl Kind for TypeWord {
    type Value = ();

    fn describe(&self) -> String {
        format!("one of {}", self.words().join(", "))
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "enum": self.words() })
    }

    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }

    fn hint(&self, written: &str) -> Option<String> {
        crate::config::suggest::did_you_mean(written, self.words().into_iter())
    }

    fn words(&self) -> Vec<&'static str> {
        (self.0)()
    }
}

/// The name of a parent, which is followed before anything is read.
#[derive(Clone, Copy)]
pub(super) struct ParentName(pub &'static str);

impl Kind for ParentName {
    type Value = ();

    fn describe(&self) -> String {
        format!("the name of a {}", self.0)
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "minLength": 1 })
    }

    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }
}
