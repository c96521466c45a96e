//! Names that most servers of a cluster carry and some lack.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::shortened_list::first_few;
use crate::cert::Field;
use crate::lint::affected::ask;
use crate::lint::{Check, Clients, Family, Finding, Severity, Subject, Use, audience, remedy};
use crate::model::Host;

pub(super) static SAN_DRIFT: Check = Check {
    id: "san-drift",
    family: Family::Cluster,
    severity: Severity::Warning,
    title: "a certificate lacks a name that most others of the cluster carry",
    basis: "RFC 9525, section 6.3",
    clients: Clients::Asked,
    explanation: "Behind one load balancer every server answers to the same names beside its own. When one of them lacks a \
        name, connections by that name fail now and then, whenever the load balancer chooses that server. A name is missed \
        when more than half of the servers carry it; names of single nodes are nobody else's business.",
    remedy: "issue the certificate anew with the name, or drop the name everywhere if nobody uses it any more",
};

/// Returns a finding for each server that lacks a name that more than half carry.
pub(super) fn san_drift(servers: &[&Subject]) -> Vec<Finding> {
    let sets: Vec<HashSet<Cow<'_, str>>> = servers.iter().map(|server| names_of(server)).collect();
    let mut carriers: BTreeMap<&str, usize> = BTreeMap::new();
    for name in sets.iter().flatten() {
        *carriers.entry(name).or_default() += 1;
    }
    carriers.retain(|_, count| *count * 2 > servers.len() && *count < servers.len());
    let mut findings = Vec::new();
    for (server, own) in servers.iter().zip(&sets) {
        let lacks = |name: &str| {
            !own.contains(name) && !server.leaf().names.cover_host(name) && !is_reported_elsewhere(server, name)
        };
        let missing: Vec<_> = carriers.iter().filter(|(name, _)| lacks(name)).collect();
        let Some((first, count)) = missing.first() else { continue };
        let message = match missing.len() {
            1 => format!("the certificate lacks {first}, which {count} of {} servers carry", servers.len()),
            more => format!("the certificate lacks {more} names that most of {} servers carry", servers.len()),
        };
        let list = first_few(missing.iter().map(|(name, _)| (**name).to_owned()));
        let mut finding = Finding::new(&SAN_DRIFT, server.leaf_located(), message)
            .field(Field::SubjectAlternativeName)
            .observed(first_few(sorted(own)))
            .expected(format!("{list} among the subject alternative names"));
        finding.asked = missing.iter().filter_map(|(name, _)| Host::parse(name).ok()).collect();
        ask(&mut finding, &audience::of(server.role.usage));
        finding.notes.extend(remedy::restart(server).map(Into::into));
        findings.push(finding);
    }
    findings
}

/// Returns whether another check reports that this name is missing.
fn is_reported_elsewhere(server: &Subject, name: &str) -> bool {
    let is = |host: &Host| matches!(host, Host::Name(host) if host == name);
    server.role.usage != Use::ReEncrypt && server.role.front_ends.iter().any(is)
}

fn names_of(server: &Subject) -> HashSet<Cow<'_, str>> {
    let names = &server.leaf().names;
    let dns = names.dns.iter().map(|name| {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name.as_str())
        }
    });
    dns.chain(names.ip.iter().map(|address| Cow::Owned(address.to_string()))).collect()
}

fn sorted(names: &HashSet<Cow<'_, str>>) -> Vec<String> {
    let mut names: Vec<_> = names.iter().map(|name| name.escape_debug().to_string()).collect();
    names.sort_unstable();
    if names.is_empty() { vec!["no subject alternative name".into()] } else { names }
}
