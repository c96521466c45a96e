//! Name constraints (RFC 5280, section 4.2.1.10), as each verifier reads them.

use crate::cert::{Bound, Certificate, DistinguishedName, GeneralName, NameConstraints, Subtree};
use crate::lint::clients::rustls::is_dns_name;
use crate::model::Host;

/// Whose reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    OpenSsl,
    Java,
    WebPki,
}

/// How a name stands to the base of a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// They are of different kinds.
    Apart,
    Inside,
    Outside,
    /// The verifier cannot tell, and refuses the certificate.
    Unclear,
}

/// Returns whether a certificate below an authority has a name that the authority's constraints do not allow.
pub(super) fn are_broken(
    constraints: &NameConstraints,
    certificate: &Certificate,
    is_leaf: bool,
    matching: Matching,
) -> bool {
    // OpenSSL gives up at a mailbox of the subject that is in another type of string.
    let is_foreign = |mailbox: &(String, bool)| !mailbox.1;
    if matching == Matching::OpenSsl && certificate.subject.mailboxes().iter().any(is_foreign) {
        return true;
    }
    names(certificate, is_leaf, matching).iter().any(|name| {
        let stands = |tree: &Subtree, excludes: bool| match (matching, tree.bound) {
            (Matching::WebPki, Bound::Zero | Bound::Some) => Stands::Unclear,
            (Matching::OpenSsl, Bound::Some) if are_of_one_kind(name, &tree.base) => Stands::Unclear,
            (Matching::OpenSsl, _) => in_openssl(name, &tree.base),
            (Matching::Java, _) => in_java(name, &tree.base),
            (Matching::WebPki, Bound::None) => in_webpki(name, &tree.base, excludes),
        };
        let excluded = constraints
            .excluded
            .iter()
            .map(|tree| stands(tree, true))
            .any(|it| matches!(it, Stands::Inside | Stands::Unclear));
        let permitted: Vec<_> = constraints.permitted.iter().map(|tree| stands(tree, false)).collect();
        let unclear = permitted.contains(&Stands::Unclear);
        let outside = permitted.contains(&Stands::Outside) && !permitted.contains(&Stands::Inside);
        excluded || unclear || outside
    })
}

/// Returns the names that a verifier compares: the alternative names, the subject, and perhaps the common name.
fn names(certificate: &Certificate, is_leaf: bool, matching: Matching) -> Vec<GeneralName> {
    // Java passes over all of them if it cannot read one.
    let passes_over = matching == Matching::Java && certificate.names.has_broken;
    let mut names = if passes_over { Vec::new() } else { certificate.alternative_names() };
    let mailboxes = || certificate.subject.mailboxes().into_iter().map(|(mailbox, _)| GeneralName::Email(mailbox));
    let has = |names: &[GeneralName], kind: fn(&GeneralName) -> bool| names.iter().any(kind);
    let is_dns = |name: &GeneralName| matches!(name, GeneralName::Dns(_));
    match matching {
        Matching::OpenSsl => {
            names.extend(mailboxes());
            if is_leaf && !has(&names, is_dns) {
                let common = certificate.names.common.iter().filter(|name| is_taken_for_dns_name(name));
                names.extend(common.cloned().map(GeneralName::Dns));
            }
        }
        Matching::Java => {
            // Without alternative names the mailboxes of the subject count.
            if names.is_empty() {
                names.extend(mailboxes());
            }
            names.extend(certificate.names.common.last().and_then(|common| match Host::parse(common) {
                Ok(Host::Ip(address)) if !has(&names, |it| matches!(it, GeneralName::Ip(_))) => {
                    Some(GeneralName::Ip(octets(address)))
                }
                Ok(Host::Name(name)) if !has(&names, is_dns) && !name.contains('_') => Some(GeneralName::Dns(name)),
                _ => None,
            }));
        }
        _ => {}
    }
    if !certificate.subject.is_empty() || matching == Matching::WebPki {
        names.push(GeneralName::Directory { der: certificate.subject.der.clone(), words: String::new() });
    }
    names
}

