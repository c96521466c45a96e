//! Java: `HostnameChecker` for TLS, below an authority that is not a public one.

use super::shared_rules::{by_dns_name, has_dns_name, labels_match, no_match};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// Where a wildcard counts, for any part of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcards {
    /// Java 17.
    AnyLabel,
    /// Java 25.
    LeftMost,
}

/// Addresses are looked for among the IP addresses alone; names among the DNS names, or in the last common name where
/// there is no DNS name. A dot has to follow a wildcard.
pub(super) fn judge(names: &CertificateNames, host: &Host, wildcards: Wildcards) -> Verdict {
    // Java 17 passes over alternative names of which it cannot read one, and Java 25 refuses the certificate.
    if wildcards == Wildcards::AnyLabel && names.has_broken {
        let common = CertificateNames { common: names.common.clone(), ..CertificateNames::default() };
        return judge(&common, host, Wildcards::AnyLabel);
    }
    let host_name = match host {
        // An IPv4 address within IPv6 is the IPv4 address.
        Host::Ip(address) if names.ip.contains(&address.to_canonical()) => {
            return Verdict::accepts(Why::AddressMatches);
        }
        Host::Ip(_) => return no_match(names, host),
        Host::Name(name) => name,
    };
    if !is_server_name(host_name) {
        return Verdict::refuses(Why::HostRefused);
    }
    if let Some(presented) = names.dns.iter().find(|presented| covers(presented, host_name, wildcards)) {
        return by_dns_name(presented);
    }
    if !has_dns_name(names) && names.common.last().is_some_and(|common| covers(common, host_name, wildcards)) {
        return Verdict::accepts(Why::CommonNameFallback);
    }
    no_match(names, host)
}

fn covers(presented: &str, host: &str, wildcards: Wildcards) -> bool {
    let dot_follows = presented.rsplit_once('*').is_none_or(|(_, after)| after.contains('.'));
    let in_place = match (wildcards, presented.split_once('.')) {
        (Wildcards::LeftMost, Some((_, parents))) => !parents.contains('*'),
        _ => true,
    };
    dot_follows
        && in_place
        && presented != "*."
        && presented.split('.').all(is_convertible)
        && is_server_name(&presented.replace('*', "z"))
        && labels_match(presented, host)
}

/// Returns whether a label survives the conversion to Unicode and back (`IDN.toUnicode`): an A-label has to decode.
fn is_convertible(label: &str) -> bool {
    match label.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("xn--") => decodes(&label[4..]),
        _ => true,
    }
}

/// Returns whether Punycode (RFC 3492) decodes to something beyond ASCII.
fn decodes(punycode: &str) -> bool {
    let (plain, deltas) = punycode.rsplit_once('-').map_or(("", punycode), |(plain, deltas)| (plain, deltas));
    let (mut count, mut letter, mut place, mut bias) = (plain.len() as u64, 128_u64, 0_u64, 72_u64);
    let mut digits = deltas.bytes().peekable();
    if deltas.is_empty() || !plain.is_ascii() {
        return false;
    }
    let mut is_first = true;
    while digits.peek().is_some() {
        let (start, mut weight, mut k) = (place, 1_u64, 36_u64);
        loop {
            let digit = match digits.next() {
                Some(byte @ b'a'..=b'z') => byte - b'a',
                Some(byte @ b'A'..=b'Z') => byte - b'A',
                Some(byte @ b'0'..=b'9') => byte - b'0' + 26,
                _ => return false,
            };
            place = place.saturating_add(u64::from(digit).saturating_mul(weight));
            let threshold = k.saturating_sub(bias).clamp(1, 26);
            if u64::from(digit) < threshold {
                break;
            }
            (weight, k) = (weight.saturating_mul(36 - threshold), k + 36);
        }
        count += 1;
        let mut delta = (place - start) / if is_first { 700 } else { 2 };
        is_first = false;
        delta += delta / count;
        let mut steps = 0;
        while delta > 455 {
            delta /= 35;
            steps += 36;
        }
        bias = steps + 36 * delta / (delta + 38);
        letter = letter.saturating_add(place / count);
        if u32::try_from(letter).ok().and_then(char::from_u32).is_none() {
            return false;
        }
        place = place % count + 1;
    }
    true
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
