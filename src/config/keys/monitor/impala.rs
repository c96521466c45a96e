//! The keys of a monitor of type impala.

use std::sync::Arc;

use super::common::{
    CredentialsKeys, ReadMonitor, SERVER_SSL_PROFILE, check_credentials, list_probing, probe_tls, probing,
};
use super::port_ssl::PortSslKeys;
use crate::config::fields::Fields;
use crate::config::keys::declare::settings;
use crate::config::keys::key::Key;
use crate::config::keys::kind::{Count, Flag, Limit, Reference, Words};
use crate::config::keys::section::{AnyKey, Section};
use crate::config::keys::setting::{Facts, Setting};
use crate::config::keys::typed::Type;
use crate::model::profile::ServerSsl;
use crate::model::{ImpalaCheck, ImpalaProtocol, MonitorKind, WebUi};

pub(super) const IMPALA: Type<ReadMonitor> = Type {
    word: "impala",
    root: "impala",
    head: "The monitor for an impalad: it detects daemons that drain, that are full and that are executors only.",
    defaults: &[],
    read: |fields| {
        let check = ImpalaKeys.read(fields);
        if let Some(web) = &check.web {
            check_credentials(web.credentials.as_ref(), web.tls.as_deref(), fields);
        }
        probing(MonitorKind::Impala(Box::new(check)), fields)
    },
    section: Section {
        name: "monitor of type impala",
        doc: "Asks an impalad's port without credentials, and its web UI. Detects daemons that drain, that are full, \
              and that are executors only.",
        list: |keys| {
            list_probing(keys);
            const { &ImpalaKeys }.list(keys);
        },
    },
};

settings!(
    ImpalaKeys = ImpalaCheck {
        protocol: Key::new(
            "protocol",
            Words { all: &ImpalaProtocol::ALL, word: ImpalaProtocol::as_str },
            "What the port speaks; `auto` goes by the port: 21000 is beeswax, 28000 is hs2-http, any other is hs2.",
        )
        .default("auto"),
        sasl: Key::new(
            "sasl",
            Words {
                all: &[None, Some(true), Some(false)],
                word: |sasl| match sasl {
                    None => "auto",
                    Some(true) => "true",
                    Some(false) => "false",
                },
            },
            "Whether the port speaks SASL (LDAP or Kerberos); `auto` finds out.",
        )
        .default("auto"),
        ssl: PortSslKeys,
        service_threads: Key::new(
            "service-threads",
            Count::<u32>::from(1, 1_000_000),
            "The daemon's `--fe_service_threads`. With so many connections it is full.",
        )
        .default("64")
        .because("impalad's default for --fe_service_threads"),
        web: WebUiKeys,
    }
);

/// TLS that a flag asks for; naming a profile asks for it as well.
struct OptionalTls {
    flag: Key<Flag>,
    profile: Key<Reference<ServerSsl>>,
}

impl Setting for OptionalTls {
    type Value = Option<Arc<ServerSsl>>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        self.flag.list(keys);
        self.profile.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let wanted = self.flag.read(fields) || fields.has(self.profile.name());
        wanted.then(|| probe_tls(&self.profile, fields)).flatten()
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        self.profile.facts(value, facts);
    }
}

/// The web UI, unless its port is 0.
struct WebUiKeys;

const WEB_PORT: Key<Limit<u16>> =
    Key::new("web-port", Limit::<u16>::to(65535), "The port of the web UI; 0 does not use it.")
        .default("25000")
        .because("shows draining and load; without an answer from it the port alone decides");
const WEB_TLS: OptionalTls = OptionalTls {
    flag: Key::new("web-ssl", Flag, "Whether the web UI speaks TLS; without `web-server-ssl` it is not verified.")
        .default("false"),
    profile: Key::new("web-server-ssl", SERVER_SSL_PROFILE, "TLS toward the web UI as a server-ssl profile has it."),
};

impl Setting for WebUiKeys {
    type Value = Option<WebUi>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &WEB_PORT }.list(keys);
        const { &WEB_TLS }.list(keys);
        const { &CredentialsKeys }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let (port, tls, credentials) = (WEB_PORT.read(fields), WEB_TLS.read(fields), CredentialsKeys.read(fields));
        port.map(|port| WebUi { port, tls, credentials })
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        WEB_PORT.facts(&value.as_ref().map(|web| web.port), facts);
        if let Some(web) = value {
            WEB_TLS.facts(&web.tls, facts);
            CredentialsKeys.facts(&web.credentials, facts);
        }
    }
}
