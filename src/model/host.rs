//! Host names and IP addresses as certificates carry them.

use std::fmt;
use std::net::IpAddr;

/// What clients connect to and look for in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name in lower case, its labels as they go over the wire (A-labels).
    Name(String),
    Ip(IpAddr),
}

/// Why a text is not a [`Host`], in words that tell the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(&'static str);

impl Host {
    /// Reads a name that clients may ask for, also one on which they do not agree: with an underscore, or a dot at the
    /// end.
    ///
    /// # Errors
    /// No client asks for it.
    pub fn parse_asked(text: &str) -> Result<Self, HostError> {
        let plain = text.strip_suffix('.').unwrap_or(text).replace('_', "x");
        match Self::parse(&plain)? {
            Self::Ip(_) if plain != text => Err(HostError("it is an address with a dot at the end")),
            Self::Ip(address) => Ok(Self::Ip(address)),
            Self::Name(_) => Ok(Self::Name(text.to_ascii_lowercase())),
        }
    }

    /// Reads a host name or an IP address; an IPv6 address may stand in brackets.
    ///
    /// # Errors
    /// What keeps clients from agreeing on it (RFC 1123, section 2.1; RFC 9525, section 6.3).
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = address.parse() {
            return Ok(Self::Ip(address));
        }
        let flaw = match text {
            "" => "it is empty",
            _ if !text.is_ascii() => "it is not ASCII: write its A-labels, which begin with xn--",
            _ if text.ends_with('.') => "it ends in a dot, which no certificate carries: leave the dot out",
            _ if text.contains('*') => "it is a wildcard: write the name that clients connect to",
            _ if text.contains('_') => {
                "it has an underscore, which Java's TLS refuses: use a name of letters, digits and hyphens"
            }
            _ if text.contains(':') => "it has a colon: write the name without a port",
            _ if !is_host_name(text) => {
                "it is not a host name: labels of letters, digits and inner hyphens, at most 63 characters each, the last not a number"
            }
            _ => return Ok(Self::Name(text.to_ascii_lowercase())),
        };
        Err(HostError(flaw))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.pad(name),
            Self::Ip(address) => f.pad(&address.to_string()),
        }
    }
}

/// Returns whether a host name can stand in a certificate and be looked up: labels of letters, digits and inner
/// hyphens, the last not a number, no trailing dot (RFC 1123, section 2.1).
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = text.rsplit('.').next().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(label) && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(Host::parse("LB.Example.com"), Ok(Host::Name("lb.example.com".into())));
        assert_eq!(Host::parse("10.0.0.1"), Ok(Host::Ip("10.0.0.1".parse().unwrap())));
        assert_eq!(Host::parse("[fd00::1]"), Ok(Host::Ip("fd00::1".parse().unwrap())));
    }

    #[test]
    fn names_on_which_clients_do_not_agree_can_be_asked_for() {
        for name in ["impala_lb.corp", "lb.example.com.", "_lb.", "LB"] {
            assert_eq!(Host::parse_asked(name), Ok(Host::Name(name.to_ascii_lowercase())));
        }
        for bad in ["10.0.0.1.", "a..b", "lb..", "*.corp", "lb:21050", ""] {
            assert!(Host::parse_asked(bad).is_err(), "{bad}");
        }
        assert_eq!(Host::parse_asked("10.0.0.1"), Host::parse("10.0.0.1"));
    }

    #[test]
    fn what_clients_disagree_about_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("lb.example.com.", "ends in a dot"),
            ("münchen.example", "A-labels"),
            ("impala_lb.corp", "underscore"),
            ("*.corp", "wildcard"),
            ("lb.corp:21050", "without a port"),
            ("10.0.0", "not a host name"),
            ("-lb", "not a host name"),
            ("a..b", "not a host name"),
            ("lb\0", "not a host name"),
            ("", "empty"),
        ] {
            let error = Host::parse(bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad:?}: {error}");
        }
    }
}
