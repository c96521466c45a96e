//! Thrift's C++ library: its default access manager.

use super::shared_rules::{by_dns_name, no_match};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Compares every DNS name and IP address, and then every common name, whatever came before. Addresses count as names
/// too. It also takes the IP address that it is connected to when it was asked for a name, which is not known here.
pub(super) fn judge(names: &CertificateNames, host: &Host) -> Verdict {
    let text = host.to_string();
    if let Some(presented) = names.dns.iter().find(|presented| covers(presented, &text)) {
        return by_dns_name(presented);
    }
    if matches!(host, Host::Ip(address) if names.ip.contains(address)) {
        return Verdict::accepts(Why::AddressMatches);
    }
    if names.common.iter().any(|common| covers(common, &text)) {
        return Verdict::accepts(Why::CommonNameFallback);
    }
    no_match(names, host)
}

/// Compares letter by letter; `*` is all that is left of a label, however little.
fn covers(presented: &str, host: &str) -> bool {
    let mut rest = host;
    for letter in presented.chars() {
        let mut letters = rest.chars();
        match letters.next() {
            Some(found) if found.eq_ignore_ascii_case(&letter) => rest = letters.as_str(),
            Some(_) if letter == '*' => rest = &rest[rest.find('.').unwrap_or(rest.len())..],
            _ => return false,
        }
    }
    rest.is_empty() && !presented.is_empty()
}
