//! What live ports and a configuration file give the linter.

mod configured;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cert::MaterialError;
use crate::config::Diagnostics;
use crate::inventory::{Chain, chains};
use crate::lint::{Finding, Role, Silence, Subject, Trust, silent};
use crate::model::Host;
use crate::tls::{Unfetched, fetch_chain};

pub(super) use configured::from_config;

/// What was found on live ports and in a configuration.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) subjects: Vec<Subject>,
    /// About ports that showed no certificate.
    pub(super) findings: Vec<Finding>,
    /// Authorities that a configuration names.
    pub(super) anchors: Vec<CertificateDer<'static>>,
    /// Files that a configuration names and that cannot be read.
    pub(super) unreadable: Vec<MaterialError>,
    /// What a configuration leaves unchecked.
    pub(super) notes: Diagnostics,
}

/// A port to ask for its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Port {
    host: String,
    port: u16,
    server_name: Option<Host>,
}

/// Fetches the chains of live TLS ports (`host:port`, `[v6]:port`, or a host alone for port 21050), all at once.
///
/// # Errors
/// An address that is none.
pub(super) fn connect(addresses: &[String], role: &Role) -> anyhow::Result<Live> {
    let ports = addresses
        .iter()
        .map(|text| Port::parse(text).with_context(|| format!("cannot connect to \"{text}\"")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut live = Live::default();
    let chains = fetch(&ports)?;
    for (port, fetched) in ports.iter().zip(chains) {
        // Nobody looks for an address in a certificate only because we have no name for the node.
        let node = port.server_name.clone().filter(|it| matches!(it, Host::Name(_)) && !role.front_ends.contains(it));
        let role = Role { node: node.or_else(|| role.node.clone()), ..role.clone() };
        live.add(&port.to_string(), fetched, &[(role, None)], "TLS, with a certificate");
    }
    Ok(live)
}

impl Live {
    /// Puts others behind these.
    pub(super) fn extend(&mut self, others: Self) {
        self.subjects.extend(others.subjects);
        self.findings.extend(others.findings);
        self.anchors.extend(others.anchors);
        self.unreadable.extend(others.unreadable);
        others.notes.into_iter().for_each(|note| self.notes.push(note));
    }

    /// Takes what came of asking the port at `address`: a subject for each role, or a finding.
    fn add(
        &mut self,
        address: &str,
        fetched: Result<Chain, Unfetched>,
        roles: &[(Role, Option<Trust>)],
        expected: &str,
    ) {
        let (silence, reason) = match fetched.map(|chain| chains::shown(address, &chain)) {
            Ok(Ok(chain)) => {
                for (role, trust) in roles {
                    let Some(mut subject) = Subject::new(chain.clone(), None, role.clone()) else { continue };
                    subject.trust = trust.clone();
                    self.subjects.push(subject);
                }
                return;
            }
            Ok(Err(error)) => (Silence::Handshake, format!("shows a certificate that cannot be decoded: {error}")),
            Err(reason) => (silence(&reason), reason.to_string()),
        };
        self.findings.push(silent(silence, address, &reason, expected));
    }
}

fn silence(reason: &Unfetched) -> Silence {
    match reason {
        Unfetched::Plaintext(_) => Silence::Plaintext,
        Unfetched::Resolve(_) | Unfetched::Connect(_) | Unfetched::Short(_) => Silence::Unreachable,
        Unfetched::TimedOut | Unfetched::ClosedEarly | Unfetched::Handshake(_) => Silence::Handshake,
    }
}

/// Asks all ports, some at a time, and answers in their order.
fn fetch(ports: &[Port]) -> anyhow::Result<Vec<Result<Chain, Unfetched>>> {
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetched = runtime.block_on(fetch_all(ports));
    // A name that does not resolve may be looked up for long after we have given up.
    runtime.shutdown_background();
    Ok(fetched)
}

async fn fetch_all(ports: &[Port]) -> Vec<Result<Chain, Unfetched>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (index, port) in ports.iter().cloned().enumerate() {
        let places = Arc::clone(&places);
        asked.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire().await;
            (index, fetch_chain((port.host.as_str(), port.port), port.server_name.as_ref(), LIMIT).await)
        });
    }
    // It is drawn on a terminal only.
    let progress = ProgressBar::new(ports.len() as u64);
    let mut fetched: Vec<_> = ports.iter().map(|_| Err(Unfetched::TimedOut)).collect();
    while let Some(answer) = asked.join_next().await {
        if let Ok((index, answer)) = answer
            && let Some(place) = fetched.get_mut(index)
        {
            *place = answer;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    fetched
}

impl Port {
    fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, server_name: Host::parse(host).ok() }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, rest))) => (host, rest.strip_prefix(':').or(rest.is_empty().then_some(DEFAULT_PORT))),
            Some(None) => anyhow::bail!("the bracket is not closed"),
            // A colon too many is an IPv6 address without a port.
            None => match text.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                _ => (text, Some(DEFAULT_PORT)),
            },
        };
        let port = port.and_then(|port| port.parse().ok()).filter(|port| *port > 0);
        let port = port.context("the port is a number from 1 to 65535")?;
        let is_host = !host.is_empty() && !host.contains(['/', ' ', '@', '?']);
        anyhow::ensure!(is_host, "write HOST:PORT, such as node1.example.com:21050");
        Ok(Self::new(host, port))
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
/// Ports that are asked at the same time.
const AT_ONCE: usize = 64;
/// How long a port may take to show its certificate.
const LIMIT: Duration = Duration::from_secs(5);

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
        ] {
            assert_eq!(shown(text).unwrap(), expected, "{text}");
        }
        for bad in ["", ":21050", "node1:", "node1:0", "node1:99999", "https://node1:21050", "[fd00::1", "[::1]x"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }
}
