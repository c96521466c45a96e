//! What several clients' rules share.

use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Returns a match by `presented`, one of the DNS names.
pub(super) fn by_dns_name(presented: &str) -> Verdict {
    Verdict::accepts(if presented.contains('*') { Why::WildcardMatches } else { Why::DnsNameMatches })
}

/// Returns whether there is a DNS name among the alternative names, be it one that cannot be decoded.
pub(super) fn has_dns_name(names: &CertificateNames) -> bool {
    // The tag of dNSName (RFC 5280, section 4.2.1.6).
    !names.dns.is_empty() || names.others.iter().any(|other| other.starts_with("broken name [2]"))
}

/// Returns whether two names are equal without regard to case, and not empty.
pub(super) fn same(presented: &str, host: &str) -> bool {
    !presented.is_empty() && presented.eq_ignore_ascii_case(host)
}

/// Returns whether the labels of both match one by one, `*` standing for any part of a label, however short.
pub(super) fn labels_match(presented: &str, host: &str) -> bool {
    let (mut patterns, mut labels) = (presented.split('.'), host.split('.'));
    loop {
        match (patterns.next(), labels.next()) {
            (Some(pattern), Some(label)) if label_matches(pattern, label) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

fn label_matches(pattern: &str, label: &str) -> bool {
    let (pattern, label) = (pattern.to_ascii_lowercase(), label.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let (Some(first), last) = (parts.next(), parts.next_back()) else { return false };
    let Some(last) = last else { return first == label };
    let Some(mut rest) = label.strip_prefix(first) else { return false };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Returns the verdict of a client that finds no match, with the reason.
pub(super) fn no_match(names: &CertificateNames, host: &Host) -> Verdict {
    Verdict::refuses(match host {
        Host::Ip(address) => {
            let text = address.to_string();
            let as_name = names.dns.iter().chain(&names.common).any(|name| same(name, &text));
            if as_name { Why::AddressAsName } else { Why::NoNameMatches }
        }
        Host::Name(host) => {
            let near = |name: &&String| name.contains('*') && labels_match(name, host);
            if let Some(wildcard) = names.dns.iter().chain(&names.common).find(near) {
                let label = wildcard.split('.').next().unwrap_or_default();
                if label != "*" && label.contains('*') { Why::PartialWildcard } else { Why::WildcardForm }
            } else if names.common.iter().any(|common| same(common, host)) {
                if names.has_alternative() { Why::CommonNameIgnored } else { Why::CommonNameNotUsed }
            } else {
                Why::NoNameMatches
            }
        }
    })
}