fn in_openssl(name: &GeneralName, base: &GeneralName) -> Stands {
    match (name, base) {
        (GeneralName::Dns(name), GeneralName::Dns(base)) => inside(is_below(name, base)),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => match (name.len(), base.len()) {
            (4, 8) | (16, 32) => {
                let (address, mask) = base.split_at(name.len());
                inside(name.iter().zip(mask).zip(address).all(|((name, mask), base)| (name ^ base) & mask == 0))
            }
            (4 | 16, 8 | 32) => Stands::Outside,
            _ => Stands::Unclear,
        },
        (GeneralName::Directory { der: name, .. }, GeneralName::Directory { der: base, .. }) => {
            let base = DistinguishedName::new(base);
            inside(DistinguishedName::new(name).folded().starts_with(base.folded()))
        }
        _ => of_other_kinds(name, base),
    }
}

/// Decides about kinds of names that both treat alike.
fn of_other_kinds(name: &GeneralName, base: &GeneralName) -> Stands {
    match (name, base) {
        (GeneralName::Email(name), GeneralName::Email(base)) => inside(is_mailbox_below(name, base)),
        (GeneralName::Uri(name), GeneralName::Uri(base)) => match uri_host(name) {
            Some(host) if base.starts_with('.') => inside(ends_with(host, base)),
            Some(host) => inside(host.eq_ignore_ascii_case(base)),
            None => Stands::Unclear,
        },
        (GeneralName::Other { tag: name, .. }, GeneralName::Other { tag: base, .. }) if name == base => Stands::Unclear,
        _ => Stands::Apart,
    }
}

fn in_java(name: &GeneralName, base: &GeneralName) -> Stands {
    match (name, base) {
        // Java looks for the letter before an empty name.
        (GeneralName::Dns(_), GeneralName::Dns(base)) if base.is_empty() => Stands::Unclear,
        (GeneralName::Dns(name), GeneralName::Dns(base)) => inside(is_below(name, base)),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => match (name.len(), base.len()) {
            (4, 8) | (16, 32) => {
                let (address, mask) = base.split_at(name.len());
                inside(name.iter().zip(mask).zip(address).all(|((name, mask), base)| name & mask == *base))
            }
            _ => Stands::Outside,
        },
        (GeneralName::Directory { der: name, .. }, GeneralName::Directory { der: base, .. }) => {
            inside(DistinguishedName::new(name).is_within_in_java(&DistinguishedName::new(base)))
        }
        (GeneralName::Email(name), GeneralName::Email(base)) if base.contains('@') => {
            inside(name.eq_ignore_ascii_case(base))
        }
        (
            GeneralName::Other { tag: REGISTERED_ID, words: name },
            GeneralName::Other { tag: REGISTERED_ID, words: base },
        ) if name == base => Stands::Inside,
        _ => of_other_kinds(name, base),
    }
}

/// webpki knows DNS names and addresses, and refuses the other kinds it is asked to compare.
fn in_webpki(name: &GeneralName, base: &GeneralName, excludes: bool) -> Stands {
    match (name, base) {
        (GeneralName::Dns(name), GeneralName::Dns(base)) => {
            let label_count = name.split('.').count();
            let is_presented = match name.strip_prefix("*.") {
                Some(rest) => is_dns_name(rest) && label_count >= 3,
                None => is_dns_name(name),
            };
            let base_is_sound = base.is_empty() || is_dns_name(base.strip_prefix('.').unwrap_or(base));
            if is_presented && name.len() <= 253 && base_is_sound && base.len() <= 253 {
                inside(is_below(name, base) || (excludes && wildcard_covers(name, base)))
            } else {
                Stands::Unclear
            }
        }
        (GeneralName::Ip(name), GeneralName::Ip(base)) => match (name.len(), base.len()) {
            (4, 8) | (16, 32) => {
                let (address, mask) = base.split_at(name.len());
                let mut differs =
                    name.iter().zip(mask).zip(address).map(|((name, mask), base)| (name ^ base) & mask != 0);
                // A byte that differs ends the comparison before the rest of the mask is looked at.
                let differing = differs.position(|it| it);
                let compared = differing.map_or(mask.len(), |at| at + 1);
                if is_prefix_mask(&mask[..compared]) { inside(differing.is_none()) } else { Stands::Unclear }
            }
            (4, 32) | (16, 8) => Stands::Outside,
            _ => Stands::Unclear,
        },
        (GeneralName::Directory { .. }, GeneralName::Directory { .. })
        | (GeneralName::Uri(_), GeneralName::Uri(_))
        | (GeneralName::Email(_), GeneralName::Email(_)) => Stands::Unclear,
        (GeneralName::Other { tag: name, .. }, GeneralName::Other { tag: base, .. }) if name == base => Stands::Unclear,
        _ => Stands::Apart,
    }
}

