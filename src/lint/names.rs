//! Names: does the certificate carry those that clients look for, and in a way that all of them understand?

use std::net::IpAddr;

use super::clients::{Client, NAME_REFUSALS, Why, names as judged};
use super::finding::of_server as finding;
use super::{Check, Clients, Family, Finding, Severity, Subject, Use, remedy};
use crate::cert::Field;
use crate::cert::name_match::dns_name_covers;
use crate::model::Host;
use crate::words::{MOST_NAMES, first_of, shown};

pub(super) static CHECKS: &[&Check] = &[
    &SAN_MISSING_FRONTEND,
    &SAN_MISSING_NODE,
    &CN_FALLBACK_ONLY,
    &CN_NOT_FRONTEND,
    &CN_NOT_IN_SAN,
    &SAN_WILDCARD_UNUSABLE,
    &SAN_NAME_INVALID,
    &SAN_IP_AS_DNS,
];

pub(super) static SAN_MISSING_FRONTEND: Check = Check {
    id: "san-missing-frontend",
    family: Family::Names,
    severity: Severity::Error,
    title: "the load balancer's name is not among the subject alternative names",
    basis: "RFC 9525, section 6.3",
    clients: Clients::Judged(NAME_REFUSALS),
    explanation: "Clients connect to the load balancer's name and look for that name in the certificate that they are shown. \
        In passthrough it is an impalad that shows it, so every impalad's certificate must carry the load balancer's name \
        beside its own; one certificate in N without it breaks one connection in N, seemingly at random.\n\n\
        Users see `Hostname we connected to \"…\" doesn't match certificate provided commonName \"…\"`, `Hostname mismatch, \
        certificate is not valid for '…'` or `No subject alternative DNS name matching … found`.",
    remedy: "issue the certificate anew with the load balancer's name as common name and as alternative name",
};

static SAN_MISSING_NODE: Check = Check {
    id: "san-missing-node",
    family: Family::Names,
    severity: Severity::Warning,
    title: "the node's own name is not among the subject alternative names",
    basis: "RFC 9525, section 6.3",
    clients: Clients::Asked,
    explanation: "A certificate that only carries the load balancer's name serves those who come through the load balancer. \
        Clients that connect to the node itself, and the other daemons of the cluster, look for the node's name. Where \
        pronk re-encrypts it looks for the node's name too, and refuses the member without it: the finding is an error then.",
    remedy: "issue the certificate anew with the node's name as a further alternative name",
};

static CN_FALLBACK_ONLY: Check = Check {
    id: "cn-fallback-only",
    family: Family::Names,
    severity: Severity::Warning,
    title: "some clients take it today by its common name only",
    basis: "RFC 9525, section 2: the common name does not identify a server",
    clients: Clients::Judged(NAME_REFUSALS),
    explanation: "Without any DNS name among the alternative names, older matching rules fall back to the common name. \
        Clients drop that fallback one after the other, so what works today breaks with some client's upgrade.",
    remedy: "issue the certificate anew with the name as an alternative name too",
};

pub(super) static CN_NOT_FRONTEND: Check = Check {
    id: "cn-not-frontend",
    family: Family::Names,
    severity: Severity::Warning,
    title: "the common name is not the load balancer's name",
    basis: "thrift's Python library on Python 3.12 and later",
    clients: Clients::Judged(&[Why::OnlyCommonNameCounts]),
    explanation: "On Python 3.12 and later, thrift's matching falls back to comparing the common name with the host, exactly, \
        and looks at no alternative name. A certificate pleases every client when the load balancer's name is its common \
        name and among its alternative names; a node's name goes into further alternative names.",
    remedy: "issue the certificate anew with the load balancer's name as common name",
};

static CN_NOT_IN_SAN: Check = Check {
    id: "cn-not-in-san",
    family: Family::Names,
    severity: Severity::Info,
    title: "the common name is not among the subject alternative names",
    basis: "CA/Browser Forum Baseline Requirements, section 7.1.4.3",
    clients: Clients::Asked,
    explanation: "Once a certificate has a DNS name among its alternative names, clients ignore the common name. A host name \
        that stands in the common name alone is then of no use, and probably a mistake.",
    remedy: "issue the certificate anew with the common name repeated among the alternative names",
};

