//! TLS toward one member: its configuration, the server name that it is sent, and its verifier.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::judged_sessions::JudgedSessions;
use super::member_verifier::{MemberVerifier, Tolerated};
use crate::model::profile::ServerSsl;
use crate::model::{Address, Member};

/// TLS toward one member: its own name to verify and its own sessions to resume.
pub struct MemberTls {
    pub(super) sessions: JudgedSessions,
    /// For [`TlsConnector::connect`]. Not what the certificate is checked against.
    pub server_name: ServerName<'static>,
    /// The server name that is sent, if any.
    pub sni: Option<String>,
    /// The member's whereabouts as far as they matter here, to notice when they change.
    pub(super) hostname: Option<String>,
    pub(super) address: Address,
    pub(super) verifier: Arc<MemberVerifier>,
    pub(super) handshake_timeout: Duration,
}

impl MemberTls {
    /// Begins handshakes with the member, to be given [`Self::server_name`].
    pub fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.sessions.config())
    }

    /// Returns the name of the server-ssl profile.
    pub fn profile(&self) -> &str {
        &self.verifier.profile
    }

    pub fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    /// Returns the flaws that this member's certificate has shown and the profile lets pass.
    pub fn tolerated(&self) -> Tolerated {
        self.verifier.tolerated()
    }

    /// Returns whether the member is still where it was.
    pub(super) fn is_for(&self, member: &Member) -> bool {
        self.hostname == member.node.hostname && self.address == member.node.address
    }
}

impl fmt::Debug for MemberTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberTls").field("verifier", &self.verifier).field("sni", &self.sni).finish_non_exhaustive()
    }
}

/// Returns the name to send: the profile's, else the node's hostname or FQDN; none for a node known by its IP address.
pub(super) fn sni(profile: &ServerSsl, member: &Member) -> Option<ServerName<'static>> {
    let name = match (&profile.server_name, &member.node.hostname, &member.node.address) {
        (Some(name), _, _) | (None, Some(name), _) | (None, None, Address::Fqdn(name)) => name,
        (None, None, Address::Ip(_)) => return None,
    };
    match ServerName::try_from(name.clone()) {
        Ok(name @ ServerName::DnsName(_)) => Some(name),
        _ => None,
    }
}
