use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Resolver, profiles};
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::config::rule::Rule;
use crate::config::scalar;
use crate::config::schema::{MONITORS, Shape};
use crate::config::source::At;
use crate::config::tree::{Entry, Value};
use crate::model::profile::{Passphrase, ServerSsl};
use crate::model::{Credentials, HttpCheck, ImpalaCheck, ImpalaProtocol, Inband, Monitor, MonitorKind, Name, WebUi};

impl<'a> Resolver<'a> {
    /// A monitor; its mistakes are noted.
    pub(super) fn monitor(&self, entry: &'a Entry) -> Option<Arc<Monitor>> {
        if !matches!(entry.value.value, Value::Map(_) | Value::Null) {
            let message = format!("a monitor is a map, found {}", entry.value.describe());
            self.reader.error(entry.value.at, message, None);
            return None;
        }
        let inherited = self.inherited("monitors", entry)?;
        let (kind, shape) = self.monitor_type(entry, &inherited)?;
        self.reader.fields(&entry.value, entry.key_at, shape)?;
        self.check_monitors_parent(entry, kind);
        let mut fields = Fields::new(self.reader, shape, inherited, entry.key_at);
        let name = Name::from(entry.key.as_str());
        if kind == "inband" {
            let inband = inband(&mut fields);
            return Some(Arc::new(Monitor::new(name, MonitorKind::Inband(inband), Duration::ZERO, Duration::ZERO)));
        }
        let (interval, timeout) = (fields.duration("interval"), fields.duration("timeout"));
        if timeout <= interval {
            let advised = 3 * interval.as_secs() + 1;
            let help = format!("F5 advises three times the interval and a second: {advised}s");
            let message = format!("monitor `{}` gives up before its second probe", entry.key);
            self.reader.report(Severity::Warning, fields.place("timeout"), message, Some(help));
        }
        let up_interval = Some(fields.duration("up-interval")).filter(|it| !it.is_zero());
        if let Some(up_interval) = up_interval.filter(|it| *it >= timeout) {
            let message = format!("monitor `{}` is down before its next probe while it is up", entry.key);
            let help = format!("a `timeout` above {}s", up_interval.as_secs());
            self.reader.report(Severity::Warning, fields.place("up-interval"), message, Some(help));
        }
        let alias_port = match kind {
            "gateway-icmp" => None,
            _ => u16::try_from(fields.count("alias-port")).ok().filter(|port| *port > 0),
        };
        let kind = match kind {
            "tls" => MonitorKind::Tls,
            "tcp-half-open" => MonitorKind::TcpHalfOpen,
            "gateway" => MonitorKind::Gateway,
            "gateway-icmp" => MonitorKind::GatewayIcmp,
            "http" => MonitorKind::Http(Box::new(http(&mut fields, None))),
            "https" => {
                let tls = self.probe_tls(&mut fields, "server-ssl");
                MonitorKind::Http(Box::new(http(&mut fields, tls)))
            }
            "impala" => MonitorKind::Impala(Box::new(self.impala(&mut fields))),
            _ => MonitorKind::Tcp,
        };
        Some(Arc::new(Monitor {
            name,
            kind,
            interval,
            up_interval,
            timeout,
            time_until_up: fields.duration("time-until-up"),
            manual_resume: fields.flag("manual-resume"),
            jitter: fields.flag("jitter"),
            alias_address: fields.parsed("alias-address", |text| text.parse::<IpAddr>().ok()),
            alias_port,
        }))
    }

