//! What F5 administrators, and those of HAProxy and nginx, write on their first day, and the help that each gets.

use std::path::Path;

use pronk::config;

/// A file that is as short as can be, with a place for keys of each section.
fn file(place: &str, written: &str) -> String {
    let at = |wanted: &str, before: &str| if place == wanted { format!("{before}{written}") } else { String::new() };
    format!(
        "nodes: {{ n: {{ address: 10.1.1.1{} }} }}
pools: {{ p: {{ members: [{{ member: 'n:21050'{} }}]{} }} }}
monitors: {{ m: {{ type: http{} }}, i: {{ type: impala{} }}, t: {{ type: tcp{} }} }}
profiles:
  front: {{ type: client-ssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}]{} }}
  back: {{ type: server-ssl, ca-file: ca.pem{} }}
  slow: {{ type: tcp{} }}
  other: {{ {} }}
  sticky: {{ type: source-addr{} }}
virtual-servers: {{ vs: {{ destination: '10.0.0.1:21050', pool: p{} }} }}
{}
",
        at("node", ", "),
        at("member", ", "),
        at("pool", ", "),
        at("monitor", ", "),
        at("impala monitor", ", "),
        at("tcp monitor", ", "),
        at("client-ssl", ", "),
        at("server-ssl", ", "),
        at("tcp", ", "),
        if place == "profile" { written.to_owned() } else { "type: hash".to_owned() },
        at("source-addr", ", "),
        at("virtual server", ", "),
        at("file", ""),
    )
}

