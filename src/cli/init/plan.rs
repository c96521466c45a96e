//! What a first configuration is to describe, and how it is given on the command line.

use std::net::{IpAddr, ToSocketAddrs};

use crate::model::Host;

/// What a first configuration describes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The name that clients connect to.
    pub front_end: String,
    pub mode: Mode,
    /// At least one, each of another name.
    pub daemons: Vec<Daemon>,
    /// At least one, each another.
    pub ports: Vec<Ports>,
    pub hue: bool,
    /// The authorities of the cluster, in re-encrypt.
    pub ca_file: Option<String>,
}

/// Where TLS begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// No TLS anywhere.
    Plain,
    /// TLS of the impalads goes through untouched.
    Passthrough,
    /// TLS ends at pronk; the impalads have none.
    Offload,
    /// TLS ends at pronk, and begins anew toward the impalads.
    ReEncrypt,
}

impl Mode {
    /// Returns whether pronk shows a certificate.
    pub(super) fn has_certificate(self) -> bool {
        matches!(self, Self::Offload | Self::ReEncrypt)
    }
}

/// A host that runs a coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Daemon {
    pub hostname: Option<String>,
    /// None if the name does not resolve here.
    pub address: Option<IpAddr>,
}

/// A port that clients connect to, and that of the impalads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub listen: u16,
    pub member: u16,
}

/// Returns the host that `NAME`, `ADDRESS` or `NAME=ADDRESS` means. A name alone is not resolved yet.
pub(super) fn daemon(text: &str) -> Result<Daemon, String> {
    let (name, address) = match text.split_once('=') {
        Some((name, address)) => (name, Some(address)),
        None => (text, None),
    };
    let address = address.map(|it| it.parse::<IpAddr>().map_err(|_| format!("`{it}` is no IP address"))).transpose()?;
    match (Host::parse(name).map_err(|reason| reason.to_string())?, address) {
        (Host::Ip(_), Some(_)) => Err("it is NAME=ADDRESS, with a host name".to_owned()),
        (Host::Ip(address), None) => Ok(Daemon { hostname: None, address: Some(address) }),
        (Host::Name(name), address) => Ok(Daemon { hostname: Some(name), address }),
    }
}

/// Returns the ports that `PORT` or `LISTEN:MEMBER` means.
pub(super) fn ports(text: &str) -> Result<Ports, &'static str> {
    let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
    let (listen, member) = text.split_once(':').unwrap_or((text, text));
    match (port(listen), port(member)) {
        (Some(listen), Some(member)) => Ok(Ports { listen, member }),
        _ => Err("a port is a number from 1 to 65535, or LISTEN:MEMBER where pronk's is another than the impalads'"),
    }
}

/// Returns the name that clients connect to.
pub(super) fn front_end(text: &str) -> Result<String, String> {
    match Host::parse(text) {
        Ok(Host::Name(name)) => Ok(name),
        Ok(Host::Ip(_)) => Err("clients check a name in certificates: give the load balancer's host name".to_owned()),
        Err(reason) => Err(reason.to_string()),
    }
}

impl Daemon {
    /// Resolves the name if the address is not known. Blocks.
    pub(super) fn resolve(&mut self) {
        if let (Some(name), None) = (&self.hostname, self.address) {
            let found: Vec<_> = (name.as_str(), 0).to_socket_addrs().into_iter().flatten().map(|it| it.ip()).collect();
            self.address = found.iter().find(|it| it.is_ipv4()).or_else(|| found.first()).copied();
        }
    }
}

impl Plan {
    /// Returns the names of the nodes: the first labels of host names where those differ.
    pub(super) fn nodes(&self) -> Vec<String> {
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let labels: Vec<_> = self.daemons.iter().map(|it| it.hostname.as_deref().map(first)).collect();
        let name = |(index, daemon): (usize, &Daemon)| match (&daemon.hostname, &labels[index]) {
            (Some(_), Some(label)) if labels.iter().filter(|it| it.as_ref() == Some(label)).count() == 1 => {
                label.clone()
            }
            (Some(name), _) => name.clone(),
            (None, _) => format!("impalad-{}", index + 1),
        };
        self.daemons.iter().enumerate().map(name).collect()
    }

    /// Returns the name of the certificate's entry in the store.
    pub(super) fn entry(&self) -> &str {
        self.front_end.split('.').next().unwrap_or(&self.front_end)
    }

    /// Returns what keeps it from being written, if anything.
    pub(super) fn mistake(&self) -> Option<String> {
        let twice = |index: usize| self.ports[..index].iter().any(|it| it.listen == self.ports[index].listen);
        if let Some(index) = (0..self.ports.len()).find(|index| twice(*index)) {
            return Some(format!("port {} is given twice", self.ports[index].listen));
        }
        let again = |index: usize| self.daemons[..index].contains(&self.daemons[index]);
        if let Some(index) = (0..self.daemons.len()).find(|index| again(*index)) {
            let daemon = &self.daemons[index];
            let name = daemon.hostname.clone().or_else(|| daemon.address.map(|it| it.to_string())).unwrap_or_default();
            return Some(format!("daemon {name} is given twice"));
        }
        let host = |index: usize| self.daemons[index].hostname.as_deref();
        let same = |index: usize| self.daemons[..index].iter().any(|it| it.hostname.as_deref() == host(index));
        if let Some(name) = (0..self.daemons.len()).filter(|index| same(*index)).find_map(host) {
            return Some(format!("daemon {name} is given twice, with two addresses"));
        }
        let nodes = self.nodes();
        if let Some(name) = nodes.iter().map(String::as_str).chain([self.entry()]).find(|it| YAML_WORDS.contains(it)) {
            return Some(format!("`{name}` means something else in YAML: give a host of another name"));
        }
        if let Some(name) = nodes.iter().enumerate().find_map(|(at, name)| nodes[..at].contains(name).then_some(name)) {
            return Some(format!("two nodes would be called {name}: give every host as NAME=ADDRESS"));
        }
        if self.mode != Mode::ReEncrypt {
            let help = "--ca-file is for re-encrypt: in the other modes pronk verifies no impalad";
            return self.ca_file.is_some().then(|| help.to_owned());
        }
        if let Some(Daemon { address: Some(address), .. }) = self.daemons.iter().find(|it| it.hostname.is_none()) {
            return Some(format!(
                "in re-encrypt pronk looks for a name in each impalad's certificate: write --daemon NAME={address}"
            ));
        }
        self.ca_file.is_none().then(|| {
            "in re-encrypt pronk verifies the impalads: give the file of their authorities with --ca-file FILE (PEM)"
                .to_owned()
        })
    }
}

/// Words that YAML takes for something else than a name.
const YAML_WORDS: &[&str] = &["null", "true", "false"];
