//! Monitors: their types, their keys, and how a pool combines them.

use std::time::Duration;

use pronk::config;
use pronk::model::profile::Passphrase;
use pronk::model::{ImpalaProtocol, Monitor, MonitorKind, PortSsl};

use super::{SHORT, accepted, said};

/// The pool's monitor `m`, with these keys.
fn monitor(keys: &str) -> Monitor {
    let text = SHORT.replace("[n:21050]", "[n:21050], monitors: m") + &format!("monitors: {{ m: {{ {keys} }} }}\n");
    Monitor::clone(&accepted(&text).model.pools["p"].monitors.all[0])
}

/// What is said of a monitor with these keys, without places.
fn wrong(keys: &str) -> Vec<String> {
    let text = format!("{SHORT}monitors: {{ m: {{ {keys} }} }}\n");
    said(&text).into_iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn every_type_has_a_built_in_parent() {
    for (written, meant) in [
        ("tcp", "tcp"),
        ("tcp-half-open", "tcp-half-open"),
        ("http", "http"),
        ("https", "https"),
        ("gateway", "gateway"),
        ("gateway-icmp", "gateway-icmp"),
        ("impala", "impala"),
        ("inband", "inband"),
    ] {
        assert_eq!(monitor(&format!("type: {written}")).kind.as_str(), meant);
    }
    let tcp = monitor("interval: 2s");
    assert_eq!((tcp.kind, tcp.probing.timeout), (MonitorKind::Tcp, Duration::from_secs(16)));
    assert!(tcp.probing.jitter && !tcp.probing.manual_resume);
    let text = SHORT.replace("[n:21050]", "[n:21050], monitors: [impala, tcp_half_open]");
    assert_eq!(accepted(&text).model.pools["p"].monitors.all.len(), 2, "built-in ones are named without a section");
}

#[test]
fn type_is_inherited() {
    let text = SHORT.replace("[n:21050]", "[n:21050], monitors: heir")
        + "monitors: { base: { type: impala, web-port: 0 }, heir: { defaults-from: base, interval: 2s } }\n";
    let model = accepted(&text).model;
    let MonitorKind::Impala(check) = &model.pools["p"].monitors.all[0].kind else { panic!() };
    assert!(check.web.is_none());
    let said = wrong("type: http, defaults-from: impala");
    assert_eq!(said, ["error: monitor `m` is http, its parent `impala` is impala"]);
}

#[test]
fn keys_are_understood() {
    let timed = monitor(
        "up-interval: 20s, timeout: 61s, time-until-up: 30s, manual-resume: true, jitter: false, \
         alias-address: 10.9.9.9, alias-port: 25000",
    );
    assert_eq!(timed.probing.up_interval, Some(Duration::from_secs(20)));
    assert_eq!(timed.probing.time_until_up, Duration::from_secs(30));
    assert!(timed.probing.manual_resume && !timed.probing.jitter);
    assert_eq!((timed.probing.alias_address, timed.probing.alias_port), (Some([10, 9, 9, 9].into()), Some(25000)));

    let http = monitor(
        "type: https, send: /healthz, status: [200, 3xx, 410-420], recv: ok, host: w.example.com, user: u, password-env: P",
    );
    let MonitorKind::Http(check) = http.kind else { panic!() };
    assert_eq!(check.status, [(200, 200), (300, 399), (410, 420)]);
    assert_eq!(check.credentials.unwrap().password, Passphrase::Environment("P".into()));
    assert!(!check.tls.unwrap().verify, "a probe verifies nothing unless a profile says so");

    let impala = "type: impala, protocol: beeswax, sasl: true, server-ssl: serverssl, web-ssl: true, user: u, \
                  password-file: web.pass, service-threads: 128";
    let MonitorKind::Impala(check) = monitor(impala).kind else { panic!() };
    assert_eq!((check.protocol, check.sasl, check.service_threads), (ImpalaProtocol::Beeswax, Some(true), 128));
    assert!(matches!(&check.ssl, PortSsl::Profile(profile) if profile.verify));
    let web = check.web.unwrap();
    assert_eq!(web.port, 25000);
    assert!(!web.tls.unwrap().verify);
    assert_eq!(web.credentials.unwrap().password, Passphrase::File("/etc/pronk/web.pass".into()));

    let MonitorKind::Inband(inband) = monitor("type: inband, failures: 5").kind else { panic!() };
    assert_eq!((inband.failures, inband.failure_interval), (5, Duration::from_secs(30)));
}

#[test]
fn mistakes_are_told() {
    for (keys, message) in [
        ("type: htp", "error: `type` must be one of"),
        ("type: external", "error: type `external` is not offered"),
        ("recv: OK", "error: unknown key `recv` in a monitor of type tcp"),
        ("type: http, password: secret", "error: unknown key `password` in a monitor of type http"),
        ("type: http, recv: '(['", "error: `recv` must be a regular expression"),
        ("type: http, status: [600]", "error: `600` is no status code"),
        ("type: http, reverse: true", "error: `reverse` needs `recv`"),
        ("type: http, user: u", "error: a `user` needs `password-file` or `password-env`"),
        ("type: http, password-env: P", "error: a password needs a `user`"),
        (
            "type: http, user: u, password-env: P, password-file: p",
            "error: give `password-file` or `password-env`, not both",
        ),
        ("type: http, send: 'GET /x', host: a.example.com", "error: `host` has no effect on a whole request"),
        ("type: https, server-ssl: clientssl", "error: profile `clientssl` is client-ssl, not server-ssl"),
        ("type: impala, sasl: maybe", "error: `sasl` must be one of auto, true, false"),
        ("type: impala, ssl: yes", "error: `ssl` must be one of auto, true, false, found `yes`"),
        ("type: inband, interval: 5s", "error: unknown key `interval` in a monitor of type inband"),
        ("type: gateway-icmp, alias-port: 1", "error: unknown key `alias-port` in a monitor of type gateway-icmp"),
        ("alias-address: n1", "error: `alias-address` must be an IP address, found `n1`"),
        ("up-interval: 20s", "warning: monitor `m` is down before its next probe while it is up"),
    ] {
        let said = wrong(keys);
        assert!(said.len() == 1 && said[0].starts_with(message), "{keys}: {said:?}");
    }
}

#[test]
fn password_that_others_could_read_is_taken_with_a_warning() {
    let login = "user: u, password-env: P";
    let clear = ["warning: the password goes over the network in clear"];
    assert_eq!(wrong(&format!("type: http, {login}")), clear);
    assert_eq!(wrong(&format!("type: impala, {login}")), clear);
    let anyone = ["warning: the password goes to any server that answers, as TLS verifies nothing"];
    assert_eq!(wrong(&format!("type: https, {login}")), anyone);
    assert_eq!(wrong(&format!("type: impala, web-ssl: true, {login}")), anyone);
    assert_eq!(wrong(&format!("type: https, server-ssl: serverssl, {login}")), [""; 0]);
    assert_eq!(wrong(&format!("type: impala, web-server-ssl: serverssl, {login}")), [""; 0]);
}

#[test]
fn rule_of_a_pool_is_all_or_some() {
    let rule = |written: &str| {
        let text = SHORT.replace("[n:21050]", &format!("[n:21050], monitors: {written}"))
            + "monitors: { a: {}, b: {}, c: {} }\n";
        match super::parse(&text) {
            Ok(loaded) => {
                let pool = &loaded.model.pools["p"];
                let names: Vec<_> = pool.monitors.all.iter().map(|monitor| monitor.name.as_str()).collect();
                Ok((names.join(" "), pool.monitors.needed))
            }
            Err(wrong) => Err(wrong.into_iter().map(|it| it.message).collect::<Vec<_>>().join("; ")),
        }
    };
    assert_eq!(rule("[a, b]"), Ok(("a b".into(), None)));
    assert_eq!(rule("a and b"), Ok(("a b".into(), None)));
    assert_eq!(rule("{ min: 2, of: [a, b, c] }"), Ok(("a b c".into(), Some(2))));
    assert_eq!(rule("'min 2 of { a b c }'"), Ok(("a b c".into(), Some(2))));
    assert_eq!(rule("none"), Ok((String::new(), None)));
    assert_eq!(rule("{ min: 3, of: [a, b] }"), Err("at least 3 of 2 monitors can never be good".into()));
    assert_eq!(rule("[a, a]"), Err("monitor `a` is listed twice".into()));
    assert_eq!(rule("a and d"), Err("there is no monitor `d`".into()));
    let shape = "`monitors` must be the name of a monitor, a list of them, or `{ min: N, of: [...] }`, found `a b`";
    assert_eq!(rule("a b"), Err(shape.into()));
}

#[test]
fn changes_are_told_in_plain_words() {
    let base = SHORT.replace("[n:21050]", "[n:21050], monitors: [m, tcp]") + "monitors: { m: { type: impala } }\n";
    let changed = |from: &str, to: &str| {
        let (old, new) = (accepted(&base).model, accepted(&base.replace(from, to)).model);
        config::diff(&old, &new).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(changed("[m, tcp]", "{ min: 1, of: [m, tcp] }"), ["~ pool p: monitors [m; tcp] -> min 1 of [m; tcp]"]);
    let threads = changed("type: impala", "type: impala, service-threads: 32, time-until-up: 9s");
    assert_eq!(threads, ["~ monitor m: time-until-up 0s -> 9s", "~ monitor m: service-threads 64 -> 32"]);
    let tls = changed("type: impala", "type: impala, ssl: true, server-ssl: serverssl");
    assert_eq!(tls, ["~ monitor m: ssl auto -> true", "~ monitor m: server-ssl none -> serverssl",]);
    let secret = changed("type: impala", "type: impala, user: u, password-env: P");
    assert_eq!(secret, ["~ monitor m: user none -> u, password in $P"]);
}
