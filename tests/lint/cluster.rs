//! Servers of a cluster beside each other.

use std::time::Duration;

use pronk::lint::{ClusterView, Finding, Findings, Origin, Role, Subject, Use};
use pronk::model::Host;
use rcgen::{KeyPair, SerialNumber, date_time_ymd};
use rustls_pki_types::CertificateDer;

use crate::corpus::{Case, FRONT, NOW, linter, role, subject};
use crate::support::ca::Authority;

pub static CASES: &[Case] = &[
    Case { check: "duplicate-serial", fires: || numbered(&[7, 7]), silent: || numbered(&[7, 8]) },
    Case {
        check: "shared-key",
        fires: || lint(&same_certificate("node1.pem", "node2.pem")),
        silent: || lint(&cluster(&[&[FRONT], &[FRONT]])),
    },
    Case {
        check: "san-drift",
        fires: || lint(&cluster(&[&[FRONT, OTHER], &[FRONT, OTHER], &[FRONT]])),
        silent: || lint(&cluster(&[&[FRONT, OTHER], &[FRONT], &[FRONT]])),
    },
    Case {
        check: "mixed-issuers",
        fires: || lint(&[cluster(&[&[FRONT]]), cluster_of(&Authority::new("other ca"), &[&[FRONT]])].concat()),
        silent: || lint(&cluster(&[&[FRONT], &[FRONT]])),
    },
    Case { check: "served-differs", fires: || lint(&renewed()), silent: || lint(&served()) },
];

const OTHER: &str = "impala.example.com";

fn lint(subjects: &[Subject]) -> Vec<Finding> {
    linter(&[]).lint(subjects).findings
}

fn of<'a>(findings: &'a [Finding], check: &'a str) -> impl Iterator<Item = &'a Finding> {
    findings.iter().filter(move |finding| finding.check.id == check)
}

fn only<'a>(findings: &'a [Finding], check: &'a str) -> &'a Finding {
    let found: Vec<_> = of(findings, check).collect();
    assert_eq!(found.len(), 1, "{check} in {findings:?}");
    found[0]
}

fn passthrough(node: &str) -> Role {
    Role { node: Some(Host::parse(node).unwrap()), ..role(Use::Passthrough) }
}

/// Servers `node1`, `node2` and so on, with these names beside their own, in files.
fn cluster(names: &[&[&str]]) -> Vec<Subject> {
    cluster_of(&Authority::new("cluster ca"), names)
}

fn cluster_of(ca: &Authority, names: &[&[&str]]) -> Vec<Subject> {
    let server = |(index, names): (usize, &&[&str])| {
        let node = format!("node{}.example.com", index + 1);
        let leaf = names.iter().fold(ca.issue(FRONT).dns(&node), |leaf, name| leaf.dns(name)).build();
        subject(&format!("node{}.pem", index + 1), &leaf.chain, passthrough(&node))
    };
    names.iter().enumerate().map(server).collect()
}

fn numbered(serials: &[u64]) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    let one = |(index, serial): (usize, &u64)| {
        let mut params = ca.issue(FRONT).dns(FRONT).into_params();
        params.serial_number = Some(SerialNumber::from(*serial));
        let certificate = ca.sign(&params, &KeyPair::generate().unwrap());
        subject(&format!("{index}.pem"), &[certificate], role(Use::Server))
    };
    lint(&serials.iter().enumerate().map(one).collect::<Vec<_>>())
}

fn same_certificate(one: &str, other: &str) -> Vec<Subject> {
    let leaf = Authority::new("cluster ca").issue(FRONT).dns(FRONT).build();
    [one, other].map(|name| subject(name, &leaf.chain, role(Use::Passthrough))).to_vec()
}

