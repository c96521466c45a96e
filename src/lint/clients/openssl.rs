//! OpenSSL's own matching: `X509_check_host` and `X509_check_ip` of OpenSSL 1.1.1 and 3.

use super::shared_rules::{by_dns_name, has_dns_name, no_match, same};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Which wildcards match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    /// Also at the beginning or the end of the left-most label: OpenSSL's default.
    Partial,
    /// The whole left-most label only (`X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS`).
    Whole,
}

/// Addresses are looked for among the IP addresses alone; names among the DNS names, or in any common name where there
/// is no DNS name.
pub(super) fn judge(names: &CertificateNames, host: &Host, wildcards: Wildcards) -> Verdict {
    let host_name = match host {
        Host::Ip(address) if names.ip.contains(address) => return Verdict::accepts(Why::AddressMatches),
        Host::Ip(_) => return no_match(names, host),
        Host::Name(name) => name,
    };
    if let Some(presented) = names.dns.iter().find(|presented| covers(presented, host_name, wildcards)) {
        return by_dns_name(presented);
    }
    if !has_dns_name(names) && names.common.iter().any(|common| covers(common, host_name, wildcards)) {
        return Verdict::accepts(Why::CommonNameFallback);
    }
    no_match(names, host)
}

fn covers(presented: &str, host: &str, wildcards: Wildcards) -> bool {
    match split_at_wildcard(presented, wildcards) {
        Some((before, after)) if !host.starts_with('.') => wildcard_covers(before, after, host),
        _ => !presented.contains('\0') && same(presented, host),
    }
}

/// Returns what is before and after the wildcard, if it is one that counts: the only one, at an end of the left-most
/// label, which is not an A-label, with two labels or more to follow, in a name of letters, digits and inner hyphens.
/// Any other name is compared letter by letter.
fn split_at_wildcard(presented: &str, wildcards: Wildcards) -> Option<(&str, &str)> {
    let (before, after) = presented.split_once('*')?;
    let (rest_of_label, parents) = after.split_once('.')?;
    let at_an_end = before.is_empty() || rest_of_label.is_empty();
    let whole = before.is_empty() && rest_of_label.is_empty();
    let label_is_sound = is_a_label_start(before)
        && !rest_of_label.ends_with('-')
        && rest_of_label.bytes().all(is_letter_digit_or_hyphen);
    let parents_are_sound = parents.contains('.') && parents.split('.').all(is_label);
    let counts = at_an_end && (whole || wildcards == Wildcards::Partial) && label_is_sound && parents_are_sound;
    counts.then_some((before, after))
}

/// Returns whether a wildcard may follow `before` in its label.
fn is_a_label_start(before: &str) -> bool {
    before.is_empty() || (is_label(before) && !is_a_label(before))
}

fn wildcard_covers(before: &str, after: &str, host: &str) -> bool {
    let Some(rest) = strip_prefix(host, before) else { return false };
    let Some(covered) = strip_suffix(rest, after) else { return false };
    let whole = before.is_empty() && after.starts_with('.');
    let fits = if whole { !covered.is_empty() } else { !is_a_label(host) };
    fits && covered.bytes().all(is_letter_digit_or_hyphen)
}

/// Returns whether it is in the form of internationalized labels, `xn--…`.
fn is_a_label(text: &str) -> bool {
    strip_prefix(text, "xn--").is_some()
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(is_letter_digit_or_hyphen)
}

fn is_letter_digit_or_hyphen(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}
