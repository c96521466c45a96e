//! Names in certificates.

use pronk::lint::{Finding, Severity, Use};

use crate::corpus::{Case, FRONT, NODE, lint, role};
use crate::support::ca::{Authority, LeafBuilder};

pub static CASES: &[Case] = &[
    Case { check: "san-missing-frontend", fires: || named(NODE, &[NODE]), silent: || named(NODE, &[NODE, FRONT]) },
    Case { check: "san-missing-node", fires: || named(FRONT, &[FRONT]), silent: || named(FRONT, &[FRONT, NODE]) },
    Case { check: "cn-fallback-only", fires: || named(FRONT, &[]), silent: || named(FRONT, &[NODE]) },
    Case { check: "cn-not-frontend", fires: || named(NODE, &[NODE, FRONT]), silent: || named(FRONT, &[NODE, FRONT]) },
    Case { check: "cn-not-in-san", fires: || named(FRONT, &[NODE]), silent: || named(FRONT, &[FRONT]) },
    Case {
        check: "san-wildcard-unusable",
        fires: || named(FRONT, &[FRONT, "l*.example.com"]),
        silent: || named(FRONT, &[FRONT, "*.example.com"]),
    },
    Case {
        check: "san-name-invalid",
        fires: || named(FRONT, &[FRONT, "impala_lb.example.com"]),
        silent: || named(FRONT, &[FRONT, "impala-lb.example.com"]),
    },
    Case {
        check: "san-ip-as-dns",
        fires: || named(FRONT, &[FRONT, "10.0.0.1"]),
        silent: || of(|ca| ca.issue(FRONT).dns(FRONT).ip("10.0.0.1"), Use::Passthrough),
    },
];

fn named(common: &str, dns: &[&str]) -> Vec<Finding> {
    of(|ca| dns.iter().fold(ca.issue(common), |leaf, name| leaf.dns(name)), Use::Passthrough)
}

fn of(build: impl FnOnce(&Authority) -> LeafBuilder<'_>, usage: Use) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    let leaf = build(&ca).build();
    lint(&ca, &leaf.chain, role(usage))
}

#[test]
fn the_node_name_is_an_error_where_pronk_verifies_it() {
    let found = of(|ca| ca.issue(FRONT).dns(FRONT), Use::ReEncrypt);
    let node = found.iter().find(|finding| finding.check.id == "san-missing-node").unwrap();
    assert_eq!(node.severity, Severity::Error);
    assert!(!found.iter().any(|finding| finding.check.id == "cn-not-frontend"), "clients never see it");
}

#[test]
fn the_remedy_keeps_the_names_that_are_there() {
    let found = named(NODE, &[NODE, "alias.example.com"]);
    let missing = found.iter().find(|finding| finding.check.id == "san-missing-frontend").unwrap();
    let expected = "pronk cert csr node1 --common-name lb.example.com --dns lb.example.com --dns node1.example.com --dns alias.example.com";
    assert_eq!(missing.paste[0], expected);
    assert!(missing.paste[1].contains("subjectAltName=DNS:lb.example.com,DNS:node1.example.com,DNS:alias.example.com"));
    assert!(missing.notes.iter().any(|note| note.contains("restart the whole cluster")));
}