static SAN_WILDCARD_UNUSABLE: Check = Check {
    id: "san-wildcard-unusable",
    family: Family::Names,
    severity: Severity::Warning,
    title: "a wildcard in the alternative names matches nothing by the rules",
    basis: "RFC 9525, section 6.3: a wildcard is the whole left-most label, above two labels or more",
    clients: Clients::Judged(&[Why::WildcardEndsSearch, Why::WildcardForm, Why::PartialWildcard]),
    explanation: "`l*.corp.example`, `lb.*.example`, `*` and `*.example` are read differently by every client. `*.corp.example` \
        is the one form that all of them take, and it covers exactly one label.",
    remedy: "write the names out",
};

static SAN_NAME_INVALID: Check = Check {
    id: "san-name-invalid",
    family: Family::Names,
    severity: Severity::Warning,
    title: "an alternative name is not one that clients can match",
    basis: "RFC 5280, section 4.2.1.6, and RFC 1123, section 2.1",
    clients: Clients::Judged(&[Why::HostRefused, Why::NameUndecodable]),
    explanation: "A DNS name in a certificate is made of labels of letters, digits and inner hyphens, at most 63 characters \
        each, without a trailing dot; names in other scripts stand as A-labels (`xn--…`). Names with NUL bytes or spaces match \
        nowhere; an underscore stops Java.",
    remedy: "issue the certificate anew without that name",
};

static SAN_IP_AS_DNS: Check = Check {
    id: "san-ip-as-dns",
    family: Family::Names,
    severity: Severity::Warning,
    title: "an IP address stands among the DNS names",
    basis: "RFC 5280, section 4.2.1.6: an address is an iPAddress",
    clients: Clients::Judged(&[Why::AddressAsName]),
    explanation: "Clients that connect to an IP address look for it among the IP addresses of the alternative names. As a \
        DNS name it looks right to people and to almost no client.",
    remedy: "issue the certificate anew with the address as an IP address",
};

pub(super) fn lint(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    front_ends(subject, &mut findings);
    node(subject, &mut findings);
    common_name(subject, &mut findings);
    alternative_names(subject, &mut findings);
    findings
}

/// What is known where a certificate can have no alternative names.
const EXTENSIONS_DROPPED: &str = "the certificate is of version 1, which has no extensions: if the request had alternative names, the \
     authority has dropped them (`openssl x509 -req` does, without `-copy_extensions copyall` or `-extfile`)";

fn front_ends(subject: &Subject, findings: &mut Vec<Finding>) {
    // Clients never see what a member shows to pronk.
    if subject.role.usage == Use::ReEncrypt {
        return;
    }
    let names = &subject.leaf().names;
    let missing: Vec<_> = subject.role.front_ends.iter().filter(|host| !names.cover(host)).collect();
    if missing.is_empty() {
        return;
    }
    let list = join(&missing);
    let message = format!("the certificate does not carry the load balancer's name {list}");
    let found = finding(&SAN_MISSING_FRONTEND, subject, message)
        .field(Field::SubjectAlternativeName)
        .observed(alternatives(subject))
        .expected(format!("{list} among the subject alternative names"))
        .paste(remedy::request(subject));
    findings.push(if subject.leaf().version < 3 { found.note(EXTENSIONS_DROPPED) } else { found });
    let falls_back = |host: &&Host| judged(Client::OpenSsl, names, host).why == Why::CommonNameFallback;
    let fallback: Vec<_> = missing.into_iter().filter(falls_back).collect();
    if !fallback.is_empty() {
        let message = format!("some clients take it for {} today by its common name only", join(&fallback));
        findings.push(
            finding(&CN_FALLBACK_ONLY, subject, message)
                .field(Field::Subject)
                .observed("a common name and no DNS name among the alternative names")
                .expected("the name among the subject alternative names"),
        );
    }
}

fn node(subject: &Subject, findings: &mut Vec<Finding>) {
    let Some(node) = &subject.role.node else { return };
    if subject.role.usage == Use::FrontEnd || subject.leaf().names.cover(node) {
        return;
    }
    let severity = match subject.role.usage {
        Use::ReEncrypt => Severity::Error,
        _ => Severity::Warning,
    };
    findings.push(
        finding(&SAN_MISSING_NODE, subject, format!("the certificate does not carry the node's own name {node}"))
            .severity(severity)
            .asked([node.clone()])
            .field(Field::SubjectAlternativeName)
            .observed(alternatives(subject))
            .expected(format!("{node} among the subject alternative names"))
            .paste(remedy::request(subject)),
    );
}

