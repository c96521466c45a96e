//! Live ports.

use pronk::lint::{Finding, PortFailure, Use, port_failure};

use crate::corpus::{Case, FRONT, NODE, lint, role};
use crate::support::ca::Authority;

pub static CASES: &[Case] = &[
    Case { check: "port-plaintext", fires: || port(PortFailure::Plaintext, "speaks plain HTTP"), silent: shown },
    Case { check: "port-unreachable", fires: || port(PortFailure::Unreachable, "cannot connect"), silent: shown },
    Case {
        check: "tls-handshake-failed",
        fires: || port(PortFailure::Handshake, "closed the connection"),
        silent: shown,
    },
    Case {
        check: "tls-not-agreed",
        fires: || port(PortFailure::NotAgreed, "speaks TLS, but nothing that pronk offers"),
        silent: shown,
    },
];

fn port(failure: PortFailure, reason: &str) -> Vec<Finding> {
    vec![port_failure(failure, "node1.example.com:21050", reason, "TLS, for clients of lb.example.com")]
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
