//! `pronk check` of files that are accepted and would not work.

use std::path::Path;

use super::pronk;
use super::support::ca::{Authority, Leaf};

/// A cluster with TLS and an authority of its own, re-encrypted, as it should be. Nothing is said about it.
const GOOD: &str = "
nodes:
  n1: { address: 10.1.1.1, hostname: n1.example.com }
  n2: { address: 10.1.1.2, hostname: n2.example.com }
pools:
  p: { monitors: [impala], load-balancing-mode: least-connections-node, members: [n1:21050, n2:21050] }
profiles:
  front: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] }
  back: { type: server-ssl, ca-file: ca.pem }
virtual-servers:
  vs: { destination: 127.0.0.1:0, hostname: lb.example.com, pool: p, client-ssl: front, server-ssl: back }
";

/// A certificate that all clients take.
fn good(ca: &Authority) -> Leaf {
    ca.issue("lb.example.com").dns("lb.example.com").build()
}

/// What is wrong with the front end's certificate.
type Front = fn(&Authority) -> Leaf;

/// What is wrong, the edits that make it so, the front end's certificate, a part of the message, and of the help.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Front, &'a str, &'a str);

/// Writes the file with its certificates into a folder, with these edits.
fn write(folder: &Path, edits: &[(&str, &str)], front: Front) {
    let ca = Authority::new("cluster ca");
    front(&ca).write(folder, "lb");
    ca.write(folder, "ca.pem");
    ca.write_stale_revocations(folder, "crl.pem");
    let mut text = GOOD.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join("pronk.yaml"), text).unwrap();
}

#[test]
fn a_file_as_it_should_be_has_no_warnings() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[], good);
    for words in [&["check", "pronk.yaml"][..], &["check", "--strict", "pronk.yaml"]] {
        let ran = pronk(folder.path(), words);
        let expected = "pronk.yaml: ok (1 virtual server, 1 pool, 2 nodes)\n";
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), expected, ""));
    }
}

