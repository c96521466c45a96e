//! `pronk lint` against live ports, and by what a configuration file names.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use crate::lb::free_port;
use crate::support::ca::Authority;
use crate::tls::{FRONT, answering_member, silent_member, tls_member};

const NODE: &str = "node1.example.com";

/// The exit code, a line for each finding, and what was said besides.
fn lint(args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    let Output { status, stdout, stderr } = command.args(["lint", "--format", "json"]).args(args).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().map(|finding| {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        format!("{}[{}]: {}: {}\n", text("severity"), text("check"), text("source"), text("message"))
    });
    (status.code(), findings.collect::<String>() + &String::from_utf8(stderr).unwrap())
}

fn lint_config(folder: &Path, text: &str) -> (Option<i32>, String) {
    let file = folder.join("pronk.yaml");
    std::fs::write(&file, text).unwrap();
    lint(&["--config", file.to_str().unwrap()])
}

#[test]
fn live_ports_are_linted_or_say_why_not() {
    let ca = Authority::new("ca");
    let tls = tls_member(&ca.issue(NODE).dns(NODE).build()).to_string();
    let silent = silent_member().to_string();
    let http = answering_member(b"HTTP/1.1 400 Bad Request\r\n\r\n").to_string();
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port())).to_string();
    let addresses = [&tls, &silent, &closed, &http];
    let args: Vec<_> = addresses.iter().flat_map(|address| ["--connect", address.as_str()]).collect();
    let (code, said) = lint(&[&["--hostname", FRONT], args.as_slice()].concat());
    assert_eq!(code, Some(1), "{said}");
    for (id, address, words) in [
        ("san-missing-frontend", &tls, "does not carry the load balancer's name lb.example.com"),
        ("tls-handshake-failed", &silent, "accepted the connection and did not answer a TLS hello"),
        ("port-unreachable", &closed, "cannot connect: connection refused"),
        ("port-plaintext", &http, "speaks plain HTTP"),
    ] {
        let told = |line: &&str| line.contains(id) && line.contains(address.as_str()) && line.contains(words);
        assert!(said.lines().any(|line| told(&line)), "{id} about {address}: {said}");
    }
}

#[test]
fn live_port_with_every_name_is_clean() {
    let ca = Authority::new("ca");
    let address = tls_member(&ca.issue(FRONT).dns(FRONT).build()).to_string();
    let (_, said) = lint(&["--hostname", FRONT, "--connect", &address]);
    assert!(!said.contains("san-") && !said.contains("cn-") && !said.contains("port-"), "{said}");
}

#[test]
fn passthrough_members_must_carry_the_front_ends_name() {
    let ca = Authority::new("ca");
    let good = tls_member(&ca.issue(FRONT).dns(FRONT).dns(NODE).build());
    let bad = tls_member(&ca.issue(NODE).dns(NODE).build());
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = lint_config(
        folder.path(),
        &format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
pools: {{ p: {{ members: ['a:{}', 'a:{}'] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:1', hostname: {FRONT}, pool: p }}
  also: {{ destination: '127.0.0.1:2', hostname: {FRONT}, pool: p }}
",
            good.port(),
            bad.port()
        ),
    );
    assert_eq!(code, Some(1), "{said}");
    let told: Vec<_> = said.lines().filter(|line| line.contains("san-missing-frontend")).collect();
    assert_eq!(told.len(), 1, "once though two virtual servers use it: {said}");
    assert!(told[0].contains(&format!("a:{}", bad.port())), "{said}");
    assert!(!said.contains("san-missing-node"), "{said}");
}

#[test]
fn offload_is_judged_by_the_profiles_certificates() {
    let ca = Authority::new("ca");
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:1'] }} }}
profiles: {{ f: {{ type: client-ssl, cert-key-chain: [{{ store: one }}, {{ cert: two.pem, key: two.key }}] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', hostname: {FRONT}, pool: p, client-ssl: f }} }}
"
    );
    ca.issue("other.example.com")
        .dns("other.example.com")
        .build()
        .write_store_entry(&folder.path().join("certs"), "one");
    ca.issue("spare.example.com").dns("impala_lb").build().write_store_entry(&folder.path().join("certs"), "spare");
    ca.issue("two.example.com").dns("two.example.com").build().write(folder.path(), "two");
    let (code, said) = lint_config(folder.path(), &config);
    let missing = |said: &str| said.lines().filter(|line| line.contains("san-missing-frontend")).count();
    assert_eq!((code, missing(&said)), (Some(1), 1), "only the default one is blamed: {said}");
    assert!(said.contains("one/cert.pem") && said.contains("spare/cert.pem"), "{said}");
    assert!(!said.contains("port-"), "members of offload are not asked for TLS: {said}");

    ca.issue(FRONT).dns(FRONT).build().write(folder.path(), "two");
    let (_, said) = lint_config(folder.path(), &config);
    assert_eq!(missing(&said), 0, "SNI chooses the one that carries it: {said}");
}

#[test]
fn re_encrypt_members_must_carry_the_name_that_is_verified() {
    let ca = Authority::new("ca");
    let folder = tempfile::tempdir().unwrap();
    ca.write(folder.path(), "ca.pem");
    ca.issue(FRONT).dns(FRONT).build().write(folder.path(), "lb");
    let config = |member: SocketAddr| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles:
  f: {{ type: client-ssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  b: {{ type: server-ssl, ca-file: ca.pem }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', hostname: {FRONT}, pool: p, client-ssl: f, server-ssl: b }} }}
",
            member.port()
        )
    };
    let (code, said) = lint_config(folder.path(), &config(tls_member(&ca.issue(FRONT).dns(FRONT).build())));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.lines().any(|line| line.starts_with("error[san-missing-node]")), "{said}");
    let (_, said) = lint_config(folder.path(), &config(tls_member(&ca.issue(NODE).dns(NODE).build())));
    assert!(!said.contains("san-missing"), "{said}");
    let (code, said) = lint_config(folder.path(), &config(silent_member()));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error[tls-handshake-failed]"), "{said}");
}

#[test]
fn virtual_server_without_a_hostname_is_told() {
    let ca = Authority::new("ca");
    let member = tls_member(&ca.issue(NODE).dns(NODE).build());
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = lint_config(
        folder.path(),
        &format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:1', pool: p }} }}
",
            member.port()
        ),
    );
    assert!(said.contains("note: virtual server `vs` has no hostname"), "{said}");
    assert!(said.contains("pronk.yaml:3:"), "with its place: {said}");
    assert!(!said.contains("san-missing"), "{said}");
}
