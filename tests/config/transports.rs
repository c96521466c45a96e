//! Plaintext or TLS toward members: what virtual servers speak, and what a monitor of type impala makes of it.

use std::sync::Arc;

use pronk::model::profile::ServerSsl;
use pronk::model::{Model, Transport};

use super::{accepted, said};

/// A file whose pool `p` has these virtual servers, by their further keys, and a monitor `m` with these keys.
fn file(virtual_servers: &[&str], monitor: &str) -> String {
    let mut text = format!(
        "nodes: {{ n: {{ address: 10.1.1.1, hostname: n.example.com }} }}
pools: {{ p: {{ members: [n:21050], monitors: m }} }}
monitors: {{ m: {{ type: impala, {monitor} }} }}
profiles:
  front: {{ type: client-ssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  back: {{ type: server-ssl, ca-file: ca.pem }}
  other: {{ type: server-ssl, ca-file: other.pem }}
virtual-servers:
"
    );
    for (index, keys) in virtual_servers.iter().enumerate() {
        text += &format!("  vs{index}: {{ destination: '10.0.0.1:{}', pool: p{keys} }}\n", 21050 + index);
    }
    text + if virtual_servers.is_empty() { "  {}\n" } else { "" }
}

/// What probes of the pool's members speak, in words.
fn spoken(model: &Model) -> String {
    let pool = &model.pools["p"];
    let names =
        |profiles: Vec<Arc<ServerSsl>>| profiles.iter().map(|it| it.name.to_string()).collect::<Vec<_>>().join(" and ");
    match model.pool_uses()[&pool.name].probed_by(&pool.monitors.all[0]) {
        Transport::Plaintext => "plaintext".to_owned(),
        Transport::Tls(profiles) => format!("TLS: {}", names(profiles)),
        Transport::Either(profiles) => format!("either: {}", names(profiles)),
    }
}

const PASSTHROUGH: &str = "";
const L4: &str = ", type: performance-l4";
const OFFLOAD: &str = ", client-ssl: front";
const RE_ENCRYPT: &str = ", client-ssl: front, server-ssl: back";
const OTHER: &str = ", client-ssl: front, server-ssl: other";
const SERVER_ONLY: &str = ", server-ssl: back";
const OFFLINE: &str = ", server-ssl: back, state: forced-offline";
const DISABLED: &str = ", server-ssl: back, state: disabled";
const UNVERIFIED: &str = "serverssl-insecure-compatible";

#[test]
fn probes_speak_what_connections_speak() {
    let found_out = format!("either: {UNVERIFIED}");
    let table: [(&[&str], &str); 14] = [
        (&[], &found_out),
        (&[PASSTHROUGH], &found_out),
        (&[L4], &found_out),
        (&[OFFLOAD], "plaintext"),
        (&[RE_ENCRYPT], "TLS: back"),
        (&[SERVER_ONLY], "TLS: back"),
        (&[RE_ENCRYPT, RE_ENCRYPT, OTHER], "TLS: back and other"),
        (&[PASSTHROUGH, RE_ENCRYPT], "TLS: back"),
        (&[PASSTHROUGH, OFFLOAD], "plaintext"),
        (&[OFFLOAD, RE_ENCRYPT], "either: back"),
        (&[OFFLINE], &found_out),
        (&[OFFLOAD, OFFLINE], "plaintext"),
        (&[DISABLED], "TLS: back"),
        (&[OFFLOAD, SERVER_ONLY, OTHER], "either: back and other"),
    ];
    for (virtual_servers, expected) in table {
        for auto in ["", "ssl: auto"] {
            assert_eq!(spoken(&accepted(&file(virtual_servers, auto)).model), expected, "{virtual_servers:?}");
        }
    }
}

#[test]
fn monitor_may_know_better() {
    let unverified = format!("TLS: {UNVERIFIED}");
    let table: [(&str, &str, &str); 9] = [
        (PASSTHROUGH, "ssl: false", "plaintext"),
        (PASSTHROUGH, "ssl: true", &unverified),
        (PASSTHROUGH, "server-ssl: other", "TLS: other"),
        (OFFLOAD, "ssl: true", &unverified),
        (RE_ENCRYPT, "ssl: false", "plaintext"),
        (RE_ENCRYPT, "ssl: true", "TLS: back"),
        (RE_ENCRYPT, "ssl: true, server-ssl: other", "TLS: other"),
        (RE_ENCRYPT, "ssl: auto, server-ssl: other", "TLS: other"),
        (RE_ENCRYPT, "server-ssl: none", "TLS: back"),
    ];
    for (virtual_server, monitor, expected) in table {
        assert_eq!(spoken(&accepted(&file(&[virtual_server], monitor)).model), expected, "{virtual_server} {monitor}");
    }
}

#[test]
fn what_cannot_work_is_told() {
    let both = |vs| {
        format!(
            "9:62 warning: virtual server `{vs}` speaks TLS to the members of pool `p`, and `vs1` speaks plaintext: they \
             serve only one of the two"
        )
    };
    let monitor = |probes, vs, speaks| {
        format!(
            "2:45 warning: monitor `m` speaks {probes} to the members of pool `p`, and virtual server `{vs}` speaks \
             {speaks}"
        )
    };
    let two_modes =
        "9:47 note: pool `p` is used in two modes: `vs1` speaks plaintext to its members, so `vs0` is plain, and \
                     clients with TLS cannot use it"
            .to_owned();
    let table: [(&[&str], &str, Vec<String>); 10] = [
        (&[SERVER_ONLY, OFFLOAD], "", vec![both("vs0")]),
        (&[SERVER_ONLY, OFFLOAD], "ssl: true", vec![both("vs0")]),
        (&[OFFLINE, OFFLOAD], "", vec![]),
        (&[PASSTHROUGH, RE_ENCRYPT, OTHER], "", vec![]),
        (&[PASSTHROUGH, OFFLOAD], "", vec![two_modes.clone()]),
        (&[RE_ENCRYPT], "ssl: false", vec![monitor("plaintext", "vs0", "TLS")]),
        (&[PASSTHROUGH, OFFLOAD], "ssl: true", vec![monitor("TLS", "vs1", "plaintext"), two_modes]),
        (&[OFFLOAD], "server-ssl: back", vec![monitor("TLS", "vs0", "plaintext")]),
        (&[OFFLOAD], "server-ssl: back, alias-port: 21051", vec![]),
        (
            &[PASSTHROUGH],
            "ssl: false, server-ssl: back",
            vec!["3:37 error: `server-ssl` has no effect with `ssl: false`".to_owned()],
        ),
    ];
    for (virtual_servers, monitor, expected) in table {
        assert_eq!(said(&file(virtual_servers, monitor)), expected, "{virtual_servers:?} {monitor}");
    }
}
