//! A live port, as a user writes it.

use std::net::IpAddr;

use crate::model::Host;

/// A port to ask for its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::lint) struct Port {
    pub(super) host: String,
    pub(super) port: u16,
    /// The name in SNI, as clients send it.
    pub(super) server_name: Option<Host>,
}

impl Port {
    fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, server_name: Host::parse(host).ok() }
    }

    /// Returns the same, asked for this name, or for none.
    pub(super) fn asked_for(&self, name: Option<&Host>) -> Self {
        Self { server_name: name.cloned(), ..self.clone() }
    }

    /// Reads `host:port`, `[v6]:port`, or a host alone for port 21050.
    pub(in crate::cli::lint) fn parse(text: &str) -> Result<Self, &'static str> {
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, rest))) if host.contains(':') => {
                (host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some(DEFAULT_PORT)))
            }
            Some(Some(_)) => return Err("in brackets stands an IPv6 address"),
            Some(None) => return Err("the bracket is not closed"),
            // A colon too many is an IPv6 address without a port.
            None => match text.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                _ => (text, Some(DEFAULT_PORT)),
            },
        };
        let digits = port.filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = digits.and_then(|port| port.parse().ok()).filter(|port| *port > 0);
        let port = port.ok_or("the port is a number from 1 to 65535")?;
        // A name that can be looked up need not be one that a certificate can have.
        let is_host = Host::parse_asked(host).is_ok() && (!host.contains(':') || host.parse::<IpAddr>().is_ok());
        if is_host { Ok(Self::new(host, port)) } else { Err("write HOST:PORT, such as node1.example.com:21050") }
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Impala's port for JDBC, ODBC, Hue and impala-shell.
const DEFAULT_PORT: &str = "21050";
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let shown = |text: &str| Port::parse(text).map(|port| port.to_string());
        for (text, expected) in [
            ("node1.example.com:21000", "node1.example.com:21000"),
            ("node1", "node1:21050"),
            ("10.0.0.1:28000", "10.0.0.1:28000"),
            ("[fd00::1]:21000", "[fd00::1]:21000"),
            ("[fd00::1]", "[fd00::1]:21050"),
            ("fd00::1", "[fd00::1]:21050"),
            ("node_1.example.com.:21000", "node_1.example.com.:21000"),
        ] {
            assert_eq!(shown(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "",
            ":21050",
            "node1:",
            "node1:0",
            "node1:99999",
            "node1:+5",
            "node1: 5",
            "https://node1:21050",
            "user@node1",
            "a..b",
            "-node1",
            "*.example.com",
            "1.2.3.4.5",
            "127.0.0.1:1:2",
            "node1:1:2",
            "[node1]:21050",
            "[fd00::1",
            "[::1]x",
        ] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }
}