/// A chain as if shown by a port.
fn live(address: &str, chain: &[CertificateDer<'static>], role: Role) -> Subject {
    let mut located = subject("", chain, role.clone()).chain().to_vec();
    for (index, each) in located.iter_mut().enumerate() {
        each.origin = Origin::Live { address: address.into(), position: index + 1, of: chain.len() };
    }
    Subject::new(located, None, role).unwrap()
}

/// Two nodes' files, and what the first one's port shows: what is in its file.
fn served() -> Vec<Subject> {
    let mut subjects = cluster(&[&[FRONT], &[FRONT]]);
    let shown = vec![subjects[0].leaf().der.clone()];
    subjects.push(live("node1.example.com:21050", &shown, role(Use::Passthrough)));
    subjects
}

/// The same after the first one's file was renewed.
fn renewed() -> Vec<Subject> {
    let mut subjects = served();
    let renewed = cluster(&[&[FRONT]]);
    subjects[0] = renewed.into_iter().next().unwrap();
    subjects
}

#[test]
fn drift_says_who_lacks_what() {
    let found = lint(&cluster(&[&[FRONT, OTHER], &[FRONT, OTHER], &[FRONT], &[FRONT, OTHER]]));
    let drift = only(&found, "san-drift");
    assert_eq!(drift.origin.source(), "node3.pem");
    assert_eq!(drift.message, "the certificate lacks impala.example.com, which 3 of 4 servers carry");
    assert_eq!(drift.observed, "lb.example.com, node3.example.com");
}

#[test]
fn a_wildcard_that_covers_the_name_is_no_drift() {
    let found = lint(&cluster(&[&[FRONT, OTHER], &[FRONT, OTHER], &["*.example.com"]]));
    assert_eq!(of(&found, "san-drift").count(), 0);
}

#[test]
fn a_server_whose_file_and_port_are_both_there_counts_once() {
    let mut subjects = cluster(&[&[FRONT, OTHER], &[FRONT, OTHER], &[FRONT], &[FRONT]]);
    for node in 1..=2 {
        let shown = [subjects[node - 1].leaf().der.clone()];
        subjects.push(live(&format!("node{node}.example.com:21050"), &shown, role(Use::Passthrough)));
    }
    assert_eq!(of(&lint(&subjects), "san-drift").count(), 0, "half of the servers are not most of them");
}

#[test]
fn a_missing_front_end_is_told_once() {
    let found = lint(&cluster(&[&[FRONT], &[FRONT], &[]]));
    assert_eq!((of(&found, "san-missing-frontend").count(), of(&found, "san-drift").count()), (1, 0));
}

#[test]
fn one_key_under_several_certificates_is_worded_as_such() {
    let message = |subjects: &[Subject]| only(&lint(subjects), "shared-key").message.clone();
    let same = same_certificate("node1.pem", "node2.pem");
    assert_eq!(message(&same), "the same certificate is in 2 places");

    let (ca, key) = (Authority::new("cluster ca"), KeyPair::generate().unwrap());
    let server = |name: &str| subject(name, &[ca.sign(&ca.issue(FRONT).into_params(), &key)], role(Use::Passthrough));
    let different = ["a.pem", "b.pem", "c.pem"].map(server);
    assert_eq!(message(&different), "3 different certificates in 3 places have the same key");
}

#[test]
fn a_file_and_the_port_that_shows_it_are_one_place() {
    assert_eq!(of(&lint(&served()), "shared-key").count(), 0);
}

#[test]
fn a_port_is_paired_by_the_nodes_name_by_a_name_of_the_file_or_by_a_wildcard() {
    let ca = Authority::new("cluster ca");
    let unnamed = Role { node: None, ..role(Use::Passthrough) };
    let file = |name: &str| subject("a.pem", &ca.issue(FRONT).dns(FRONT).dns(name).build().chain, unnamed.clone());
    let shown = |address: &str| live(address, &ca.issue(FRONT).dns(FRONT).build().chain, unnamed.clone());
    let differs = |file: Subject, address: &str| of(&lint(&[file, shown(address)]), "served-differs").count();
    assert_eq!(differs(file("NODE9.example.com"), "node9.example.com:21050"), 1);
    assert_eq!(differs(file("*.example.com"), "node9.example.com:21050"), 1);
    assert_eq!(differs(file("node8.example.com"), "node9.example.com:21050"), 0);
    assert_eq!(differs(file("node8.example.com"), "lb.example.com:21050"), 0, "all nodes carry the front end's name");
    let by_address = subject("a.pem", &ca.issue(FRONT).ip("fd00::1").build().chain, unnamed.clone());
    assert_eq!(differs(by_address, "[fd00::1]:21050"), 1);
    // The old file is still there beside the renewed one, and is what the port shows.
    let old = file("node9.example.com");
    let port = live("node9.example.com:21050", &[old.leaf().der.clone()], unnamed.clone());
    assert_eq!(of(&lint(&[old, file("node9.example.com"), port]), "served-differs").count(), 0);
}

#[test]
fn what_to_do_depends_on_which_certificate_is_the_newer() {
    let ca = Authority::new("cluster ca");
    let since = |year| {
        let mut params = ca.issue(FRONT).dns("node1.example.com").into_params();
        params.not_before = date_time_ymd(year, 1, 1);
        [ca.sign(&params, &KeyPair::generate().unwrap())]
    };
    let note = |file, port| {
        let role = passthrough("node1.example.com");
        let subjects = [subject("node1.pem", &since(file), role.clone()), live("10.0.0.1:21050", &since(port), role)];
        only(&lint(&subjects), "served-differs").notes[0].clone()
    };
    assert!(note(2025, 2024).starts_with("restart the impalad"));
    assert!(note(2024, 2025).contains("is this the file that the server reads?"));
}

#[test]
fn every_certificate_with_a_used_serial_number_is_told_whose_it_is() {
    let found = numbered(&[7, 7, 8, 7]);
    let sources: Vec<_> = of(&found, "duplicate-serial").map(|finding| finding.origin.source()).collect();
    assert_eq!(sources.len(), 3);
    assert!(!sources.contains(&"2.pem".to_owned()));
    assert!(of(&found, "duplicate-serial").all(|finding| !finding.message.contains(&finding.origin.source())));
}

#[test]
fn ten_thousand_servers_do_not_make_anybody_wait() {
    let few = cluster(&[&[FRONT, "*.example.com"], &[FRONT, OTHER], &[FRONT, OTHER]]);
    let mut subjects = Vec::new();
    for index in 0..5000 {
        let chain = [few[index % few.len()].leaf().der.clone()];
        let unnamed = Role { node: None, ..role(Use::Passthrough) };
        subjects.push(subject(&format!("{index}.pem"), &chain, unnamed.clone()));
        subjects.push(live(&format!("host{index}.example.com:21050"), &chain, unnamed));
    }
    let before = cpu_time();
    let findings = linter(&[]).lint(&subjects);
    let rows = ClusterView::of(&subjects, &findings, NOW).render().lines().count();
    let took = cpu_time() - before;
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(rows > 5000, "{rows}");
}

/// What this process has used of the processors, whatever else keeps them busy.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The program's name, which may have blanks, is in parentheses; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

#[test]
fn the_table_has_a_row_for_each_server() {
    let mut subjects = renewed();
    let authority = Authority::new("cluster ca");
    let role = Role { usage: Use::Authority, ..Default::default() };
    subjects.push(subject("ca.pem", &[authority.certificate().clone()], role));
    let stranger = Authority::new("other ca").issue("lb2.example.com").dns("lb2.example.com").build();
    subjects.push(subject("lb2.pem", &stranger.chain, passthrough("node9.example.com")));
    let view = ClusterView::of(&subjects, &linter(&[]).lint(&subjects), NOW);
    let days = (3_786_912_000 - NOW) / 86_400;
    let expected = format!(
        "SERVER                   NAME             LACKS                             ISSUER      KEY          ENDS        DAYS   FILE     CHECKS\n\
         node2.pem                lb.example.com   -                                 cluster ca  ECDSA P-256  2090-01-01  {days}  -        -\n\
         node1.example.com:21050  lb.example.com   -                                 cluster ca  ECDSA P-256  2090-01-01  {days}  differs  served-differs\n\
         lb2.pem                  lb2.example.com  lb.example.com,node9.example.com  other ca    ECDSA P-256  2090-01-01  {days}  -        cn-not-frontend,san-missing-frontend,san-missing-node\n\
         \n\
         3 servers, 2 issuers, 0 duplicate serial numbers; the first certificate ends on 2090-01-01\n"
    );
    assert_eq!(view.render(), expected);
    assert_eq!(view.servers[1].file.as_deref(), Some("node1.pem"));
    assert_eq!(ClusterView::of(&[], &Findings::default(), NOW).render(), "");
}
