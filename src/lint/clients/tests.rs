//! Tables of certificates, hosts and verdicts.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::cert::CertificateNames;
use crate::model::Host;

/// `CN=…`, `DNS:…` and `IP:…`, separated by spaces.
fn certificate(text: &str) -> CertificateNames {
    let mut names = CertificateNames::default();
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        if let Some(common) = part.strip_prefix("CN=") {
            names.common.push(common.into());
        } else if let Some(dns) = part.strip_prefix("DNS:") {
            names.dns.push(dns.into());
        } else {
            names.ip.push(part.strip_prefix("IP:").unwrap().parse().unwrap());
        }
    }
    names
}

/// Returns a host as a user may type it, also one that the configuration refuses.
fn host(text: &str) -> Host {
    text.parse().map_or_else(|_| Host::Name(text.into()), Host::Ip)
}

/// Compares rows of a table: a case in words, the certificate, the host, and a verdict a client.
fn check<const N: usize>(clients: [Client; N], table: &[(&str, &str, &str, [&str; N])]) {
    let mut wrong = Vec::new();
    for (case, presented, asked, expected) in table {
        for (client, expected) in clients.iter().zip(expected) {
            let verdict = names(*client, &certificate(presented), &host(asked));
            if (verdict.accepts, *expected) != (true, "ok") && (verdict.accepts, *expected) != (false, "no") {
                wrong.push(format!("{case}: {client:?} is {expected}, not: {}", verdict.why));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn impala_clients_differ_as_they_were_seen_to() {
    let clients = [Client::Shell4, Client::ImpylaPython312, Client::Shell46];
    let (lb, address) = ("lb.example.com", "10.0.0.1");
    check(
        clients,
        &[
            ("CN=lb, no SAN", "CN=lb.example.com", lb, ["ok", "ok", "ok"]),
            ("CN=lb and SAN DNS:lb", "CN=lb.example.com DNS:lb.example.com", lb, ["ok", "ok", "ok"]),
            (
                "CN=node, SAN DNS:node, DNS:lb",
                "CN=node.example.com DNS:node.example.com DNS:lb.example.com",
                lb,
                ["ok", "no", "ok"],
            ),
            ("no CN, SAN DNS:lb", "DNS:lb.example.com", lb, ["ok", "no", "ok"]),
            ("CN=lb, SAN DNS:node only", "CN=lb.example.com DNS:node.example.com", lb, ["no", "ok", "no"]),
            ("CN=lb, SAN IP only", "CN=lb.example.com IP:10.0.0.1", lb, ["no", "ok", "ok"]),
            ("SAN *.example.com", "DNS:*.example.com", lb, ["ok", "no", "ok"]),
            ("CN *.example.com", "CN=*.example.com", lb, ["ok", "no", "ok"]),
            ("SAN l*.example.com", "DNS:l*.example.com", lb, ["no", "no", "no"]),
            ("by IP: SAN IP", "CN=lb.example.com IP:10.0.0.1", address, ["ok", "no", "ok"]),
            ("by IP: CN=IP", "CN=10.0.0.1", address, ["ok", "ok", "no"]),
            ("by IP: SAN DNS:IP", "DNS:10.0.0.1", address, ["no", "no", "no"]),
        ],
    );
}

#[test]
fn matchers_differ_as_measured() {
    let clients = [Client::Rustls, Client::OpenSsl, Client::Shell46, Client::Java, Client::Hue, Client::ThriftCpp];
    check(
        clients,
        &[
            ("CN only, no SAN", "CN=lb.corp.test", "lb.corp.test", ["no", "ok", "ok", "ok", "ok", "ok"]),
            (
                "CN matches, DNS SAN differs",
                "CN=lb.corp.test DNS:node.corp.test",
                "lb.corp.test",
                ["no", "no", "no", "no", "no", "ok"],
            ),
            (
                "CN matches, SAN is IP only",
                "CN=lb.corp.test IP:10.0.0.1",
                "lb.corp.test",
                ["no", "ok", "ok", "ok", "ok", "ok"],
            ),
            ("*.corp, one label", "DNS:*.corp.test", "lb.corp.test", ["ok", "ok", "ok", "ok", "ok", "ok"]),
            ("wildcard deeper", "DNS:*.corp.test", "a.lb.corp.test", ["no", "no", "no", "no", "no", "no"]),
            ("wildcard apex", "DNS:*.corp.test", "corp.test", ["no", "no", "no", "no", "no", "no"]),
            ("l*.corp", "DNS:l*.corp.test", "lb.corp.test", ["no", "ok", "no", "ok", "ok", "ok"]),
            ("l*b.corp", "DNS:l*b.corp.test", "lb.corp.test", ["no", "no", "no", "ok", "ok", "no"]),
            ("lb.*.x", "DNS:lb.*.test", "lb.corp.test", ["no", "no", "no", "ok", "no", "ok"]),
            ("*.*.x", "DNS:*.*.test", "lb.corp.test", ["no", "no", "no", "ok", "no", "ok"]),
            ("*.example, single label left", "DNS:*.example", "lb.example", ["no", "no", "no", "ok", "ok", "ok"]),
            ("bare * for lb", "DNS:*", "lb", ["no", "no", "no", "no", "ok", "ok"]),
            ("host lb., SAN lb", "DNS:lb.corp.test", "lb.corp.test.", ["ok", "no", "no", "no", "no", "no"]),
            ("both lb.", "DNS:lb.corp.test.", "lb.corp.test.", ["no", "ok", "ok", "no", "ok", "ok"]),
            ("impala_lb exact", "DNS:impala_lb.corp.test", "impala_lb.corp.test", ["ok", "ok", "ok", "no", "ok", "ok"]),
            (
                "impala_lb under a wildcard",
                "DNS:*.corp.test",
                "impala_lb.corp.test",
                ["ok", "no", "no", "no", "ok", "ok"],
            ),
            ("IP in an iPAddress SAN", "IP:10.0.0.1", "10.0.0.1", ["ok", "ok", "ok", "ok", "no", "ok"]),
            ("IP in a dNSName SAN", "DNS:10.0.0.1", "10.0.0.1", ["no", "no", "no", "no", "ok", "ok"]),
            ("IP in the CN", "CN=10.0.0.1", "10.0.0.1", ["no", "no", "no", "no", "ok", "ok"]),
            (
                "two CNs: only first matches",
                "CN=lb.corp.test CN=node.corp.test",
                "lb.corp.test",
                ["no", "ok", "ok", "no", "ok", "ok"],
            ),
            (
                "two CNs: only second matches",
                "CN=node.corp.test CN=lb.corp.test",
                "lb.corp.test",
                ["no", "ok", "ok", "ok", "ok", "ok"],
            ),
        ],
    );
}

#[test]
fn label_of_64_characters_is_refused_by_webpki_python_and_java() {
    let name = format!("{}.corp.test", "a".repeat(64));
    let presented = format!("DNS:{name}");
    check(
        [Client::Rustls, Client::OpenSsl, Client::Shell46, Client::Java],
        &[("64 characters", &presented, &name, ["no", "ok", "no", "no"])],
    );
}

#[test]
fn broken_names_never_match_anywhere() {
    for broken in ["lb.corp.test\0", "\0", "lb\0.corp.test", "lb.corp.test\0.evil.test", "\u{a0}lb.corp.test", ""] {
        let mut presented = CertificateNames { dns: vec![broken.into()], ..CertificateNames::default() };
        presented.common.push(broken.into());
        for client in Client::ALL {
            assert!(!names(*client, &presented, &host("lb.corp.test")).accepts, "{client:?} takes {broken:?}");
        }
    }
}

#[test]
fn oldest_shell_takes_dns_names_first_and_wildcards_in_the_left_most_label() {
    let lb = "lb.corp.test";
    check(
        [Client::Shell3],
        &[
            ("CN only", "CN=lb.corp.test", lb, ["ok"]),
            ("CN beside another DNS name", "CN=lb.corp.test DNS:node.corp.test", lb, ["no"]),
            ("wildcard", "DNS:*.corp.test", lb, ["ok"]),
            ("wildcard further in", "DNS:lb.*.test", lb, ["no"]),
            ("by IP: SAN IP", "IP:10.0.0.1", "10.0.0.1", ["no"]),
        ],
    );
}

#[test]
fn foreign_wildcard_before_the_right_name_stops_python_up_to_3_11() {
    let presented = "DNS:l*.corp.test DNS:lb.corp.test";
    check([Client::Shell4, Client::Shell46], &[("foreign wildcard first", presented, "lb.corp.test", ["no", "ok"])]);
    let verdict = names(Client::Shell4, &certificate(presented), &host("lb.corp.test"));
    assert_eq!(verdict.why, Why::WildcardEndsSearch);
    check([Client::Shell4], &[("last", "DNS:lb.corp.test DNS:l*.corp.test", "lb.corp.test", ["ok"])]);
}

#[test]
fn openssl_knows_a_star_at_an_end_of_the_first_label_only() {
    let openssl = [Client::OpenSsl];
    let lb = "lb.corp.test";
    check(
        openssl,
        &[
            ("at the start", "DNS:*b.corp.test", lb, ["ok"]),
            ("nothing left for it", "DNS:lb*.corp.test", lb, ["ok"]),
            ("two stars", "DNS:l**.corp.test", lb, ["no"]),
            ("A-label asked for", "DNS:x*.corp.test", "xn--a.corp.test", ["no"]),
            ("A-label under a whole wildcard", "DNS:*.corp.test", "xn--a.corp.test", ["ok"]),
            ("A-label presented", "DNS:xn--*.corp.test", "xn--a.corp.test", ["no"]),
            ("hyphen before the star", "DNS:l-*.corp.test", "l-b.corp.test", ["no"]),
        ],
    );
}

#[test]
fn refusals_say_why() {
    let why = |client, presented: &str, asked: &str| names(client, &certificate(presented), &host(asked)).why;
    let lb = "lb.corp.test";
    assert_eq!(why(Client::OpenSsl, "CN=lb.corp.test", lb), Why::CommonNameFallback);
    assert_eq!(why(Client::OpenSsl, "CN=lb.corp.test DNS:a.corp.test", lb), Why::CommonNameIgnored);
    assert_eq!(why(Client::Rustls, "CN=lb.corp.test", lb), Why::CommonNameNotUsed);
    assert_eq!(why(Client::Rustls, "DNS:l*.corp.test", lb), Why::PartialWildcard);
    assert_eq!(why(Client::Shell4, "DNS:l*.corp.test", lb), Why::PartialWildcard);
    assert_eq!(why(Client::OpenSsl, "DNS:lb.*.test", lb), Why::WildcardForm);
    assert_eq!(why(Client::Java, "DNS:10.0.0.1", "10.0.0.1"), Why::AddressAsName);
    assert_eq!(why(Client::Java, "DNS:a_b.test", "a_b.test"), Why::HostRefused);
    assert_eq!(why(Client::ImpylaPython312, "CN=LB.corp.test", lb), Why::OnlyCommonNameCounts);
}

#[test]
fn matrix_is_aligned_and_gives_each_reason_once() {
    let row = |source: &str, presented: &str| Row {
        source: source.into(),
        subject: String::new(),
        host: host("lb.corp.test"),
        verdicts: Client::ALL
            .iter()
            .map(|client| (*client, names(*client, &certificate(presented), &host("lb.corp.test"))))
            .collect(),
    };
    let matrix = Matrix {
        rows: vec![
            row("lb.pem", "CN=lb.corp.test DNS:lb.corp.test"),
            row("node1.pem", "CN=node1.corp.test DNS:node1.corp.test DNS:lb.corp.test"),
            row("node2.pem", "CN=lb.corp.test"),
        ],
        assumes_trust: false,
    };
    insta::assert_snapshot!(render(&matrix), @r"
                               shell    shell    py   shell  impyla   impyla    shell 4.6  impyla .24  OpenSSL  Java  Java          Hue  Thrift
    certificate  name          2.7-3.x  4.0-4.5  3.6  4.6    py<3.12  py>=3.12  py>=3.13   thrift .24  3.0      17    25    rustls  4    C++
    lb.pem       lb.corp.test  ok       ok       ok   ok     ok       ok        ok         ok          ok       ok    ok    ok      ok   ok
    node1.pem    lb.corp.test  ok       ok       ok   ok     ok       no 1      ok         ok          ok       ok    ok    ok      ok   ok
    node2.pem    lb.corp.test  ok       ok       ok   ok     ok       ok        ok         ok          ok       ok    ok    no 2    ok   ok

    no 1: only the CN counts, and it is not exactly this name
    no 2: the name is a CN only, and this client does not look at that one

    shell 2.7-3.x          impala-shell 2.7 to 3.x
    shell 4.0-4.5          impala-shell 4.0 to 4.5, binary protocols, on Python 3.7 to 3.11
    py 3.6                 impala-shell from 4.0 on and impyla, on Python 3.6
    shell 4.6              impala-shell 4.6 and impyla 0.24 (thrift 0.23), on Python 3.7 to 3.12
    impyla py<3.12         impyla up to 0.23, binary protocol, on Python 3.7 to 3.11
    impyla py>=3.12        impyla up to 0.23 and impala-shell 4.0 to 4.5, on Python 3.12 and later
    shell 4.6 py>=3.13     impala-shell 4.6 and impyla 0.24, on Python 3.13 and later (strict chains)
    impyla .24 thrift .24  impyla 0.24 with thrift 0.24, binary protocol, on Python 3.7 to 3.11
    OpenSSL 3.0            OpenSSL 3.0 at security level 2 (s_client -verify_hostname)
    Java 17                Java 17 (JDBC drivers that verify names)
    Java 25                Java 25 (JDBC drivers that verify names)
    rustls                 rustls 0.23, which pronk uses toward members
    Hue 4                  Hue 4, up to 4.11 (its TSSLSocketWithWildcardSAN)
    Thrift C++             Thrift's C++ library, 0.9 to 0.22, and what is built on it; no ODBC driver was tried

    Judged: names, dates, trust, path, usage, constraints, signatures, keys. Not judged: revocation, and what a driver or its options switch off.
    ");
    let view = serde_json::to_value(MatrixView::from(&matrix)).unwrap();
    assert_eq!(view["rows"][1]["verdicts"][5]["client"], "impyla-python-3.12");
    assert_eq!(view["rows"][1]["verdicts"][5]["accepts"], false);
    assert_eq!(view["rows"][1]["verdicts"][5]["why"], Why::OnlyCommonNameCounts.as_str());
}

fn host_name() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9-]{0,6}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,6}[a-z0-9])?){1,3}"
}

proptest! {
    #[test]
    fn common_name_and_dns_name_of_the_front_end_please_everyone(
        name in host_name(),
        others in prop::collection::vec(host_name(), 0..3),
    ) {
        let mut presented = CertificateNames { common: vec![name.clone()], dns: vec![name.clone()], ..Default::default() };
        presented.dns.extend(others);
        for client in Client::ALL {
            prop_assert!(names(*client, &presented, &Host::parse(&name).unwrap()).accepts, "{:?} refuses", client);
        }
    }

    #[test]
    fn no_rule_panics(
        dns in prop::collection::vec("([a-z*.]|\\PC|\0){0,12}", 0..4),
        common in prop::collection::vec("([a-z*.-]|\\PC){0,12}", 0..3),
        ip in prop::collection::vec(any::<IpAddr>(), 0..2),
        asked in prop_oneof!["([a-z*._-]|\\PC){0,12}".prop_map(Host::Name), any::<IpAddr>().prop_map(Host::Ip)],
    ) {
        let presented = CertificateNames { dns, common, ip, ..CertificateNames::default() };
        for client in Client::ALL {
            let verdict = names(*client, &presented, &asked);
            prop_assert!(!verdict.why.as_str().is_empty());
        }
    }
}
