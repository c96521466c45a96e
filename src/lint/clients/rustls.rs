//! rustls, through rustls-webpki: the alternative names alone, by RFC 9525.

use super::shared_rules::{by_dns_name, no_match, same};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Judges the names. The common name never counts. A host may end in a dot, a certificate's name may not.
pub(super) fn judge(names: &CertificateNames, host: &Host) -> Verdict {
    let host_name = match host {
        Host::Ip(address) if names.ip.contains(address) => return Verdict::accepts(Why::AddressMatches),
        Host::Ip(_) => return no_match(names, host),
        Host::Name(name) => name,
    };
    let relative = host_name.strip_suffix('.').unwrap_or(host_name);
    if host_name.len() > 253 || !is_dns_name(relative) {
        return Verdict::refuses(Why::HostRefused);
    }
    match names.dns.iter().find(|presented| covers(presented, relative)) {
        Some(presented) => by_dns_name(presented),
        None => no_match(names, host),
    }
}

fn covers(presented: &str, host: &str) -> bool {
    if presented.len() > 253 {
        return false;
    }
    match presented.strip_prefix("*.") {
        Some(parent) => {
            let rest = host.split_once('.').map(|(_, rest)| rest);
            parent.contains('.') && is_dns_name(parent) && rest.is_some_and(|rest| same(parent, rest))
        }
        None => is_dns_name(presented) && same(presented, host),
    }
}

/// Returns whether a name is made of labels of letters, digits, underscores and inner hyphens, the last not a number.
pub(super) fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last_is_number = name.rsplit('.').next().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.split('.').all(label) && !last_is_number
}
