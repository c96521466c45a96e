//! The table in the documentation is what the code says.

use pronk::cert::CertificateNames;
use pronk::lint::clients::{Client, names};
use pronk::model::Host;

const PAGE: &str = include_str!("../../docs/which-certificate.md");

const COLUMNS: &[(&str, Client)] = &[
    ("shell 2.7–3.x, Hue", Client::Shell3),
    ("shell 4.0–4.5, impyla ≤ 0.23", Client::Shell4),
    ("the same, Python ≥ 3.12", Client::ImpylaPython312),
    ("shell 4.6, impyla 0.24", Client::Shell46),
    ("OpenSSL", Client::OpenSsl),
    ("Java 17", Client::Java),
    ("rustls", Client::Rustls),
    ("Thrift C++", Client::ThriftCpp),
];

const LB: &str = "lb.example.com";
const NODE: &str = "node1.example.com";

/// The words, the common name, the DNS names, the IP addresses, and what the client connects to.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);

const ROWS: &[Row] = &[
    ("**CN=lb and SAN DNS:lb**", &[LB], &[LB], &[], LB),
    ("**CN=lb and SAN DNS:lb, DNS:node1**", &[LB], &[LB, NODE], &[], LB),
    ("CN=node1, SAN DNS:node1, DNS:lb", &[NODE], &[NODE, LB], &[], LB),
    ("no CN, SAN DNS:lb", &[], &[LB], &[], LB),
    ("CN=lb, no SAN", &[LB], &[], &[], LB),
    ("CN=lb, SAN DNS:node1 only", &[LB], &[NODE], &[], LB),
    ("CN=lb, SAN IP only", &[LB], &[], &["10.0.0.1"], LB),
    ("CN=node1, SAN DNS:node1", &[NODE], &[NODE], &[], LB),
    ("CN=lb, SAN DNS:\\*.example.com", &[LB], &["*.example.com"], &[], LB),
    ("no CN, SAN DNS:\\*.example.com", &[], &["*.example.com"], &[], LB),
    ("no CN, SAN DNS:l\\*.example.com", &[], &["l*.example.com"], &[], LB),
    ("no CN, SAN DNS:l\\*.example.com, DNS:lb", &[], &["l*.example.com", LB], &[], LB),
    ("by address: CN=lb, SAN DNS:lb, IP:10.0.0.1", &[LB], &[LB], &["10.0.0.1"], "10.0.0.1"),
    ("by address: CN=10.0.0.1, no SAN", &["10.0.0.1"], &[], &[], "10.0.0.1"),
    ("by address: SAN DNS:10.0.0.1", &[], &["10.0.0.1"], &[], "10.0.0.1"),
];

#[test]
fn page_shows_the_matrix_as_the_code_has_it() {
    let between = PAGE.split_once("<!-- matrix -->\n").and_then(|(_, rest)| rest.split_once("<!-- /matrix -->"));
    let (shown, _) = between.expect("the page has the markers");
    let actual = table();
    assert!(shown == actual, "docs/which-certificate.md should have:\n{actual}");
}

fn table() -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let titles = COLUMNS.iter().map(|(title, _)| *title);
    let mut table = line(std::iter::once("certificate").chain(titles).collect());
    table += &format!("|{}\n", "---|".repeat(COLUMNS.len() + 1));
    for (words, common, dns, ip, host) in ROWS {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let presented = CertificateNames {
            common: strings(common),
            dns: strings(dns),
            ip: ip.iter().map(|address| address.parse().unwrap()).collect(),
            ..CertificateNames::default()
        };
        let host = Host::parse(host).unwrap();
        let cell = |client: &Client| if names(*client, &presented, &host).accepts { "ok" } else { "**no**" };
        table += &line(std::iter::once(*words).chain(COLUMNS.iter().map(|(_, client)| cell(client))).collect());
    }
    table
}