#[test]
fn two_virtual_servers_on_port_0_get_a_port_each() {
    let folder = tempfile::tempdir().unwrap();
    let other = "virtual-servers:\n  other: { destination: 127.0.0.1:0, hostname: lb.example.com, pool: p, \
                 client-ssl: front, server-ssl: back }\n";
    write(folder.path(), &[("virtual-servers:\n", other)], good);
    let ran = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn what_would_not_work_is_told_with_its_line_and_what_to_write() {
    let plain = ("client-ssl: front, server-ssl: back", "client-ssl: front");
    let monitor = |monitors| ("monitors: [impala]", monitors);
    let crl = ("ca-file: ca.pem }", "ca-file: ca.pem, crl-file: crl.pem }");
    let own = ("ca-file: ca.pem }", "ca-file: ca.pem, cert: lb.pem, key: lb.key }");
    let second = |keys: &'static str| ("virtual-servers:\n", keys);
    let table: [Case<'_>; 23] = [
        (
            "a monitor with the system's authorities",
            &[
                monitor("monitors: [m]"),
                ("virtual-servers:\n", "monitors: { m: { type: impala, server-ssl: serverssl } }\nvirtual-servers:\n"),
            ],
            good,
            "monitor `m` verifies members against the authorities of this system",
            "it would find every member down",
        ),
        (
            "no name to check",
            &[("hostname: lb.example.com, ", "")],
            good,
            "note: virtual server `vs` has no hostname, so the names in its certificates are not checked",
            "write the name that clients connect to as `hostname`",
        ),
        (
            "expired",
            &[],
            |ca| ca.issue("lb.example.com").dns("lb.example.com").expired().build(),
            "expired on",
            "pronk.yaml:8:47",
        ),
        (
            "not yet valid",
            &[],
            |ca| ca.issue("lb.example.com").dns("lb.example.com").not_yet_valid().build(),
            "is not valid before",
            "set the clocks right",
        ),
        (
            "for clients only",
            &[],
            |ca| ca.issue("lb.example.com").dns("lb.example.com").client().build(),
            "extended key usage",
            "serverAuth",
        ),
        (
            "misnamed",
            &[],
            |ca| ca.issue("n1.example.com").dns("n1.example.com").build(),
            "does not carry the load balancer's name lb.example.com",
            "issue the certificate anew with the load balancer's name",
        ),
        (
            "a node without a hostname",
            &[(", hostname: n2.example.com", "")],
            good,
            "node `n2` has no hostname, so server-ssl profile `back` looks for 10.1.1.2 in its certificate",
            "write `hostname`",
        ),
        (
            "the system's authorities",
            &[("server-ssl: back", "server-ssl: serverssl")],
            good,
            "verifies members against the authorities of this system",
            "defaults-from: serverssl, ca-file: cluster-ca.pem",
        ),
        ("a list past its date", &[crl], good, "should have been replaced by", "pronk.yaml:9:"),
        (
            "a monitor with TLS where there is none",
            &[plain, monitor("monitors: [tls]")],
            good,
            "monitor `tls` speaks TLS to the members of pool `p`, and virtual server `vs` speaks plaintext",
            "write `monitors: [impala]`",
        ),
        (
            "a monitor of a web page with TLS where there is none",
            &[plain, monitor("monitors: [https]")],
            good,
            "monitor `https` speaks TLS",
            "or `tcp`",
        ),
        (
            "a monitor without TLS where there is some",
            &[monitor("monitors: [http]")],
            good,
            "monitor `http` speaks plaintext to the members of pool `p`, and virtual server `vs` speaks TLS",
            "write `monitors: [impala]`",
        ),
        (
            "two monitors of which one must fail",
            &[(", client-ssl: front, server-ssl: back", ""), monitor("monitors: [http, tls]")],
            good,
            "one of them finds every member down",
            "finds out what they speak",
        ),
        (
            "a pool with TLS and without",
            &[second(
                "virtual-servers:\n  other: { destination: 127.0.0.2:0, hostname: lb.example.com, pool: p, client-ssl: front }\n",
            )],
            good,
            "speaks TLS to the members of pool `p`, and `other` speaks plaintext",
            "a pool for each",
        ),
        (
            "a pool whose members are spoken to in plaintext, and passed through",
            &[plain, second("virtual-servers:\n  other: { destination: 127.0.0.2:0, pool: p }\n")],
            good,
            "pool `p` is used in two modes",
            "write `client-ssl` there as well",
        ),
        (
            "names of which some clients take none",
            &[],
            |ca| ca.issue("n1.example.com").dns("lb.example.com").dns("n1.example.com").build(),
            "lb.example.com: refused by impyla",
            "pronk lint --explain cn-not-frontend",
        ),
        (
            "an expired certificate for members",
            &[own],
            |ca| ca.issue("pronk").dns("lb.example.com").client().expired().build(),
            "the certificate that pronk shows to members expired on",
            "issue the certificate anew",
        ),
        (
            "a certificate for members that is not yet valid",
            &[own],
            |ca| ca.issue("pronk").dns("lb.example.com").client().not_yet_valid().build(),
            "the certificate that pronk shows to members is not valid before",
            "set the clocks right",
        ),
        (
            "a certificate for members that is a server's",
            &[own],
            good,
            "the certificate that pronk shows to members is for servers, not for clients",
            "clientAuth",
        ),
        (
            "a web page of a port that has none",
            &[plain, monitor("monitors: [http]")],
            good,
            "monitor `http` asks n1:21050 in pool `p` for a web page",
            "write `monitors: [impala]`; for the web UI write `alias-port: 25000`",
        ),
        (
            "a web page of a port that has none, over TLS",
            &[monitor("monitors: [https]")],
            good,
            "monitor `https` asks n1:21050 in pool `p` for a web page",
            "write `monitors: [impala]`",
        ),
        (
            "two pools with one port, with TLS and without",
            &[
                ("profiles:\n", "  q: { monitors: [impala], members: [n2:21050] }\nprofiles:\n"),
                second(
                    "virtual-servers:\n  other: { destination: 127.0.0.2:0, hostname: lb.example.com, pool: q, client-ssl: front }\n",
                ),
            ],
            good,
            "`other` speaks plaintext to n2:21050 in pool `q`, and `vs` speaks TLS to it in pool `p`",
            "write server-ssl in both virtual servers, or in neither",
        ),
        (
            "no verification",
            &[("server-ssl: back", "server-ssl: serverssl-insecure-compatible")],
            good,
            "verifies nothing",
            "the ca-file of the cluster",
        ),
    ];
    for (what, edits, front, message, help) in table {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), edits, front);
        let ran = pronk(folder.path(), &["check", "pronk.yaml"]);
        assert_eq!(ran.code, Some(0), "{what}: {}", ran.err);
        let one_line = ran.err.replace('\n', " ");
        assert!(one_line.contains(message) && one_line.contains(help), "{what}: {}", ran.err);
        assert!(ran.err.contains(" --> pronk.yaml:"), "{what}: {}", ran.err);
        let is_warning = ran.err.contains("warning: ");
        assert_eq!(ran.out.contains("ok, with"), is_warning, "{what}: {}", ran.out);
        let strict = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
        assert_eq!(strict.code, Some(if is_warning { 1 } else { 0 }), "{what}");
    }
}

#[test]
fn whoever_says_that_a_public_authority_issued_the_certificates_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("ca-file: ca.pem", "ca-file: system")], good);
    let ran = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}