fn are_of_one_kind(name: &GeneralName, base: &GeneralName) -> bool {
    let tag = |it: &GeneralName| if let GeneralName::Other { tag, .. } = it { Some(*tag) } else { None };
    std::mem::discriminant(name) == std::mem::discriminant(base) && tag(name) == tag(base)
}

fn inside(is: bool) -> Stands {
    if is { Stands::Inside } else { Stands::Outside }
}

/// Returns whether a wildcard may stand for `base`.
fn wildcard_covers(name: &str, base: &str) -> bool {
    match (name.strip_prefix("*."), base.split_once('.')) {
        (Some(parent), Some((label, rest))) => !label.is_empty() && parent.eq_ignore_ascii_case(rest),
        _ => false,
    }
}

/// Returns whether a name is `base` or below it; with a dot at its beginning, below it only.
fn is_below(name: &str, base: &str) -> bool {
    if base.is_empty() || name.eq_ignore_ascii_case(base) {
        return true;
    }
    ends_with(name, base)
        && (base.starts_with('.') || name.as_bytes().get((name.len() - base.len()).wrapping_sub(1)) == Some(&b'.'))
}

fn ends_with(name: &str, end: &str) -> bool {
    name.len().checked_sub(end.len()).and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn is_mailbox_below(name: &str, base: &str) -> bool {
    let host = name.rsplit_once('@').map_or(name, |(_, host)| host);
    if let Some((base_local, base_host)) = base.rsplit_once('@') {
        let local = name.rsplit_once('@').map(|(local, _)| local);
        return local == Some(base_local) && host.eq_ignore_ascii_case(base_host);
    }
    if base.starts_with('.') { ends_with(host, base) } else { host.eq_ignore_ascii_case(base) }
}

fn uri_host(uri: &str) -> Option<&str> {
    let rest = uri.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// Returns whether OpenSSL compares a common name as a DNS name (`cn2dnsid`): letters, digits and underscores, with
/// hyphens and dots inside, one dot at least.
fn is_taken_for_dns_name(name: &str) -> bool {
    let name = name.trim_end_matches('\0').as_bytes();
    let is_inner = |at: usize| at > 0 && at + 1 < name.len();
    let fits = |(at, letter): (usize, &u8)| match letter {
        b'-' => is_inner(at),
        b'.' => is_inner(at) && name[at + 1] != b'.' && name[at - 1] != b'-' && name[at + 1] != b'-',
        letter => letter.is_ascii_alphanumeric() || *letter == b'_',
    };
    name.contains(&b'.') && name.iter().enumerate().all(fits)
}

fn is_prefix_mask(mask: &[u8]) -> bool {
    let bits: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let ones = mask.iter().take_while(|byte| **byte == 0xff).count();
    let next = mask.get(ones).map_or(0, |byte| byte.leading_ones());
    bits == ones as u32 * 8 + next
}

/// The tag of registeredID (RFC 5280, section 4.2.1.6).
const REGISTERED_ID: u32 = 8;

fn octets(address: std::net::IpAddr) -> Vec<u8> {
    match address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    }
}
