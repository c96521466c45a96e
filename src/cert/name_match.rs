//! Whether a DNS name in a certificate covers a host (RFC 9525).

use std::net::IpAddr;

/// Returns whether the DNS name `presented` in a certificate covers `host` (RFC 9525, section 6.3): without regard to
/// case, and with a wildcard only as the whole left-most label, for exactly one label, above at least two.
///
/// A name with anything but ASCII in it, an IP address or a name with a trailing dot covers nothing.
pub fn dns_name_covers(presented: &str, host: &str) -> bool {
    if !is_presentable(presented) || host.parse::<IpAddr>().is_ok() {
        return false;
    }
    match presented.strip_prefix("*.") {
        Some(parent) => match host.split_once('.') {
            Some((label, rest)) => !label.is_empty() && parent.contains('.') && same_name(parent, rest),
            None => false,
        },
        None => same_name(presented, host),
    }
}

/// Returns whether a client that follows the rules can match `presented` at all: non-empty labels of visible ASCII, and
/// a wildcard as the whole left-most label or not at all.
fn is_presentable(presented: &str) -> bool {
    let labels = presented.strip_prefix("*.").unwrap_or(presented);
    labels.split('.').all(|label| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*')
    })
}

fn same_name(one: &str, other: &str) -> bool {
    !one.is_empty() && one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_regard_to_case() {
        assert!(dns_name_covers("lb.Example.com", "LB.example.COM"));
        assert!(dns_name_covers("*.Example.com", "lb.example.COM"));
        assert!(!dns_name_covers("lb.example.com", "lc.example.com"));
        assert!(!dns_name_covers("", ""));
    }

    #[test]
    fn wildcard_covers_exactly_one_label() {
        assert!(dns_name_covers("*.example.com", "lb.example.com"));
        assert!(!dns_name_covers("*.example.com", "a.lb.example.com"));
        assert!(!dns_name_covers("*.example.com", "example.com"));
        assert!(!dns_name_covers("*.example.com", ".example.com"));
        assert!(!dns_name_covers("*.com", "example.com"), "all of a top-level domain");
    }

    #[test]
    fn wildcard_is_the_whole_left_most_label_or_nothing() {
        for presented in ["l*.example.com", "*b.example.com", "lb.*.com", "*.*.com", "*", "**.example.com"] {
            assert!(!dns_name_covers(presented, "lb.example.com"), "{presented}");
        }
        assert!(!dns_name_covers("*", "lb"));
    }

    #[test]
    fn broken_names_cover_nothing_not_even_themselves() {
        for presented in
            ["lb.example.com\0", "lb\0.example.com", " lb.example.com", "lb.example.com.", "lb..com", "münchen.de"]
        {
            assert!(!dns_name_covers(presented, presented), "{presented:?}");
        }
        assert!(!dns_name_covers("10.0.0.1", "10.0.0.1"), "an address belongs into an iPAddress name");
    }
}
