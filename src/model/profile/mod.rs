//! Profiles: named sets of settings that virtual servers share. Inheritance is already applied here.

mod client_ssl;
mod persistence;
mod protocol;
mod server_ssl;

pub use client_ssl::{CertKey, Certificate, CipherGroup, ClientSsl, Passphrase, PeerCertMode, TlsVersion, TlsVersions};
pub use persistence::{Affinity, Persistence, PersistenceKind, SourceMask};
pub use protocol::{Protocol, ProtocolKind};
pub use server_ssl::{CertResponse, ServerSsl, TrustAnchors};
