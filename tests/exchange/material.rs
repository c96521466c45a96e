//! Certificates, and the TLS of clients and members.

use std::path::Path;

use rustls::SupportedProtocolVersion;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::plan::{Mode, Tls};
use super::wire::{Socket, Wire};
use crate::support::ca::{Authority, Leaf, write};
use crate::support::tls::{showing_with, trusting_with};

/// One authority, the certificates of the proxies and of the members, and TLS made of them.
pub struct Material {
    ca: Authority,
    front: Leaf,
    node: Leaf,
}

/// The TLS of clients. They resume the sessions of those who have the same name: one for each proxy.
#[derive(Clone)]
pub struct Connectors([TlsConnector; 2]);

impl Material {
    pub fn new() -> Self {
        let ca = Authority::new("exchange ca");
        let front = ca.issue(FRONT).dns(FRONT).build();
        let node = ca.issue(NODE).dns(NODE).build();
        Self { ca, front, node }
    }

    pub fn acceptor(&self, version: Tls) -> TlsAcceptor {
        TlsAcceptor::from(showing_with(&self.node, &[version.rustls()]))
    }

    pub fn connectors(&self) -> Connectors {
        Connectors(Tls::BOTH.map(|version| TlsConnector::from(trusting_with(&self.ca, &[version.rustls()]))))
    }

    /// Writes `lb.pem`, `lb.key`, `lb-both.pem` for HAProxy, and `ca.pem`.
    pub fn write(&self, folder: &Path) {
        let files = self.front.write(folder, "lb");
        self.ca.write(folder, "ca.pem");
        let both = [files.cert, files.key].map(|file| std::fs::read(file).unwrap()).concat();
        write(folder, "lb-both.pem", &both, 0o600);
    }
}

impl Connectors {
    /// Makes the TLS of one end of a connection in this mode.
    pub async fn connect(&self, version: Tls, mode: Mode, socket: Socket) -> std::io::Result<Wire> {
        let name = if mode == Mode::Through { NODE } else { FRONT };
        let name = ServerName::try_from(name).unwrap();
        self.0[version as usize].connect(name, socket).await.map(Wire::tls)
    }
}

impl Tls {
    fn rustls(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::V12 => &TLS12,
            Self::V13 => &TLS13,
        }
    }
}

const FRONT: &str = "lb.example.test";

/// The name of every member.
pub const NODE: &str = "node.example.test";
