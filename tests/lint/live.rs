//! Live ports.

use pronk::lint::clients::Client;
use pronk::lint::{Finding, PortFailure, Severity, Use, not_agreed, port_failure};

use crate::corpus::{Case, FRONT, NODE, lint, role};
use crate::support::ca::Authority;

pub static CASES: &[Case] = &[
    Case { check: "port-plaintext", fires: || port(PortFailure::Plaintext, "speaks plain HTTP"), silent: shown },
    Case { check: "port-unreachable", fires: || port(PortFailure::Unreachable, "cannot connect"), silent: shown },
    Case { check: "tls-handshake-failed", fires: || port(PortFailure::Silent, "closed the connection"), silent: shown },
    Case {
        check: "tls-not-agreed",
        fires: || vec![not_agreed_with(&[Client::OpenSsl], Use::Passthrough)],
        silent: shown,
    },
];

fn port(failure: PortFailure, reason: &str) -> Vec<Finding> {
    vec![port_failure(failure, "node1.example.com:21050", reason, "TLS, for clients of lb.example.com")]
}

fn not_agreed_with(speaking: &[Client], usage: Use) -> Finding {
    not_agreed("node1.example.com:21050", "speaks TLS, but nothing that pronk offers", "TLS", speaking, &[usage])
}

fn shown() -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    lint(&ca, &ca.issue(FRONT).dns(FRONT).dns(NODE).build().chain, role(Use::Passthrough))
}

#[test]
fn a_port_without_a_certificate_is_told_by_its_address() {
    let found = port(PortFailure::Plaintext, "speaks plain HTTP");
    assert_eq!(found[0].origin.to_string(), "node1.example.com:21050");
    assert!(found[0].certificate.is_none());
}

#[test]
fn port_that_pronk_does_not_agree_with_is_as_grave_as_what_it_agrees_with_otherwise() {
    let openssl = [Client::OpenSsl, Client::Shell4];
    let table: [(&[Client], Use, Severity, &str); 5] = [
        (&[], Use::Passthrough, Severity::Error, "every client refuses it"),
        (&openssl, Use::Passthrough, Severity::Warning, "the others take it"),
        (&openssl, Use::Server, Severity::Warning, "rustls"),
        (&openssl, Use::ReEncrypt, Severity::Error, "pronk refuses the member"),
        (&[], Use::ReEncrypt, Severity::Error, "pronk refuses the member"),
    ];
    for (speaking, usage, severity, words) in table {
        let found = not_agreed_with(speaking, usage);
        assert_eq!(found.severity, severity, "{speaking:?} {usage:?}");
        assert!(found.clients.contains(words), "{}", found.clients);
    }
}
