//! server-ssl profiles: TLS with members.

use std::path::PathBuf;
use std::time::Duration;

use super::client_ssl::{CertKey, CipherGroup, CrlScope, TlsVersions};
use crate::model::name::Name;

/// How TLS toward members is begun (F5's `server-ssl`). Unlike F5's, it verifies unless told otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSsl {
    pub name: Name,
    pub ca_file: TrustAnchors,
    /// Verify the member's certificate (`peer-cert-mode: require`); `ignore` verifies nothing.
    pub verify: bool,
    /// The name that the certificate must carry; by default the node's hostname, else its address.
    pub authenticate_name: Option<String>,
    /// The SNI sent; by default the node's hostname, and none for a node known by its IP address.
    pub server_name: Option<String>,
    /// PEM or DER file of revocation lists for members' certificates.
    pub crl_file: Option<PathBuf>,
    pub crl_scope: CrlScope,
    /// What follows on an expired certificate.
    pub expire_cert_response: CertResponse,
    /// What follows on a certificate from an unknown issuer.
    pub untrusted_cert_response: CertResponse,
    /// The certificate shown to members that ask for one.
    pub client_certificate: Option<CertKey>,
    pub versions: TlsVersions,
    pub cipher_group: CipherGroup,
    pub handshake_timeout: Duration,
    /// Sessions kept in memory for each member, to resume; 0 keeps none.
    pub cache_size: u32,
    pub alpn: Vec<String>,
}

/// Whom to trust to have issued members' certificates.
#[derive(Clone, Debug, PartialEq)]
pub enum TrustAnchors {
    /// A PEM file, absolute.
    File(PathBuf),
    /// The operating system's store (`system`).
    System,
    /// Mozilla's list as compiled in (`webpki-roots`).
    WebpkiRoots,
}

/// What a flaw in a member's certificate does to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertResponse {
    /// The handshake fails.
    Drop,
    /// The connection goes on; the flaw is logged.
    Ignore,
}

impl CertResponse {
    pub const ALL: [Self; 2] = [Self::Drop, Self::Ignore];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Ignore => "ignore",
        }
    }
}