/// Returns what is said of a file, on one line.
fn said(text: &str) -> String {
    let wrong = config::parse("pronk.yaml", text, Path::new("/etc/pronk")).unwrap_err();
    wrong.render(false).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn helps(table: &[(&str, &str, &str)]) {
    for (place, written, help) in table {
        let said = said(&file(place, written));
        assert!(said.contains(help), "{place}: {written}: {said}");
        assert_eq!(said.matches("error: ").count(), 1, "{place}: {written}: {said}");
    }
}

/// Labels of the pages of BIG-IP, as they stand there.
#[test]
fn words_of_f5s_pages_are_answered_with_what_to_write() {
    helps(&[
        ("virtual server", "type: Performance (Layer 4)", "write `performance-l4`"),
        ("virtual server", "type: Standard", "did you mean `standard`?"),
        ("virtual server", "Default Pool: p", "write `pool: p`"),
        ("virtual server", "Default Persistence Profile: source_addr", "write `persistence: source_addr`"),
        ("virtual server", "Fallback Persistence Profile: hash", "write `fallback-persistence`"),
        ("virtual server", "Destination Address/Mask: 10.0.0.1", "write `destination: \"address:port\"`"),
        ("virtual server", "Service Port: 21050", "write `destination: \"address:port\"`"),
        ("virtual server", "SSL Profile (Client): front", "write `client-ssl: front`"),
        ("virtual server", "SSL Profile (Server): back", "write `server-ssl: back`"),
        ("virtual server", "Protocol Profile (Client): tcp", "write `protocol: tcp`"),
        ("virtual server", "Source Address Translation: Auto Map", "did you mean `source-address-translation`?"),
        ("virtual server", "source-address-translation: Auto Map", "write `automap`"),
        ("virtual server", "persistence: Source Address Affinity", "write `source_addr`"),
        ("pool", "Health Monitors: tcp", "write `monitors: [impala]`"),
        ("pool", "Load Balancing Method: Round Robin", "write `load-balancing-mode`"),
        ("pool", "load-balancing-mode: Least Connections (node)", "did you mean `least-connections-node`?"),
        ("pool", "Action On Service Down: Reject", "write `service-down-action`"),
        ("pool", "Priority Group Activation: Disabled", "write `min-active-members`"),
        ("client-ssl", "Parent Profile: clientssl", "write `defaults-from: clientssl`"),
        ("client-ssl", "Certificate Key Chain: lb", "write `cert-key-chain: [{ cert: lb.pem, key: lb.key }]`"),
        ("server-ssl", "Trusted Certificate Authorities: ca", "write `ca-file`"),
        ("tcp", "Idle Timeout: 3600", "did you mean `idle-timeout`?"),
        ("source-addr", "Prefix Length: 32", "write `mask: 255.255.255.0`"),
        ("monitor", "Send String: GET /", "write `send`"),
        ("monitor", "Alias Service Port: 25000", "write `alias-address` and `alias-port`"),
    ]);
}

/// Keys of tmsh and of the API, and what is carried over from the guide without a second look.
#[test]
fn first_mistakes_of_an_f5_administrator_are_answered_with_what_to_write() {
    helps(&[
        ("virtual server", "default-pool: p", "write `pool: p`"),
        ("virtual server", "default-persistence-profile: source_addr", "write `persistence: source_addr`"),
        ("virtual server", "destination-address: 10.0.0.1", "such as `\"*:21050\"`"),
        ("virtual server", "service-port: 21050", "such as `\"*:21050\"`"),
        ("virtual server", "ssl-profile-client: front", "write `client-ssl: front`, a profile of type client-ssl"),
        ("virtual server", "protocol-profile: tcp", "a profile of type tcp or fastL4"),
        ("virtual server", "profiles: [tcp, clientssl]", "a profile's name each"),
        ("virtual server", "persist: [source_addr]", "write `persistence: source_addr`"),
        ("virtual server", "rules: [redirect]", "iRules are not offered"),
        ("virtual server", "vlans-enabled: true", "bind to an address of the network"),
        ("virtual server", "translate-address: enabled", "it is always on"),
        ("virtual server", "source-address-translation: none", "Leave this out, or write automap"),
        ("virtual server", "type: performance-l4, protocol: tcp", "write `protocol: fastL4`, or `type: standard`"),
        ("virtual server", "type: performance-l4, protocol: slow", "write `type: fastL4` in profile `slow`"),
        ("virtual server", "persistence: /Common/source_addr", "there are no partitions: write `source_addr`"),
        ("pool", "health-monitors: [tcp]", "write `monitors: [impala]`"),
        ("pool", "monitor: tcp", "write `monitors: [impala]`"),
        ("pool", "monitors: [/Common/tcp]", "write `tcp`"),
        ("pool", "load-balancing-mode: least-connections", "write `least-connections-node`"),
        ("client-ssl", "parent: clientssl", "write `defaults-from: clientssl`"),
        ("client-ssl", "certificate: lb.pem", "write `cert-key-chain: [{ cert: lb.pem, key: lb.key }]`"),
        ("client-ssl", "ciphers: DEFAULT", "write a `cipher-group`"),
        ("server-ssl", "passphrase: secret", "write `passphrase-file` or `passphrase-env`"),
        ("node", "fqdn: n.example.com", "write `address`"),
        ("node", "monitor: icmp", "write `monitors` in the pool"),
        ("file", "ltm: {}", "leave `ltm` out"),
    ]);
    let members =
        file("", "").replace("members: [{ member: 'n:21050' }]", "members: { n:21050: { address: 10.1.1.1 } }");
    assert!(said(&members).contains("write `members: [n:21050]`"), "{}", said(&members));
}

#[test]
fn words_of_haproxy_and_nginx_are_answered_with_what_to_write() {
    helps(&[
        ("file", "frontend: {}", "write `virtual-servers"),
        ("file", "backend: {}", "write `pools`"),
        ("file", "upstream: {}", "write `pools`"),
        ("virtual server", "default_backend: p", "write `pool: p`"),
        ("virtual server", "bind: '*:21050'", "write `destination"),
        ("virtual server", "proxy_pass: p", "write `pool: p`"),
        ("virtual server", "maxconn: 100", "write `connection-limit`"),
        ("virtual server", "ssl_certificate: lb.pem", "write `client-ssl: NAME`"),
        ("pool", "balance: leastconn", "write `load-balancing-mode`"),
        ("pool", "load-balancing-mode: leastconn", "write `least-connections-node`"),
        ("pool", "load-balancing-mode: ip_hash", "write `persistence: hash` in the virtual server"),
        ("tcp", "proxy_timeout: 1h", "write `idle-timeout`"),
    ]);
}

/// What was written is put into the help only where it can be a name.
#[test]
fn values_are_not_taken_for_names() {
    let long =
        "write it in a profile: `profiles: { long: { type: tcp, idle-timeout: 1h } }`, and here `protocol: long`";
    helps(&[
        ("virtual server", "idle-timeout: 3600", long),
        ("virtual server", "timeout client: 1h", long),
        ("virtual server", "proxy_timeout: 1h", long),
        ("virtual server", "ssl: true", "write `client-ssl: NAME`"),
        ("virtual server", "ssl: on", "write `client-ssl: NAME`"),
    ]);
}

#[test]
fn what_is_named_exists_where_it_is_written() {
    let only_connects = "write `type: http` or `https`, which have `send` and `recv`";
    let profile = "HTTP is not read: leave the profile out";
    let named = "the name is the key under which it stands";
    let failures = "write `monitors` in the pool";
    let versions = "write `minimum-version` and `maximum-version`";
    helps(&[
        ("tcp monitor", "send: GET /", only_connects),
        ("tcp monitor", "Receive String: ok", only_connects),
        ("impala monitor", "Send String: GET /", "with nothing to set: leave it out"),
        ("impala monitor", "port: 25000", "write `alias-port`"),
        ("monitor", "port: 25000", "write `alias-port`"),
        ("monitor", "receive: ok", "write `recv`"),
        ("profile", "type: http", profile),
        ("profile", "type: fasthttp", profile),
        ("virtual server", "type: fasthttp", "write `standard`"),
        ("profile", "Persistence Type: Source Address Affinity", "write `type: source-addr`"),
        ("source-addr", "Persistence Type: Source Address Affinity", "write `type: source-addr`"),
        ("virtual server", "Name: vs", named),
        ("pool", "Name: p", named),
        ("node", "Name: n", named),
        ("node", "disabled: true", "write `state: disabled`"),
        ("member", "disabled: true", "write `state: disabled`"),
        ("pool", "slow_start: 30s", "write `slow-ramp-time`"),
        ("member", "slow_start: 30s", "write `slow-ramp-time` in the pool"),
        ("member", "max_fails: 3", failures),
        ("node", "max_fails: 3", failures),
        ("virtual server", "OneConnect Profile: oneconnect", "HTTP is not read: leave it out"),
        ("virtual server", "virtual-address: 10.0.0.1", "write `destination"),
        ("client-ssl", "min-version: TLSv1.2", "write `minimum-version`"),
        ("server-ssl", "Options List: no-tlsv1.1", versions),
        ("client-ssl", "no-tlsv1.1: true", versions),
        ("server-ssl", "ca-bundle: ca.pem", "write `ca-file`"),
        ("server-ssl", "proxy_ssl_verify: on", "write `peer-cert-mode`"),
        ("client-ssl", "crl: crl.pem", "write `crl-file`"),
    ]);
}

#[test]
fn file_of_another_load_balancer_is_recognised() {
    for (text, help) in [
        (
            "ltm pool p {\n    members {\n        n:21050 { address 10.1.1.1 }\n    }\n}\n",
            "this is a BIG-IP configuration",
        ),
        ("global\n    maxconn 100\nfrontend f\n    bind :21050\n", "this is an HAProxy configuration"),
        ("stream {\n    upstream impala { server 10.1.1.1:21050; }\n}\n", "this is an nginx configuration"),
    ] {
        assert!(said(text).contains(help), "{}", said(text));
    }
}
