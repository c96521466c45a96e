//! impala-shell 2.7 to 3.x, and Hue, whose matching is the same code: that of Python 3.2.

use super::shared_rules::{by_dns_name, has_dns_name, no_match, same};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// DNS names first; the common names only where there is none. Addresses are matched as if they were names, and never
/// among the IP addresses. Two wildcards in one label end the search.
pub(super) fn judge(names: &CertificateNames, host: &Host) -> Verdict {
    let text = host.to_string();
    let fallback = if has_dns_name(names) { &[][..] } else { &names.common[..] };
    for (presented, is_common) in
        names.dns.iter().map(|name| (name, false)).chain(fallback.iter().map(|name| (name, true)))
    {
        if label_of(presented).matches('*').count() > 1 {
            return Verdict::refuses(Why::WildcardEndsSearch);
        }
        if covers(presented, &text) {
            return if is_common { Verdict::accepts(Why::CommonNameFallback) } else { by_dns_name(presented) };
        }
    }
    no_match(names, host)
}

/// Returns whether a name covers a host, with a wildcard anywhere in the left-most label for any part of it; alone it
/// is one character or more.
pub(super) fn covers(presented: &str, host: &str) -> bool {
    let label = label_of(presented);
    let Some((before, after)) = label.split_once('*') else { return same(presented, host) };
    let host_label = label_of(host);
    let (parents, host_parents) = (&presented[label.len()..], &host[host_label.len()..]);
    if !parents.eq_ignore_ascii_case(host_parents) {
        return false;
    }
    if before.is_empty() && after.is_empty() {
        return !host_label.is_empty();
    }
    if label.starts_with("xn--") || host.starts_with("xn--") {
        return label.eq_ignore_ascii_case(host_label);
    }
    let host_label = host_label.to_ascii_lowercase();
    let rest = host_label.strip_prefix(&before.to_ascii_lowercase());
    rest.is_some_and(|rest| rest.ends_with(&after.to_ascii_lowercase()))
}

pub(super) fn label_of(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}
