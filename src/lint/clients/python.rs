//! Python's clients: what they do depends on their version and on Python's.

use super::impala_shell_3;
use super::openssl::{self, Wildcards};
use super::shared_rules::{by_dns_name, no_match, same};
use super::{Verdict, Why};
use crate::cert::CertificateNames;
use crate::model::Host;

/// impala-shell 4.6 and impyla 0.24: OpenSSL matches, with wildcards as the whole left-most label only.
pub(super) fn openssl(names: &CertificateNames, host: &Host) -> Verdict {
    if let Some(why) = refused(names, host) {
        return Verdict::refuses(why);
    }
    openssl::judge(names, host, Wildcards::Whole)
}

/// thrift before 0.23 on Python up to 3.11: `ssl.match_hostname`. The common name counts where there is neither a DNS
/// name nor an IP address, for addresses too. A wildcard of a foreign form, come upon before a match, refuses the
/// certificate.
pub(super) fn match_hostname(names: &CertificateNames, host: &Host) -> Verdict {
    if let Some(why) = refused(names, host) {
        return Verdict::refuses(why);
    }
    let text = host.to_string();
    match host {
        Host::Ip(address) if names.ip.contains(address) => return Verdict::accepts(Why::AddressMatches),
        Host::Ip(_) => {}
        Host::Name(name) => {
            for presented in &names.dns {
                match covers(presented, name) {
                    Covers::Yes => return by_dns_name(presented),
                    Covers::No => {}
                    Covers::EndsSearch => return foreign_wildcard(presented, names, host),
                }
            }
        }
    }
    if names.dns.is_empty() && names.ip.is_empty() {
        for common in &names.common {
            match covers(common, &text) {
                Covers::Yes => return Verdict::accepts(Why::CommonNameFallback),
                Covers::No => {}
                Covers::EndsSearch => return foreign_wildcard(common, names, host),
            }
        }
    }
    no_match(names, host)
}

/// Python 3.6: `ssl.match_hostname` as it was, with a wildcard for any part of the left-most label.
pub(super) fn match_hostname_3_6(names: &CertificateNames, host: &Host) -> Verdict {
    if let Some(why) = refused(names, host) {
        return Verdict::refuses(why);
    }
    let text = host.to_string();
    let is_name = matches!(host, Host::Name(_));
    if matches!(host, Host::Ip(address) if names.ip.contains(address)) {
        return Verdict::accepts(Why::AddressMatches);
    }
    let common = if names.dns.is_empty() && names.ip.is_empty() { &names.common[..] } else { &[] };
    let presented = names.dns.iter().filter(|_| is_name).map(|name| (name, false));
    for (presented, is_common) in presented.chain(common.iter().map(|name| (name, true))) {
        if impala_shell_3::label_of(presented).matches('*').count() > 1 {
            return Verdict::refuses(Why::WildcardEndsSearch);
        }
        if impala_shell_3::covers(presented, &text) {
            return if is_common { Verdict::accepts(Why::CommonNameFallback) } else { by_dns_name(presented) };
        }
    }
    no_match(names, host)
}

/// thrift 0.24 on Python up to 3.11: OpenSSL matches during the handshake, and `ssl.match_hostname` after it.
pub(super) fn both(names: &CertificateNames, host: &Host) -> Verdict {
    let first = openssl(names, host);
    if first.accepts { match_hostname(names, host) } else { first }
}

/// thrift before 0.23 on Python 3.12 and later, which has no `ssl.match_hostname`: the first common name, letter by
/// letter, and nothing else.
pub(super) fn common_name(names: &CertificateNames, host: &Host) -> Verdict {
    if let Some(why) = refused(names, host) {
        return Verdict::refuses(why);
    }
    match names.common.first() {
        Some(common) if *common == host.to_string() => Verdict::accepts(Why::CommonNameMatches),
        _ => Verdict::refuses(Why::OnlyCommonNameCounts),
    }
}

enum Covers {
    Yes,
    No,
    EndsSearch,
}

fn covers(presented: &str, host: &str) -> Covers {
    let covers = match presented.matches('*').count() {
        0 => same(presented, host),
        1 => match (presented.strip_prefix("*."), host.split_once('.')) {
            (Some(parent), Some((label, rest))) => !label.is_empty() && parent.eq_ignore_ascii_case(rest),
            (Some(_), None) => false,
            (None, _) => return Covers::EndsSearch,
        },
        _ => return Covers::EndsSearch,
    };
    if covers { Covers::Yes } else { Covers::No }
}

fn foreign_wildcard(presented: &str, names: &CertificateNames, host: &Host) -> Verdict {
    let alone = CertificateNames { dns: vec![presented.to_owned()], ..CertificateNames::default() };
    let alone = no_match(&alone, host);
    let others = names.dns.iter().chain(&names.common).any(|name| name != presented && same(name, &host.to_string()));
    // A name that would have matched further on makes another reason than a wildcard alone.
    if others || alone.why == Why::NoNameMatches { Verdict::refuses(Why::WildcardEndsSearch) } else { alone }
}

/// Returns why Python does not get to comparing names: it encodes the host's, and decodes all of the certificate's.
fn refused(names: &CertificateNames, host: &Host) -> Option<Why> {
    if is_refused(host) {
        return Some(Why::HostRefused);
    }
    names.others.iter().any(|name| name.starts_with("broken name [")).then_some(Why::NameUndecodable)
}

/// Returns whether Python cannot encode the name for the wire (IDNA: labels of 1 to 63 bytes, a dot at the end
/// allowed).
fn is_refused(host: &Host) -> bool {
    match host {
        Host::Ip(_) => false,
        Host::Name(name) => {
            name.strip_suffix('.').unwrap_or(name).split('.').any(|label| label.is_empty() || label.len() > 63)
        }
    }
}
