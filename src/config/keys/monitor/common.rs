//! What monitors share: when they probe, the TLS of a probe, and its credentials.

use std::sync::Arc;

use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::config::keys::declare::settings;
use crate::config::keys::key::Key;
use crate::config::keys::kind::{DAY, Flag, IpAddress, Line, Optional, OrZero, Path, Port, Reference, Span, Variable};
use crate::config::keys::section::AnyKey;
use crate::config::keys::setting::{Facts, Setting};
use crate::config::keys::typed::{ParentName, TypeWord};
use crate::model::profile::{Passphrase, ServerSsl};
use crate::model::{Credentials, Model, Monitor, MonitorKind, Probing};

/// Reads a monitor, and notes what does not fit together in it.
pub(in crate::config) type ReadMonitor = fn(&Fields<'_>) -> Monitor;

/// Adds the keys that every monitor has.
pub(super) fn list_common(keys: &mut Vec<&'static dyn AnyKey>) {
    const {
        &Key::new("type", TypeWord(WORDS), "What a probe does; by default its parent's.")
            .default("tcp")
            .refusing(OTHER_TYPES)
    }
    .list(keys);
    const {
        &Key::new(
            "defaults-from",
            ParentName("monitor"),
            "The monitor that gives every key not set here; by default the built-in one of the type.",
        )
    }
    .list(keys);
}

/// Adds the keys of every monitor that probes.
pub(super) fn list_probing(keys: &mut Vec<&'static dyn AnyKey>) {
    list_common(keys);
    const { &ProbingKeys }.list(keys);
}

settings!(
    ProbingKeys = Probing {
        interval: Key::new("interval", Span(10, DAY), "The time from one probe to the next.").default("5s"),
        up_interval: Key::new(
            "up-interval",
            OrZero(Span(0, DAY)),
            "The time between probes while the member is up; 0 \
                                                                    is `interval`."
        )
        .default("0"),
        timeout: Key::new(
            "timeout",
            Span(10, DAY),
            "A member is down after this long without a success. F5 advises three intervals and a second.",
        )
        .default("16s"),
        time_until_up: Key::new(
            "time-until-up",
            Span(0, DAY),
            "How long a member that was down must answer before it is up again.",
        )
        .default("0"),
        manual_resume: Key::new(
            "manual-resume",
            Flag,
            "A member that went down stays down until `pronk member resume POOL NODE:PORT`.",
        )
        .default("false"),
        jitter: Key::new("jitter", Flag, "Spread the probes of many members over the interval.")
            .default("true")
            .because("the probes of many members do not fire together"),
        alias_address: Key::new("alias-address", Optional(IpAddress), "Probe this IP address instead of the node's."),
        alias_port: Key::new("alias-port", Optional(Port), "Probe this port instead of the member's."),
    }
);

/// Returns a monitor that probes, of a kind that was read.
pub(super) fn probing(kind: MonitorKind, fields: &Fields<'_>) -> Monitor {
    let probing = ProbingKeys.read(fields);
    let Probing { interval, up_interval, timeout, .. } = probing;
    let is_good = |keys: &[&str]| keys.iter().all(|key| fields.is_good(key));
    if timeout <= interval && is_good(&[ProbingKeys::timeout(), ProbingKeys::interval()]) {
        let advised = 3 * interval.as_secs() + 1;
        let help = format!("F5 advises three times the interval and a second: {advised}s");
        let message = format!("monitor `{}` gives up before its second probe", fields.name);
        fields.report(Severity::Warning, fields.place(ProbingKeys::timeout()), message, Some(help));
    }
    if let Some(up_interval) = up_interval.filter(|it| *it >= timeout)
        && is_good(&[ProbingKeys::timeout(), ProbingKeys::up_interval()])
    {
        let message = format!("monitor `{}` is down before its next probe while it is up", fields.name);
        let help = format!("a `timeout` above {}s", up_interval.as_secs());
        fields.report(Severity::Warning, fields.place(ProbingKeys::up_interval()), message, Some(help));
    }
    Monitor { name: fields.name.into(), kind, probing }
}

pub(super) const SERVER_SSL: Key<Reference<ServerSsl>> = Key::new(
    "server-ssl",
    SERVER_SSL_PROFILE,
    "TLS toward the member as a server-ssl profile has it: verified, or with a client certificate.",
);
pub(super) const SERVER_SSL_PROFILE: Reference<ServerSsl> = Reference {
    what: "profile",
    section: "profiles",
    types: &["server-ssl"],
    of: |model: &Model| &model.profiles.server_ssl,
    name: |profile| &profile.name,
};

/// Returns the server-ssl profile that a key names, else the one that verifies nothing: a probe learns whether a member
/// serves, and sends no secret there unless told to.
pub(super) fn probe_tls(key: &Key<Reference<ServerSsl>>, fields: &Fields<'_>) -> Option<Arc<ServerSsl>> {
    if fields.has(key.name()) { key.read(fields) } else { unverified(key.name(), fields) }
}

/// Returns the server-ssl profile that verifies nothing, for a key that names none.
pub(super) fn unverified(key: &str, fields: &Fields<'_>) -> Option<Arc<ServerSsl>> {
    SERVER_SSL_PROFILE.named(UNVERIFIED, fields.place(key), fields)
}

/// The built-in profile that verifies nothing.
const UNVERIFIED: &str = "serverssl-insecure-compatible";

/// A user and where the password is, sent over this TLS.
pub(super) struct CredentialsKeys;

pub(super) const USER: Key<Optional<Line>> = Key::new("user", Optional(Line), "Basic authentication: the user.");
const PASSWORD_FILE: Key<Optional<Path>> =
    Key::new("password-file", Optional(Path), "File whose first line is the password, not readable by others.");
const PASSWORD_ENV: Key<Optional<Variable>> =
    Key::new("password-env", Optional(Variable), "Environment variable with the password.");

impl Setting for CredentialsKeys {
    type Value = Option<Credentials>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &USER }.list(keys);
        const { &PASSWORD_FILE }.list(keys);
        const { &PASSWORD_ENV }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let user = USER.read(fields);
        let file = PASSWORD_FILE.read(fields).map(Passphrase::File);
        let variable = PASSWORD_ENV.read(fields).map(Passphrase::Environment);
        let problem = match (&user, &file, &variable) {
            (None, None, None) => return None,
            (Some(_), Some(_), None) | (Some(_), None, Some(_)) => None,
            (_, Some(_), Some(_)) => Some((PASSWORD_ENV.name(), "give `password-file` or `password-env`, not both")),
            (None, ..) => Some((PASSWORD_FILE.name(), "a password needs a `user`")),
            (Some(_), None, None) => Some((USER.name(), "a `user` needs `password-file` or `password-env`")),
        };
        if let Some((key, message)) = problem {
            let keys = [USER.name(), PASSWORD_FILE.name(), PASSWORD_ENV.name()];
            if keys.iter().all(|key| fields.is_good(key)) {
                fields.error(fields.place(key), message, None);
            }
            return None;
        }
        Some(Credentials { user: user?, password: file.or(variable)? })
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        let told = value.as_ref().map(|Credentials { user, password }| match password {
            Passphrase::File(path) => format!("{user}, password in {}", path.display()),
            Passphrase::Environment(variable) => format!("{user}, password in ${variable}"),
        });
        facts.push((USER.name(), told.unwrap_or_else(|| "none".to_owned())));
    }
}

