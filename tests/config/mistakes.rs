use proptest::prelude::*;

use super::{GUIDE, SHORT, parse, said};

/// One of nearly every mistake there is.
const MISTAKES: &str = include_str!("../fixtures/mistakes.yaml");

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    insta::assert_snapshot!(said(MISTAKES).join("\n"), @r#"
    2:38 error: `hostname` must be a host name, found `10.1.1.1`
    3:3 error: a node needs `address`
    3:9 error: unknown key `adress` in a node
    4:18 note: node `n3` is given by name
    4:47 error: `state` must be one of enabled, disabled, forced-offline, found `yes`
    5:18 error: `address` must be an IP address or a host name, found `10.1.1`
    5:36 error: `hostname` must be a host name, found `im_pala`
    6:3 error: `n1` is given twice
    7:3 error: `bad name` cannot be a name
    8:7 error: a node is a map, found `10.1.1.5`
    9:18 error: `address` must be an IP address or a host name, found the number 1.10
    12:26 error: load-balancing-mode `fastest-node` is not offered
    13:16 error: there is no monitor `tpc`
    14:5 error: unknown key `min-up-members-checking` in a pool
    15:25 error: member `n1:21050` is listed twice in pool `p`
    15:35 error: there is no node `n9`
    15:45 error: a member names a node, and no node is called `10.1.1.1`
    15:61 error: a member is `node:port`, found `n1`
    15:65 error: `n1:0` does not end in a port from 1 to 65535
    15:94 error: `ratio` must be a number from 1 to 65535, found the number 0
    15:115 error: `connection-limit` must be a number from 0 to 4294967295, found `lots`
    15:128 error: `state` must be one of enabled, disabled, forced-offline, found `off`
    16:3 warning: pool `empty` has no members, so nothing can be served
    18:14 error: `type` must be one of tcp, tls, tcp-half-open, http, https, impala, inband, gateway, gateway-icmp, found `htp`
    18:43 warning: monitor `m` gives up before its second probe
    19:44 warning: monitor `m2` gives up before its second probe
    21:41 error: defaults-from goes in a circle: a -> b -> c -> a
    21:61 error: minimum-version is above maximum-version
    24:34 error: profile `d` is tcp, its parent `fastL4` is fastL4
    24:56 error: `idle-timeout` must be a duration from 1ms to 365d, or indefinite, found `an hour`
    24:65 error: unknown key `ca-file` in a tcp profile
    25:69 error: minimum-version `tls1.0` is not offered
    25:77 error: unknown key `ciphers` in a client-ssl profile
    25:118 error: `store` is given together with `cert`, `key` or `chain`
    25:162 error: unknown key `keyy` in a certificate
    25:173 error: a certificate is a map, found `nonsense`
    26:14 error: `type` must be one of client-ssl, server-ssl, tcp, fastL4, source-addr, hash, found `fast`
    27:33 error: `mask` must be a mask such as 255.255.255.0 or /24, found `255.0.255.0`
    28:43 error: minimum-version is above maximum-version
    28:124 error: a second certificate is marked `sni-default`
    29:3 error: no certificate is named
    30:3 error: no certificate is named
    30:42 error: `passphrase-env` must be the name of an environment variable, found `A B`
    32:58 error: profile `serverssl` is server-ssl, not client-ssl
    32:58 error: virtual server `v1` is performance-l4, which takes no SSL profile
    33:22 error: virtual server `v2` cannot listen on 10.1.1.1:21050: `v1` listens on 0.0.0.0:21050
    33:44 error: there is no pool `pp`
    33:58 error: `hostname` must be a host name, found `10.0.0.1`
    33:81 error: there is no profile `source-addr`
    34:3 error: a virtual server needs `pool`
    34:22 error: `destination` must be `address:port`, found `10.1.1.1`
    34:39 error: `state` must be one of enabled, disabled, forced-offline, found `yes`
    34:53 error: `10.0.0.0/33` is not a network such as 10.0.0.0/8
    34:95 error: source-address-translation `none` is not offered
    35:48 error: `dial` must be one of first-byte, accept, found `later`
    35:65 error: profile `clientssl` is client-ssl, not tcp or fastL4
    35:88 warning: `serverssl-insecure-compatible` verifies nothing: anyone on the network can pose as a member of `v4`
    35:119 error: unknown key `rules` in a virtual server
    36:7 error: a virtual server is a map, found a list
    37:1 error: unknown key `virtual-server` in a configuration file
    "#);
}

