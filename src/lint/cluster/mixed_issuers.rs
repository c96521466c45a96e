//! Clusters whose certificates come from several issuers.

use std::collections::BTreeMap;

use super::shortened_list::first_few;
use crate::cert::Field;
use crate::lint::{Check, Clients, Family, Finding, Severity, Subject};

pub(super) static MIXED_ISSUERS: Check = Check {
    id: "mixed-issuers",
    family: Family::Cluster,
    severity: Severity::Info,
    title: "the certificates of the cluster come from several issuers",
    basis: "RFC 5280, section 6.1: a client trusts a server through its issuer",
    clients: Clients::Concerns("clients that have the authority of some of the servers only"),
    explanation: "While a cluster moves from one authority to another this is as it should be: clients then need both \
        authorities in their truststores, or they fail on some of the servers.",
    remedy: "give the clients all of the authorities, or issue the certificates of the rarer ones anew",
};

pub(super) fn mixed_issuers(servers: &[&Subject]) -> Option<Finding> {
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
            .observed(first_few(listed))
            .expected("one issuer"),
    )
}