/// Warns of a password that others can read on its way.
pub(super) fn check_credentials(credentials: Option<&Credentials>, tls: Option<&ServerSsl>, fields: &Fields<'_>) {
    if credentials.is_none() {
        return;
    }
    let exposed = match tls {
        None => "the password goes over the network in clear",
        Some(profile) if !profile.verify => "the password goes to any server that answers, as TLS verifies nothing",
        Some(_) => return,
    };
    let help = "a user that may only look, or TLS with a server-ssl profile that verifies".to_owned();
    fields.report(Severity::Warning, fields.place(USER.name()), exposed, Some(help));
}

/// F5's types that pronk does not have, with the reason or the nearest.
const OTHER_TYPES: &[(&str, &str)] = &[
    ("icmp", "write gateway-icmp"),
    ("external", "no program is run: the nearest is impala, or http on a page of the program's own"),
    ("scripted", "no program is run: the nearest is http with `send` and `recv`"),
    ("http2", "an impalad speaks HTTP/1.1: write http"),
    ("snmp-dca", NO_AGENT),
    ("snmp-dca-base", NO_AGENT),
    ("wmi", NO_AGENT),
    ("udp", NOT_UDP),
    ("dns", NOT_UDP),
    ("sip", NOT_UDP),
    ("radius", NOT_UDP),
    ("radius-accounting", NOT_UDP),
    ("diameter", NO_SUCH_SERVICE),
    ("firepass", NO_SUCH_SERVICE),
    ("ftp", NO_SUCH_SERVICE),
    ("imap", NO_SUCH_SERVICE),
    ("ldap", NO_SUCH_SERVICE),
    ("module-score", NO_SUCH_SERVICE),
    ("mqtt", NO_SUCH_SERVICE),
    ("mssql", NO_SUCH_SERVICE),
    ("mysql", NO_SUCH_SERVICE),
    ("nntp", NO_SUCH_SERVICE),
    ("oracle", NO_SUCH_SERVICE),
    ("pop3", NO_SUCH_SERVICE),
    ("postgresql", NO_SUCH_SERVICE),
    ("real-server", NO_SUCH_SERVICE),
    ("rpc", NO_SUCH_SERVICE),
    ("sasp", NO_SUCH_SERVICE),
    ("smb", NO_SUCH_SERVICE),
    ("smtp", NO_SUCH_SERVICE),
    ("soap", NO_SUCH_SERVICE),
    ("tcp-echo", NO_SUCH_SERVICE),
    ("virtual-location", NO_SUCH_SERVICE),
    ("wap", NO_SUCH_SERVICE),
];
const NO_AGENT: &str = "an impalad has no such agent: impala reads its load from the web UI";
const NO_SUCH_SERVICE: &str = "an impalad has no such service: write impala";
const NOT_UDP: &str = "members serve TCP: write impala or tcp";

/// The words of all types.
pub(in crate::config) const WORDS: &[&str] =
    &["tcp", "tls", "tcp-half-open", "http", "https", "impala", "inband", "gateway", "gateway-icmp"];
