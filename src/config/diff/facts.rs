//! A model's parts as keys and values that can be compared and read. Every field is taken apart by name, so that one
//! that is added to the model cannot be forgotten here.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::model::profile::{
    Affinity, CertKey, CertResponse, Certificate, ClientSsl, Passphrase, PeerCertMode, Persistence, PersistenceKind,
    Protocol, ProtocolKind, ServerSsl, TlsVersion, TlsVersions, TrustAnchors,
};
use crate::model::{
    Credentials, Discovery, HttpCheck, ImpalaCheck, Inband, LintLevel, Member, Model, Monitor, MonitorKind, Name, Node,
    Pacing, Pool, Queueing, Seed, VirtualServer, WebUi,
};

/// Always the same keys in the same order for one kind of thing.
pub(super) type Facts = Vec<(&'static str, String)>;

/// The profiles that virtual servers and monitors use, by name.
#[derive(Default)]
pub(super) struct Profiles {
    pub client_ssl: BTreeMap<Name, Arc<ClientSsl>>,
    pub server_ssl: BTreeMap<Name, Arc<ServerSsl>>,
    pub protocol: BTreeMap<Name, Arc<Protocol>>,
    pub persistence: BTreeMap<Name, Arc<Persistence>>,
}

impl Profiles {
    pub fn of(model: &Model) -> Self {
        let mut all = Self::default();
        for virtual_server in model.virtual_servers.values() {
            let VirtualServer { client_ssl, server_ssl, protocol, persistence, fallback_persistence, .. } =
                &**virtual_server;
            all.client_ssl.extend(client_ssl.iter().map(|it| (it.name.clone(), Arc::clone(it))));
            all.server_ssl.extend(server_ssl.iter().map(|it| (it.name.clone(), Arc::clone(it))));
            let persistence = persistence.iter().chain(fallback_persistence);
            all.persistence.extend(persistence.map(|it| (it.name.clone(), Arc::clone(it))));
            all.protocol.insert(protocol.name.clone(), Arc::clone(protocol));
        }
        for monitor in model.pools.values().flat_map(|pool| &pool.monitors) {
            all.server_ssl.extend(monitor.server_ssl().map(|it| (it.name.clone(), Arc::clone(it))));
        }
        all
    }
}

pub(super) fn node(node: &Node) -> Facts {
    let Node {
        name: _,
        address,
        hostname,
        description,
        connection_limit,
        rate_limit,
        ratio,
        state,
        autopopulate,
        interval,
    } = node;
    vec![
        ("address", address.to_string()),
        ("hostname", optional(hostname.as_ref())),
        ("description", quoted(description.as_deref())),
        ("connection-limit", optional(connection_limit.as_ref())),
        ("rate-limit", optional(rate_limit.as_ref())),
        ("ratio", ratio.to_string()),
        ("state", state.as_str().into()),
        ("autopopulate", autopopulate.to_string()),
        ("interval", duration(*interval)),
    ]
}

pub(super) fn monitor(monitor: &Monitor) -> Facts {
    let Monitor {
        name: _,
        kind,
        interval,
        up_interval,
        timeout,
        time_until_up,
        manual_resume,
        jitter,
        alias_address,
        alias_port,
    } = monitor;
    vec![
        ("type", kind.as_str().into()),
        ("interval", duration(*interval)),
        ("up-interval", up_interval.map_or_else(|| "none".into(), duration)),
        ("timeout", duration(*timeout)),
        ("time-until-up", duration(*time_until_up)),
        ("manual-resume", manual_resume.to_string()),
        ("jitter", jitter.to_string()),
        ("alias-address", optional(alias_address.as_ref())),
        ("alias-port", optional(alias_port.as_ref())),
        ("probe", probe(kind)),
    ]
}

/// What is a type's own, in one text, so that all types have the same keys.
fn probe(kind: &MonitorKind) -> String {
    let tls = |tls: &Option<Arc<ServerSsl>>| optional(tls.as_ref().map(|profile| &profile.name));
    let user = |it: &Option<Credentials>| {
        it.as_ref()
            .map_or_else(|| "none".to_owned(), |Credentials { user, password }| format!("{user}, {}", from(password)))
    };
    match kind {
        MonitorKind::Tcp | MonitorKind::TcpHalfOpen | MonitorKind::Gateway | MonitorKind::GatewayIcmp => {
            "connect".into()
        }
        MonitorKind::Tls => "handshake".into(),
        MonitorKind::Http(check) => {
            let HttpCheck { tls: profile, send, host, credentials, status, recv, recv_disable, reverse } = &**check;
            let status = list(status.iter().map(|(least, most)| format!("{least}-{most}")));
            let (profile, host, user) = (tls(profile), optional(host.as_ref()), user(credentials));
            let (recv, recv_disable) = (quoted(recv.as_deref()), quoted(recv_disable.as_deref()));
            format!(
                "send {send:?}, host {host}, user {user}, status {status}, recv {recv}, recv-disable {recv_disable}, \
                 reverse {reverse}, server-ssl {profile}"
            )
        }
        MonitorKind::Inband(Inband { failures, failure_interval, response_time, retry_time }) => {
            format!(
                "failures {failures} in {failure_interval:?}, response-time {response_time:?}, retry-time {retry_time:?}"
            )
        }
        MonitorKind::Impala(check) => {
            let ImpalaCheck { protocol, sasl, tls: profile, service_threads, web } = &**check;
            let sasl = sasl.map_or_else(|| "auto".to_owned(), |sasl| sasl.to_string());
            let web = web.as_ref().map_or_else(
                || "none".to_owned(),
                |WebUi { port, tls: profile, credentials }| {
                    format!("{port}, web-server-ssl {}, user {}", tls(profile), user(credentials))
                },
            );
            let (protocol, profile) = (protocol.as_str(), tls(profile));
            format!(
                "protocol {protocol}, sasl {sasl}, server-ssl {profile}, service-threads {service_threads}, web-port {web}"
            )
        }
    }
}

fn from(password: &Passphrase) -> String {
    match password {
        Passphrase::File(path) => format!("password in {}", path.display()),
        Passphrase::Environment(variable) => format!("password in ${variable}"),
    }
}

pub(super) fn pool(pool: &Pool) -> Facts {
    let Pool {
        name: _,
        description,
        monitors,
        monitors_needed,
        load_balancing_mode,
        ignore_persisted_weight,
        discovery,
        min_active_members,
        min_up_members,
        slow_ramp_time,
        reselect_tries,
        service_down_action,
        drain_time,
        queue: Queueing { on_connection_limit, depth, time },
        pacing: Pacing { setup_limit, time: setup_limit_time },
        members: _,
    } = pool;
    let needed = monitors_needed.map(|needed| format!("min {needed} of ")).unwrap_or_default();
    vec![
        ("description", quoted(description.as_deref())),
        ("monitors", format!("{needed}{}", list(monitors.iter().map(|monitor| monitor.name.to_string())))),
        ("load-balancing-mode", load_balancing_mode.as_str().into()),
        ("ignore-persisted-weight", ignore_persisted_weight.to_string()),
        ("discover", discovery.as_ref().map_or_else(|| "none".into(), discover)),
        ("min-active-members", min_active_members.to_string()),
        ("min-up-members", min_up_members.to_string()),
        ("slow-ramp-time", duration(*slow_ramp_time)),
        ("reselect-tries", reselect_tries.to_string()),
        ("service-down-action", service_down_action.as_str().into()),
        ("drain-time", indefinite(*drain_time)),
        ("queue-on-connection-limit", on_connection_limit.to_string()),
        ("queue-depth-limit", optional(depth.as_ref())),
        ("queue-time-limit", indefinite(*time)),
        ("setup-limit", optional(setup_limit.as_ref())),
        ("setup-limit-time", duration(*setup_limit_time)),
    ]
}

fn discover(discovery: &Discovery) -> String {
    let Discovery { seeds, port, filter, interval } = discovery;
    let seed = |Seed { host, port }: &Seed| port.map_or_else(|| host.clone(), |port| format!("{host} port {port}"));
    let (seeds, filter) = (list(seeds.iter().map(seed)), quoted(filter.as_deref()));
    format!("impala, seeds {seeds}, port {port}, filter {filter}, interval {}", duration(*interval))
}

pub(super) fn member(member: &Member) -> Facts {
    let Member {
        node: _,
        port: _,
        connection_limit,
        rate_limit,
        ratio,
        priority_group,
        description,
        state,
        discovered: _,
    } = member;
    vec![
        ("connection-limit", optional(connection_limit.as_ref())),
        ("rate-limit", optional(rate_limit.as_ref())),
        ("ratio", ratio.to_string()),
        ("priority-group", priority_group.to_string()),
        ("description", quoted(description.as_deref())),
        ("state", state.as_str().into()),
    ]
}

pub(super) fn client_ssl(profile: &ClientSsl) -> Facts {
    let ClientSsl {
        name: _,
        cert_key_chain,
        sni_require,
        versions,
        cipher_group,
        peer_cert_mode,
        ca_file,
        crl_file,
        authenticate_depth,
        handshake_timeout,
        session_ticket,
        cache_size,
        alpn,
    } = profile;
    let peer_cert_mode = match peer_cert_mode {
        PeerCertMode::Ignore => "ignore",
        PeerCertMode::Request => "request",
        PeerCertMode::Require => "require",
    };
    vec![
        ("cert-key-chain", list(cert_key_chain.iter().map(certificate))),
        ("sni-require", sni_require.to_string()),
        ("versions", tls_versions(*versions)),
        ("cipher-group", cipher_group.as_str().into()),
        ("peer-cert-mode", peer_cert_mode.into()),
        ("ca-file", optional(ca_file.as_ref().map(|path| path.display()).as_ref())),
        ("crl-file", optional(crl_file.as_ref().map(|path| path.display()).as_ref())),
        ("authenticate-depth", authenticate_depth.to_string()),
        ("handshake-timeout", duration(*handshake_timeout)),
        ("session-ticket", session_ticket.to_string()),
        ("cache-size", cache_size.to_string()),
        ("alpn", list(alpn.iter().cloned())),
    ]
}

pub(super) fn server_ssl(profile: &ServerSsl) -> Facts {
    let ServerSsl {
        name: _,
        ca_file,
        verify,
        authenticate_name,
        server_name,
        versions,
        cipher_group,
        expire_cert_response,
        untrusted_cert_response,
        client_certificate,
        handshake_timeout,
        cache_size,
        alpn,
    } = profile;
    let ca_file = match ca_file {
        TrustAnchors::File(path) => path.display().to_string(),
        TrustAnchors::System => "system".into(),
        TrustAnchors::WebpkiRoots => "webpki-roots".into(),
    };
    let response = |response: &CertResponse| match response {
        CertResponse::Drop => "drop".to_owned(),
        CertResponse::Ignore => "ignore".to_owned(),
    };
    vec![
        ("ca-file", ca_file),
        ("peer-cert-mode", if *verify { "require" } else { "ignore" }.into()),
        ("authenticate-name", optional(authenticate_name.as_ref())),
        ("server-name", optional(server_name.as_ref())),
        ("expire-cert-response-control", response(expire_cert_response)),
        ("untrusted-cert-response-control", response(untrusted_cert_response)),
        ("client certificate", optional(client_certificate.as_ref().map(certificate).as_ref())),
        ("versions", tls_versions(*versions)),
        ("cipher-group", cipher_group.as_str().into()),
        ("handshake-timeout", duration(*handshake_timeout)),
        ("cache-size", cache_size.to_string()),
        ("alpn", list(alpn.iter().cloned())),
    ]
}

pub(super) fn protocol(profile: &Protocol) -> Facts {
    let Protocol {
        name: _,
        kind,
        idle_timeout,
        reset_on_timeout,
        keep_alive_interval,
        close_wait,
        backlog,
        nodelay,
        connect_timeout,
    } = profile;
    let kind = match kind {
        ProtocolKind::Tcp => "tcp",
        ProtocolKind::FastL4 => "fastL4",
    };
    vec![
        ("type", kind.into()),
        ("idle-timeout", indefinite(*idle_timeout)),
        ("reset-on-timeout", reset_on_timeout.to_string()),
        ("keep-alive-interval", keep_alive_interval.map_or_else(|| "disabled".into(), duration)),
        ("close-wait", duration(*close_wait)),
        ("backlog", backlog.to_string()),
        ("nodelay", nodelay.to_string()),
        ("connect-timeout", duration(*connect_timeout)),
    ]
}

pub(super) fn persistence(profile: &Persistence) -> Facts {
    let Persistence { name: _, kind, mask, override_connection_limit } = profile;
    let (kind, timeout, across) = match kind {
        PersistenceKind::Hash => ("hash", "none".into(), "none".into()),
        PersistenceKind::SourceAddr(affinity) => {
            let Affinity { timeout, match_across_services, match_across_virtuals, match_across_pools } = affinity;
            let across = [
                ("services", match_across_services),
                ("virtuals", match_across_virtuals),
                ("pools", match_across_pools),
            ];
            let across = across.into_iter().filter(|(_, across)| **across).map(|(what, _)| what.to_owned());
            ("source-addr", indefinite(*timeout), list(across))
        }
    };
    vec![
        ("type", kind.into()),
        ("timeout", timeout),
        ("match-across", across),
        ("mask", format!("/{}", mask.v4)),
        ("mask-v6", mask.v6.to_string()),
        ("override-connection-limit", override_connection_limit.to_string()),
    ]
}

pub(super) fn lint(check: &LintLevel) -> Facts {
    let LintLevel { level, reason, until } = check;
    vec![("level", level.as_str().into()), ("reason", quoted(reason.as_deref())), ("until", optional(until.as_ref()))]
}

pub(super) fn virtual_server(virtual_server: &VirtualServer) -> Facts {
    let VirtualServer {
        name: _,
        description,
        kind,
        destination,
        hostname,
        pool,
        persistence,
        fallback_persistence,
        client_ssl,
        server_ssl,
        protocol,
        dial,
        connection_limit,
        rate_limit,
        source,
        state,
        service_down_immediate_action,
    } = virtual_server;
    vec![
        ("description", quoted(description.as_deref())),
        ("type", kind.as_str().into()),
        ("destination", destination.to_string()),
        ("hostname", optional(hostname.as_ref())),
        ("pool", pool.name.to_string()),
        ("persistence", optional(persistence.as_ref().map(|it| &it.name))),
        ("fallback-persistence", optional(fallback_persistence.as_ref().map(|it| &it.name))),
        ("client-ssl", optional(client_ssl.as_ref().map(|it| &it.name))),
        ("server-ssl", optional(server_ssl.as_ref().map(|it| &it.name))),
        ("protocol", protocol.name.to_string()),
        ("dial", dial.as_str().into()),
        ("connection-limit", optional(connection_limit.as_ref())),
        ("rate-limit", optional(rate_limit.as_ref())),
        ("source", list(source.iter().map(ToString::to_string))),
        ("state", state.as_str().into()),
        ("service-down-immediate-action", service_down_immediate_action.as_str().into()),
    ]
}

fn certificate(certificate: &CertKey) -> String {
    let CertKey { certificate, passphrase, sni_default } = certificate;
    let mut text = match certificate {
        Certificate::Store(entry) => format!("store {entry}"),
        Certificate::Files { cert, key, chain } => {
            let chain = chain.as_ref().map(|chain| format!(", chain {}", chain.display()));
            format!("cert {}, key {}{}", cert.display(), key.display(), chain.unwrap_or_default())
        }
    };
    match passphrase {
        Some(Passphrase::File(path)) => text += &format!(", passphrase in {}", path.display()),
        Some(Passphrase::Environment(variable)) => text += &format!(", passphrase in ${variable}"),
        None => {}
    }
    if *sni_default {
        text += ", sni-default";
    }
    text
}

fn tls_versions(versions: TlsVersions) -> String {
    let version = |version| match version {
        TlsVersion::Tls12 => "tls1.2",
        TlsVersion::Tls13 => "tls1.3",
    };
    format!("{} to {}", version(versions.minimum), version(versions.maximum))
}

fn optional(value: Option<&impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "none".to_owned() } else { format!("[{}]", items.join("; ")) }
}

pub(super) fn indefinite(value: Option<Duration>) -> String {
    value.map_or_else(|| "indefinite".into(), duration)
}

fn duration(duration: Duration) -> String {
    if duration.is_zero() { "0s".into() } else { format!("{duration:?}") }
}