fn common_name(subject: &Subject, findings: &mut Vec<Finding>) {
    let names = &subject.leaf().names;
    let clients_see_it = subject.role.usage != Use::ReEncrypt;
    if clients_see_it
        && !subject.role.front_ends.is_empty()
        && !subject.role.front_ends.iter().any(|host| is_common(subject, host))
    {
        let front_ends = join(&subject.role.front_ends.iter().collect::<Vec<_>>());
        let message = match names.common.first() {
            Some(common) => format!("the common name is {}, not the load balancer's name {front_ends}", shown(common)),
            None => format!("there is no common name, where {front_ends} should stand"),
        };
        findings.push(
            finding(&CN_NOT_FRONTEND, subject, message)
                .field(Field::Subject)
                .observed(
                    names
                        .common
                        .first()
                        .map_or_else(|| "no common name".into(), |common| format!("CN={}", shown(common))),
                )
                .expected(format!("CN={}", subject.role.front_ends[0]))
                .paste(remedy::request(subject)),
        );
    }
    if !names.has_alternative() {
        return;
    }
    for common in &names.common {
        let Ok(host) = Host::parse(common) else { continue };
        // A word such as "Impala" is a name for people.
        if matches!(&host, Host::Name(name) if !name.contains('.')) || names.cover(&host) {
            continue;
        }
        findings.push(
            finding(&CN_NOT_IN_SAN, subject, format!("the common name {common} is not among the alternative names"))
                .field(Field::Subject)
                .asked([host.clone()])
                .span(common)
                .observed(alternatives(subject))
                .expected(format!("{common} among the subject alternative names")),
        );
    }
}

fn alternative_names(subject: &Subject, findings: &mut Vec<Finding>) {
    let names = &subject.leaf().names;
    let mut about = |check, name: &str, reason: String, expected: &str| {
        findings.push(
            finding(check, subject, reason)
                .field(Field::SubjectAlternativeName)
                .span(shown(name))
                .observed(format!("DNS:{}", shown(name)))
                .expected(expected),
        );
    };
    for name in &names.dns {
        let shown = shown(name);
        if name.parse::<IpAddr>().is_ok() {
            about(&SAN_IP_AS_DNS, name, format!("the IP address {shown} stands among the DNS names"), "IP Address:…");
        } else if name.contains('*') {
            let one_label_below = name.replacen('*', "x", 1);
            if !dns_name_covers(name, &one_label_below) {
                let message = format!("the wildcard {shown} matches nothing by the rules");
                about(&SAN_WILDCARD_UNUSABLE, name, message, "*.example.com, or the names written out");
            }
        } else if let Err(reason) = Host::parse(name) {
            about(&SAN_NAME_INVALID, name, format!("the DNS name {shown} cannot be matched: {reason}"), "a host name");
        }
    }
    for broken in names.others.iter().filter(|name| name.starts_with("broken")) {
        findings.push(
            finding(&SAN_NAME_INVALID, subject, format!("an alternative name cannot be decoded: {broken}"))
                .field(Field::SubjectAlternativeName)
                .observed(broken)
                .expected("names in ASCII, addresses of 4 or 16 bytes"),
        );
    }
}

fn is_common(subject: &Subject, host: &Host) -> bool {
    let common = subject.leaf().names.common.first();
    common.is_some_and(|common| Host::parse_asked(common).as_ref() == Ok(host))
}

fn alternatives(subject: &Subject) -> String {
    let names = &subject.leaf().names;
    let dns = names.dns.iter().map(|name| format!("DNS:{}", shown(name)));
    let ip = names.ip.iter().map(|address| format!("IP Address:{address}"));
    let all = first_of(dns.chain(ip).chain(names.others.iter().map(|name| shown(name))), MOST_NAMES);
    if all.is_empty() { "no subject alternative name".into() } else { all }
}

fn join(hosts: &[&Host]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
