//! The keys of monitors of type http and https.

use std::sync::Arc;

use serde_json::Value as Json;

use super::common::{
    CredentialsKeys, ReadMonitor, SERVER_SSL, USER, check_credentials, list_probing, probe_tls, probing,
};
use crate::config::fields::Fields;
use crate::config::keys::declare::settings;
use crate::config::keys::key::Key;
use crate::config::keys::kind::{
    Flag, HostName, Kind, Line, Optional, Pattern, Texts, Written, Wrong, each_text, list,
};
use crate::config::keys::section::{AnyKey, Section};
use crate::config::keys::setting::{Constant, Facts, Setting};
use crate::config::keys::typed::Type;
use crate::model::profile::ServerSsl;
use crate::model::{HttpCheck, MonitorKind};

pub(super) const HTTP: Type<ReadMonitor> = Type {
    word: "http",
    root: "http",
    head: "",
    defaults: &[],
    read: |fields| {
        let check = HttpKeys.read(fields);
        self::check(&check, fields);
        probing(MonitorKind::Http(Box::new(check)), fields)
    },
    section: Section {
        name: "monitor of type http",
        doc: "Sends a request and judges the answer.",
        list: |keys| {
            list_probing(keys);
            const { &HttpKeys }.list(keys);
        },
    },
};

pub(super) const HTTPS: Type<ReadMonitor> = Type {
    word: "https",
    root: "https",
    head: "",
    defaults: &[],
    read: |fields| {
        let check = HttpsKeys.read(fields);
        self::check(&check, fields);
        probing(MonitorKind::Http(Box::new(check)), fields)
    },
    section: Section {
        name: "monitor of type https",
        doc: "As http, inside TLS; without `server-ssl` the certificate is not verified.",
        list: |keys| {
            list_probing(keys);
            const { &HttpsKeys }.list(keys);
        },
    },
};

/// What http and https share; they differ in `tls`.
macro_rules! http {
    ($keys:ident, $tls:expr) => {
        settings!(
            $keys = HttpCheck {
                send: Key::new(
                    "send",
                    Line,
                    "A path, or a whole request such as `GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n`, whose line and \
                     headers are used.",
                )
                .default("/"),
                host: HOST,
                credentials: CredentialsKeys,
                status: Key::new(
                    "status",
                    StatusCodes,
                    "Status codes that are successes: `200`, `2xx`, `200-399`, or a list of them.",
                )
                .default("200-399")
                .because("F5 takes any answer; a server error is no success here"),
                recv: Key::new(
                    "recv",
                    Optional(Pattern),
                    "A regular expression that the answer (status line, headers, body) must match.",
                ),
                recv_disable: Key::new(
                    "recv-disable",
                    Optional(Pattern),
                    "A regular expression. An answer that matches it disables the member: it gets no new connections, \
                     and open ones continue.",
                ),
                reverse: Key::new(
                    "reverse",
                    Flag,
                    "An answer that matches `recv` is a failure, and any other is a \
                                                    success."
                )
                .default("false"),
                tls: $tls,
            }
        );
    };
}
http!(HttpKeys, Constant(None::<Arc<ServerSsl>>));
http!(HttpsKeys, ProbeTls);

const HOST: Key<Optional<HostName>> =
    Key::new("host", Optional(HostName), "The Host header; by default the node's hostname, else its address.");

/// The TLS of a probe that always has some.
struct ProbeTls;

impl Setting for ProbeTls {
    type Value = Option<Arc<ServerSsl>>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &SERVER_SSL }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        probe_tls(&SERVER_SSL, fields)
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        SERVER_SSL.facts(value, facts);
    }
}

fn check(check: &HttpCheck, fields: &Fields<'_>) {
    check_credentials(check.credentials.as_ref(), check.tls.as_deref(), fields);
    if !check.send.starts_with('/') {
        for key in [HOST.name(), USER.name()] {
            if fields.has(key) {
                let help = "write the header in `send`, or a path that begins with `/`".to_owned();
                fields.error(fields.place(key), format!("`{key}` has no effect on a whole request"), Some(help));
            }
        }
    }
    if check.reverse && check.recv.is_none() && fields.is_good(HttpKeys::recv()) {
        let help = "write what the answer must not match".to_owned();
        fields.error(fields.place(HttpKeys::reverse()), "`reverse` needs `recv`", Some(help));
    }
}

/// Status codes, as inclusive ranges.
#[derive(Clone, Copy)]
struct StatusCodes;

impl Kind for StatusCodes {
    type Value = Vec<(u16, u16)>;

    fn describe(&self) -> String {
        Texts.describe()
    }

    fn schema(&self) -> Json {
        Texts.schema()
    }

    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        each_text(written, |text, item| {
            let range = status_range(&text);
            if range.is_none() {
                let help = "a code, `2xx`, or a range such as `200-399`".to_owned();
                written.fields.error(item.at, format!("`{text}` is no status code"), Some(help));
            }
            range
        })
    }

    fn absent(&self) -> Self::Value {
        Vec::new()
    }

    fn tell(&self, value: &Self::Value) -> String {
        list(value.iter().map(|(least, most)| format!("{least}-{most}")))
    }
}

fn status_range(text: &str) -> Option<(u16, u16)> {
    let code = |text: &str| text.trim().parse().ok().filter(|code| (100..=599).contains(code));
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    match text.split_once('-') {
        Some((least, most)) => Some((code(least)?, code(most)?)).filter(|(least, most)| least <= most),
        None => code(text).map(|code| (code, code)),
    }
}

#[cfg(test)]
mod tests {
    use super::status_range;

    #[test]
    fn status_is_a_code_a_class_or_a_range() {
        assert_eq!(status_range("204"), Some((204, 204)));
        assert_eq!(status_range("3xx"), Some((300, 399)));
        assert_eq!(status_range("200-399"), Some((200, 399)));
        for bad in ["ok", "99", "6xx", "399-200", "200-", ""] {
            assert_eq!(status_range(bad), None, "{bad}");
        }
    }
}
