//! The keys that say whether probes of an impalad's port speak TLS.

use std::sync::Arc;

use super::common::{SERVER_SSL_PROFILE, unverified};
use crate::config::fields::Fields;
use crate::config::keys::key::Key;
use crate::config::keys::kind::{Reference, Words};
use crate::config::keys::section::AnyKey;
use crate::config::keys::setting::{Facts, Setting};
use crate::model::PortSsl;
use crate::model::profile::ServerSsl;

/// TLS toward the port. Naming a profile asks for it as well.
pub(super) struct PortSslKeys;

const SSL: Key<Words<Option<bool>>> = Key::new(
    "ssl",
    Words { all: &[None, Some(true), Some(false)], word },
    "Whether probes of the port use TLS. `auto`: as client connections do, with the server-ssl of the pool's virtual \
     servers; in passthrough it is found out. `true`: with their server-ssl, else without verification.",
)
.default("auto")
.because("what fails for connections fails for the monitor");

const PROFILE: Key<Reference<ServerSsl>> = Key::new(
    "server-ssl",
    SERVER_SSL_PROFILE,
    "TLS toward the port as this profile has it, instead of the server-ssl of the pool's virtual servers.",
);

fn word(ssl: Option<bool>) -> &'static str {
    match ssl {
        None => "auto",
        Some(true) => "true",
        Some(false) => "false",
    }
}

impl Setting for PortSslKeys {
    type Value = PortSsl;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &SSL }.list(keys);
        const { &PROFILE }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> PortSsl {
        let (ssl, profile) = (SSL.read(fields), PROFILE.read(fields));
        if ssl == Some(false) {
            if fields.has(PROFILE.name()) {
                let help = "leave `ssl` out, or write `server-ssl: none`".to_owned();
                fields.error(fields.place(SSL.name()), "`server-ssl` has no effect with `ssl: false`", Some(help));
            }
            return PortSsl::Off;
        }
        match (profile, unverified(PROFILE.name(), fields)) {
            (Some(profile), _) => PortSsl::Profile(profile),
            (None, Some(unverified)) if ssl == Some(true) => PortSsl::On { unverified },
            (None, Some(unverified)) => PortSsl::Auto { unverified },
            (None, None) => PortSsl::Off,
        }
    }

    fn facts(&self, value: &PortSsl, facts: &mut Facts) {
        let (ssl, profile) = match value {
            PortSsl::Auto { .. } => (None, None),
            PortSsl::On { .. } => (Some(true), None),
            PortSsl::Profile(profile) => (Some(true), Some(Arc::clone(profile))),
            PortSsl::Off => (Some(false), None),
        };
        SSL.facts(&ssl, facts);
        PROFILE.facts(&profile, facts);
    }
}
