//! Java 17: `HostnameChecker` for TLS, below an authority that is not a public one.

use super::shared_rules::{by_dns_name, has_dns_name, labels_match, no_match};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Addresses are looked for among the IP addresses alone; names among the DNS names, or in the last common name where
/// there is no DNS name. A wildcard may be anywhere, for any part of a label, if a dot follows it.
pub(super) fn judge(names: &CertificateNames, host: &Host) -> Verdict {
    let host_name = match host {
        Host::Ip(address) if names.ip.contains(address) => return Verdict::accepts(Why::AddressMatches),
        Host::Ip(_) => return no_match(names, host),
        Host::Name(name) => name,
    };
    if !is_server_name(host_name) {
        return Verdict::refuses(Why::HostRefused);
    }
    if let Some(presented) = names.dns.iter().find(|presented| covers(presented, host_name)) {
        return by_dns_name(presented);
    }
    if !has_dns_name(names) && names.common.last().is_some_and(|common| covers(common, host_name)) {
        return Verdict::accepts(Why::CommonNameFallback);
    }
    no_match(names, host)
}

fn covers(presented: &str, host: &str) -> bool {
    let dot_follows = presented.rsplit_once('*').is_none_or(|(_, after)| after.contains('.'));
    dot_follows && presented != "*." && is_server_name(&presented.replace('*', "z")) && labels_match(presented, host)
}

/// Returns whether Java's `SNIHostName` accepts a name: labels of letters, digits and inner hyphens, no dot at the end.
fn is_server_name(name: &str) -> bool {
    name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}
