//! Certificates of one cluster that ought to be alike and are not.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Pairs, is_server, some};
use crate::cert::Field;
use crate::lint::{Check, Family, Finding, Severity, Subject, Use, remedy};
use crate::model::Host;

pub(super) static SAN_DRIFT: Check = Check {
    id: "san-drift",
    family: Family::Cluster,
    severity: Severity::Warning,
    title: "a certificate lacks a name that most others of the cluster carry",
    basis: "RFC 9525, section 6.3",
    clients: "those that the load balancer sends to this server and that look for the name",
    explanation: "Behind one load balancer every server answers to the same names beside its own. When one of them lacks a \
        name, connections by that name fail now and then, whenever the load balancer chooses that server. A name is missed \
        when more than half of the servers carry it; names of single nodes are nobody else's business.",
    remedy: "issue the certificate anew with the name, or drop the name everywhere if nobody uses it any more",
};

pub(super) static MIXED_ISSUERS: Check = Check {
    id: "mixed-issuers",
    family: Family::Cluster,
    severity: Severity::Info,
    title: "the certificates of the cluster come from several issuers",
    basis: "RFC 5280, section 6.1: a client trusts a server through its issuer",
    clients: "those that trust one of the issuers only",
    explanation: "While a cluster moves from one authority to another this is as it should be: clients then need both \
        authorities in their truststores, or they fail on some of the servers.",
    remedy: "give the clients all of the authorities, or issue the certificates of the rarer ones anew",
};

pub(super) fn lint(subjects: &[Subject], pairs: &Pairs) -> Vec<Finding> {
    let mut clusters: HashMap<(Use, &[Host]), Vec<&Subject>> = HashMap::new();
    let mut order = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        // Of a file and the port that shows it, the file stands for the server.
        if !is_server(subject) || pairs.file_of(index).is_some() {
            continue;
        }
        let cluster = (subject.role.usage, subject.role.front_ends.as_slice());
        let members = clusters.entry(cluster).or_default();
        if members.is_empty() {
            order.push(cluster);
        }
        members.push(subject);
    }
    let mut findings = Vec::new();
    for servers in order.iter().filter_map(|cluster| clusters.get(cluster)) {
        findings.extend(names(servers));
        findings.extend(issuers(servers));
    }
    findings
}

fn names(servers: &[&Subject]) -> Vec<Finding> {
    let sets: Vec<HashSet<Cow<'_, str>>> = servers.iter().map(|server| names_of(server)).collect();
    let mut carriers: BTreeMap<&str, usize> = BTreeMap::new();
    for name in sets.iter().flatten() {
        *carriers.entry(name).or_default() += 1;
    }
    carriers.retain(|_, count| *count * 2 > servers.len() && *count < servers.len());
    let mut findings = Vec::new();
    for (server, own) in servers.iter().zip(&sets) {
        let lacks = |name: &str| !own.contains(name) && !server.leaf().names.cover_host(name) && !is_told(server, name);
        let missing: Vec<_> = carriers.iter().filter(|(name, _)| lacks(name)).collect();
        let Some((first, count)) = missing.first() else { continue };
        let message = match missing.len() {
            1 => format!("the certificate lacks {first}, which {count} of {} servers carry", servers.len()),
            more => format!("the certificate lacks {more} names that most of {} servers carry", servers.len()),
        };
        let list = some(missing.iter().map(|(name, _)| (**name).to_owned()));
        let mut finding = Finding::new(&SAN_DRIFT, server.leaf_located(), message)
            .field(Field::SubjectAlternativeName)
            .observed(some(sorted(own)))
            .expected(format!("{list} among the subject alternative names"));
        finding.notes.extend(remedy::restart(server).map(Into::into));
        findings.push(finding);
    }
    findings
}

/// Whether another check tells that this name is missing.
fn is_told(server: &Subject, name: &str) -> bool {
    let is = |host: &Host| matches!(host, Host::Name(host) if host == name);
    server.role.usage != Use::ReEncrypt && server.role.front_ends.iter().any(is)
}

fn issuers(servers: &[&Subject]) -> Option<Finding> {
    let mut by_issuer: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
    for server in servers {
        by_issuer.entry(&server.leaf().issuer).or_default().push(server);
    }
    let (_, rarest) = by_issuer.iter().min_by_key(|(_, members)| members.len())?;
    if by_issuer.len() < 2 {
        return None;
    }
    let message = format!("the certificates of {} servers come from {} issuers", servers.len(), by_issuer.len());
    let listed = by_issuer.iter().map(|(issuer, members)| match members.as_slice() {
        [only] => format!("{issuer} ({})", only.source()),
        _ => format!("{issuer} ({} servers)", members.len()),
    });
    Some(
        Finding::new(&MIXED_ISSUERS, rarest.first()?.leaf_located(), message)
            .field(Field::Issuer)
            .observed(some(listed))
            .expected("one issuer"),
    )
}

fn names_of(server: &Subject) -> HashSet<Cow<'_, str>> {
    let names = &server.leaf().names;
    let dns = names.dns.iter().map(|name| match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name.as_str()),
    });
    dns.chain(names.ip.iter().map(|address| Cow::Owned(address.to_string()))).collect()
}

fn sorted(names: &HashSet<Cow<'_, str>>) -> Vec<String> {
    let mut names: Vec<_> = names.iter().map(|name| name.escape_debug().to_string()).collect();
    names.sort_unstable();
    if names.is_empty() { vec!["no subject alternative name".into()] } else { names }
}
