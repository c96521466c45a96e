//! client-ssl profiles: TLS with clients.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::name::Name;

/// How TLS from clients is terminated (F5's `client-ssl`).
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSsl {
    pub name: Name,
    /// At least one, best first. Which of them a client is shown is decided by its SNI, by dates, and by the client's
    /// signature schemes.
    pub cert_key_chain: Vec<CertKey>,
    /// Refuse a client whose SNI is absent or names none of the certificates.
    pub sni_require: bool,
    pub versions: TlsVersions,
    pub cipher_group: CipherGroup,
    pub peer_cert_mode: PeerCertMode,
    /// PEM file of the authorities that may have issued client certificates.
    pub ca_file: Option<PathBuf>,
    /// PEM or DER file of revocation lists for client certificates.
    pub crl_file: Option<PathBuf>,
    pub crl_scope: CrlScope,
    /// Most certificates that a client's chain may have, its own included.
    pub authenticate_depth: u8,
    /// From the client's first byte being awaited to the end of the handshake.
    pub handshake_timeout: Duration,
    /// Give session tickets; their keys rotate and never leave the process.
    pub session_ticket: bool,
    /// Sessions kept in memory for clients without tickets; 0 keeps none.
    pub cache_size: u32,
    /// Protocol names offered, best first; empty offers none.
    pub alpn: Vec<String>,
}

/// One certificate with its private key.
#[derive(Clone, Debug, PartialEq)]
pub struct CertKey {
    pub certificate: Certificate,
    pub passphrase: Option<Passphrase>,
    /// Served to clients whose SNI matches no certificate; without one marked it is the first.
    pub sni_default: bool,
}

/// Where a certificate and its key are. Paths are absolute.
#[derive(Clone, Debug, PartialEq)]
pub enum Certificate {
    /// An entry of the certificate store.
    Store(String),
    Files {
        cert: PathBuf,
        key: PathBuf,
        chain: Option<PathBuf>,
    },
}

/// Where the passphrase of an encrypted key is; never the passphrase itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Passphrase {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

/// Which certificates of a peer's chain must be on no revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlScope {
    /// The peer's own.
    Leaf,
    /// The peer's own and those of the authorities between it and the trusted one.
    Chain,
}

impl CrlScope {
    pub const ALL: [Self; 2] = [Self::Leaf, Self::Chain];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Chain => "chain",
        }
    }
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerCertMode {
    Ignore,
    /// Asked; one that is given must be valid.
    Request,
    Require,
}

impl PeerCertMode {
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Request, Self::Require];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Request => "request",
            Self::Require => "require",
        }
    }
}

/// The oldest and newest TLS version spoken; `minimum <= maximum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsVersions {
    pub minimum: TlsVersion,
    pub maximum: TlsVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

impl TlsVersion {
    pub const ALL: [Self; 2] = [Self::Tls12, Self::Tls13];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "tls1.2",
            Self::Tls13 => "tls1.3",
        }
    }
}

/// Which cipher suites, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CipherGroup {
    /// All that rustls has; AES-128-GCM-SHA256 first where the processor computes SHA-256.
    Default,
    /// 256-bit keys only: AES-256-GCM, then ChaCha20-Poly1305.
    Secure,
    /// AES-GCM only.
    Aes,
    /// AES-GCM with ECDSA certificates and TLS 1.3 only.
    Ecc,
}

impl CipherGroup {
    pub const ALL: [Self; 4] = [Self::Default, Self::Secure, Self::Aes, Self::Ecc];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Secure => "secure",
            Self::Aes => "aes",
            Self::Ecc => "ecc",
        }
    }
}