/// As when a type or a parent is misspelt: everything else that is wrong is told all the same.
#[test]
fn mistakes_are_told_where_the_type_or_the_parent_is_unknown() {
    for begin in ["", "type: fsatL4, ", "defaults-from: nobody, "] {
        let text = format!(
            "profiles: {{ it: {{ {begin}idle-timeout: soon, idle-tmeout: 3, nodelay: yes }} }}\nvirtual-servers: {{}}\n"
        );
        let told = said(&text).join("\n");
        for wanted in
            ["`idle-timeout` must be a duration", "unknown key `idle-tmeout`", "`nodelay` must be true or false"]
        {
            assert!(told.contains(wanted), "{begin}: {told}");
        }
        assert_eq!(told.matches("error").count(), 4, "{told}");
    }
    let told = said("monitors: { it: { type: impla, web-port: many, sasl: maybe } }\nvirtual-servers: {}\n").join("\n");
    assert!(told.contains("`web-port` must be") && told.contains("`sasl` must be"), "{told}");
}

#[test]
fn same_address_and_port_cannot_be_listened_on_twice() {
    let collide = |one: &str, other: &str| {
        let more = format!("pool: p }}, second: {{ destination: '{other}', pool: p }} }}");
        let text = SHORT.replace("'10.0.0.1:21050'", "").replace("10.0.0.1:21050", &format!("'{one}'"));
        match &said(&text.replace("pool: p } }", &more))[..] {
            [] => false,
            [only] => only.contains("cannot listen"),
            more => panic!("{more:?}"),
        }
    };
    for (one, other) in [
        ("10.0.0.1:1", "10.0.0.1:1"),
        ("0.0.0.0:1", "10.0.0.1:1"),
        ("10.0.0.1:1", "0.0.0.0:1"),
        ("*:1", "10.0.0.1:1"),
        ("[::]:1", "[2001:db8::1]:1"),
        ("0.0.0.0:1", "[::]:1"),
    ] {
        assert!(collide(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("10.0.0.1:1", "10.0.0.1:2"),
        ("10.0.0.1:1", "10.0.0.2:1"),
        ("0.0.0.0:1", "[2001:db8::1]:1"),
        ("127.0.0.1:0", "127.0.0.2:0"),
        // Each gets a port of its own.
        ("127.0.0.1:0", "127.0.0.1:0"),
    ] {
        assert!(!collide(one, other), "{one} {other}");
    }
}

#[test]
fn disabled_virtual_server_leaves_its_destination_to_another() {
    let second = "pool: p }, second: { destination: 10.0.0.1:21050, pool: p, state: forced-offline } }";
    assert_eq!(said(&SHORT.replace("pool: p } }", second)), [""; 0]);
}

#[test]
fn every_old_version_is_refused() {
    for version in ["tls1.0", "tls1.1", "ssl3", "tls1", "1.2", "TLSv1.2"] {
        let text = format!("{SHORT}profiles: {{ a: {{ type: server-ssl, minimum-version: {version} }} }}\n");
        assert_eq!(said(&text).len(), 1, "{version}");
    }
}

#[test]
fn keepalive_beyond_what_the_kernel_takes_is_refused() {
    for (interval, good) in [("32767", true), ("disabled", true), ("32768", false), ("500ms", false), ("0", false)] {
        let text = format!("{SHORT}profiles: {{ a: {{ type: tcp, keep-alive-interval: {interval} }} }}\n");
        assert_eq!(parse(&text).is_ok(), good, "{interval}");
    }
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let text = SHORT.replace("pool: p }", r#"pool: "\e[31mq", x: "y" }"#).replace("nodes:", "\tnodes:");
    let shown = format!("{}{}", parse(&text).unwrap_err(), parse(&text.replace('\t', "")).unwrap_err());
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
}

#[test]
fn deep_and_wide_files_are_refused_or_read_without_harm() {
    let deep = format!("nodes: {}1{}\n", "[".repeat(10_000), "]".repeat(10_000));
    assert!(parse(&deep).is_err());
    let bomb = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned()
        + &(b'b'..=b'k').fold(String::new(), |text, c| {
            let (this, previous) = (c as char, (c - 1) as char);
            text + &format!("{this}: &{this} [{}]\n", vec![format!("*{previous}"); 8].join(", "))
        });
    assert!(parse(&bomb).is_err());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        let _ = parse(&text).map_err(|wrong| wrong.render(true));
    }

    #[test]
    fn any_yaml_is_answered(text in "(nodes|pools|a|[:{}\\[\\], \n\"'&*#|>-]|é|10\\.1|\t){0,60}") {
        let _ = parse(&text).map_err(|wrong| wrong.render(true));
    }

    /// What is cut out of a good file or put into it leads to words, not to a panic.
    #[test]
    fn any_damage_is_answered(start in 0..GUIDE.len(), length in 0..40usize, put in "(none|\\{|\\[|: |\n|é|0|yes|~|<<|){0,3}") {
        let mut text = GUIDE.to_owned();
        text.replace_range(start..(start + length).min(GUIDE.len()), &put);
        if let Err(wrong) = parse(&text) {
            prop_assert!(wrong.has_errors());
            prop_assert!(wrong.render(false).contains("error"));
        }
    }
}

#[test]
fn discovery_says_what_it_needs() {
    let file = "nodes: { n: { address: 10.0.0.1, autopopulate: true } }
pools:
  a: { discover: impala, members: [n:21050] }
  b: { discover: impala, monitors: [impala], discover-seeds: ['http://x'], discover-filter: '(' }
  c: { discover: consul, members: [n:1] }
  d: { discover: impala, monitors: [impala] }
";
    let wanted = [
        "1:48 error: node `n` has one address, and autopopulate has nothing to find",
        "3:18 error: discovery needs an impala monitor that asks the web UI",
        "`http://x` is not a node, a host or `host:port`",
        "error: there is no web UI that discovery could ask",
        "`discover-filter` must be a regular expression",
        "`discover` must be `impala`, found `consul`",
    ];
    assert_said(file, &wanted);
}

#[test]
fn methods_say_what_they_need() {
    let file = "nodes: { n: { address: 10.0.0.1 } }
pools:
  a: { load-balancing-mode: weighted-least-connections-member, members: [n:1] }
  b: { load-balancing-mode: weighted-least-connections-node, members: [n:1] }
  c: { load-balancing-mode: least-load, monitors: [tcp], members: [n:1] }
  d: { load-balancing-mode: dynamic-ratio-member, members: [n:1] }
  e: { load-balancing-mode: ratio-session, members: [n:1] }
  f: { load-balancing-mode: least-sessions, members: [n:1] }
virtual-servers:
  v: { destination: 10.9.9.9:1, pool: a, persistence: source_addr, cancel-affinity: true }
  w: { destination: 10.9.9.9:2, pool: a, fallback-persistence: hash }
  x: { destination: 10.9.9.9:3, pool: f, persistence: hash }
";
    let wanted = [
        "weighted-least-connections-member needs a connection-limit, and member `n:1` has none",
        "weighted-least-connections-node needs a connection-limit, and node `n` has none",
        "least-load needs an impala monitor that asks the web UI",
        "dynamic-ratio-member needs an impala monitor that asks the web UI",
        "load-balancing-mode `ratio-session` is not offered",
        "`persistence` and `cancel-affinity` are two answers to one question",
        "warning: virtual server `x` keeps no records, and least-sessions counts them",
        "there is a fallback-persistence and no persistence that it could stand in for",
    ];
    assert_said(file, &wanted);
}

/// That the file is told all of these.
#[track_caller]
fn assert_said(file: &str, wanted: &[&str]) {
    let said = said(file).join("\n");
    for wanted in wanted {
        assert!(said.contains(wanted), "{wanted}:\n{said}");
    }
}

/// What stands in for a wrong value makes no mistakes of its own.
#[test]
fn one_mistake_leads_to_no_other() {
    let told = |more: &str| {
        let errors = said(&(SHORT.to_owned() + more)).into_iter().filter(|told| told.contains("error"));
        errors.collect::<Vec<_>>().join("\n")
    };
    for more in [
        "lint: { some-check: { level: alow } }\n",
        "monitors: { m: { type: impalla, web-port: 3 } }\n",
        "monitors: { m: { type: icmp, transparent: true, send: x } }\n",
        "monitors: { m: { type: http, user: u, password-env: 'A B' } }\n",
        "profiles: { it: { type: tpc, nodelay: true } }\n",
        "profiles: { it: { type: client-ssl, cert-key-chain: [{ cert: [a] }] } }\n",
        "profiles: { it: { type: client-ssl, peer-cert-mode: require, ca-file: [x] } }\n",
        "profiles: { it: { type: client-ssl, alpn: [h2, ~] } }\n",
    ] {
        let told = told(more);
        assert_eq!(told.matches("error").count(), 1, "{more}{told}");
    }
    let alpn = told("profiles: { it: { type: client-ssl, alpn: [h2, ~] } }\n");
    assert!(alpn.contains("found nothing"), "{alpn}");
}