    /// A monitor's type and shape.
    fn monitor_type(&self, entry: &'a Entry, inherited: &[&'a Entry]) -> Option<(&'static str, &'static Shape)> {
        let written = inherited.iter().find(|inner| inner.key == "type");
        let word = written.and_then(|inner| inner.value.scalar()).unwrap_or_else(|| "tcp".to_owned());
        let found = MONITORS.iter().find(|(name, _)| *name == word);
        if found.is_none()
            && let Some(written) = written
        {
            // Any shape knows what `type` may be.
            let (_, tcp) = MONITORS.first()?;
            let fields = Fields::new(self.reader, tcp, vec![written], entry.key_at);
            fields.wrong(fields.key("type"), &written.value);
        }
        found.map(|(name, shape)| (*name, shape))
    }

    fn check_monitors_parent(&self, entry: &'a Entry, kind: &str) {
        let Some(parent) = entry.value.entry("defaults-from") else { return };
        let name = parent.value.scalar().unwrap_or_default();
        let Some(of) = self.document.named("monitors", &name).filter(|of| of.key != entry.key) else { return };
        let Ok(inherited) = self.document.inherited("monitors", &of.key) else { return };
        let theirs = inherited.iter().find(|inner| inner.key == "type").and_then(|inner| inner.value.scalar());
        if let Some(theirs) = theirs.filter(|theirs| theirs != kind) {
            let message = format!("monitor `{}` is {kind}, its parent `{name}` is {theirs}", entry.key);
            self.reader.error(parent.value.at, message, None);
        }
    }

    /// The monitors that a pool names, and how many must be good.
    pub(super) fn monitor_rule(&self, fields: &mut Fields<'a>) -> (Vec<Arc<Monitor>>, Option<usize>) {
        let Some(node) = fields.node("monitors") else { return (Vec::new(), None) };
        let Some(Rule { names, min }) = Rule::read(node) else {
            fields.wrong(fields.key("monitors"), node);
            return (Vec::new(), None);
        };
        if let Some((count, at)) = min.filter(|(count, _)| *count > names.len()) {
            let message = format!("at least {count} of {} monitors can never be good", names.len());
            self.reader.error(at, message, Some(format!("a number from 1 to {}", names.len())));
        }
        for (at, (name, place)) in names.iter().enumerate() {
            if names.iter().take(at).any(|(other, _)| other == name) {
                self.reader.error(*place, format!("monitor `{name}` stands twice"), None);
            }
        }
        let monitors = names.into_iter().filter_map(|(name, at)| self.named_monitor(&name, at)).collect();
        (monitors, min.map(|(count, _)| count))
    }

    fn named_monitor(&self, name: &str, at: At) -> Option<Arc<Monitor>> {
        match self.document.named("monitors", name) {
            // Its mistakes are noted with its section.
            Some(entry) => self.reader.quietly(|| self.monitor(entry)),
            None => {
                self.unknown("monitor", "monitors", name, at);
                None
            }
        }
    }

    /// The server-ssl profile that a key names, else the one that verifies nothing: a probe learns whether a member
    /// serves, and sends no secret there unless told to.
    fn probe_tls(&self, fields: &mut Fields<'a>, key: &str) -> Option<Arc<ServerSsl>> {
        let named = fields.text(key);
        let (name, at) = (named.as_deref().unwrap_or("serverssl-insecure-compatible"), fields.place(key));
        let (_, shape, inherited) = self.named_profile(name, at, &["server-ssl"])?;
        Some(self.make((shape, inherited), |fields| profiles::server_ssl(name, fields)))
    }

    fn impala(&self, fields: &mut Fields<'a>) -> ImpalaCheck {
        let protocol = fields.word("protocol");
        let protocol = ImpalaProtocol::WORDS.into_iter().find(|(word, _)| *word == protocol);
        let mut tls = |flag: &str, profile: &str| {
            // A profile says that there is TLS as well.
            let wanted = fields.flag(flag) || fields.node(profile).is_some();
            wanted.then(|| self.probe_tls(fields, profile)).flatten()
        };
        let (port_tls, web_tls) = (tls("ssl", "server-ssl"), tls("web-ssl", "web-server-ssl"));
        let credentials = credentials(fields, web_tls.as_deref());
        let web_port = u16::try_from(fields.count("web-port")).ok().filter(|port| *port > 0);
        ImpalaCheck {
            protocol: protocol.map_or(ImpalaProtocol::Auto, |(_, protocol)| protocol),
            sasl: fields.word("sasl").parse().ok(),
            tls: port_tls,
            service_threads: fields.count("service-threads").max(1),
            web: web_port.map(|port| WebUi { port, tls: web_tls, credentials }),
        }
    }
}

fn inband(fields: &mut Fields<'_>) -> Inband {
    Inband {
        failures: fields.count("failures").max(1),
        failure_interval: fields.duration("failure-interval"),
        response_time: fields.duration("response-time"),
        retry_time: fields.duration("retry-time"),
    }
}

fn http(fields: &mut Fields<'_>, tls: Option<Arc<ServerSsl>>) -> HttpCheck {
    let send = fields.text("send").unwrap_or_else(|| "/".to_owned());
    let (host, credentials) = (fields.host_name("host"), credentials(fields, tls.as_deref()));
    if !send.starts_with('/') {
        for key in ["host", "user"] {
            if fields.node(key).is_some() {
                let help = "write the header in `send`, or a path that begins with `/`".to_owned();
                let message = format!("`{key}` has no effect on a whole request");
                fields.reader.error(fields.place(key), message, Some(help));
            }
        }
    }
    let status = fields.texts("status").into_iter().filter_map(|(text, at)| {
        let range = status_range(&text);
        if range.is_none() {
            let help = "a code, `2xx`, or a range such as `200-399`".to_owned();
            fields.reader.error(at, format!("`{text}` is no status code"), Some(help));
        }
        range
    });
    let status = status.collect();
    let (recv, recv_disable) = (pattern(fields, "recv"), pattern(fields, "recv-disable"));
    let reverse = fields.flag("reverse");
    if reverse && recv.is_none() {
        let help = "write what the answer must not match".to_owned();
        fields.reader.error(fields.place("reverse"), "`reverse` needs `recv`", Some(help));
    }
    HttpCheck { tls, send, host, credentials, status, recv, recv_disable, reverse }
}

fn pattern(fields: &mut Fields<'_>, key: &str) -> Option<String> {
    fields.parsed(key, |text| scalar::pattern(text).ok().map(|_| text.to_owned()))
}

/// A user with the place of the password, which is sent over `tls`.
fn credentials(fields: &mut Fields<'_>, tls: Option<&ServerSsl>) -> Option<Credentials> {
    let user = fields.text("user");
    let file = fields.path("password-file").map(Passphrase::File);
    let variable = fields.parsed("password-env", scalar::variable).map(Passphrase::Environment);
    let problem = match (&user, &file, &variable) {
        (None, None, None) => return None,
        (Some(_), Some(_), None) | (Some(_), None, Some(_)) => None,
        (_, Some(_), Some(_)) => Some(("password-env", "`password-file` or `password-env`, not both")),
        (None, ..) => Some(("password-file", "a password needs a `user`")),
        (Some(_), None, None) => Some(("user", "a `user` needs `password-file` or `password-env`")),
    };
    if let Some((key, message)) = problem {
        fields.reader.error(fields.place(key), message, None);
        return None;
    }
    let exposed = match tls {
        None => Some("the password goes over the network in clear"),
        Some(profile) if !profile.verify => Some("the password goes to whoever answers, as TLS verifies nothing"),
        Some(_) => None,
    };
    if let Some(message) = exposed {
        let help = "a user that may only look, or TLS with a server-ssl profile that verifies".to_owned();
        fields.reader.report(Severity::Warning, fields.place("user"), message, Some(help));
    }
    Some(Credentials { user: user?, password: file.or(variable)? })
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
