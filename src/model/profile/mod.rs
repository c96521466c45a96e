//! Profiles: named sets of settings that virtual servers share. Inheritance is already applied here.

mod client_ssl;
mod persistence;
mod protocol;
mod server_ssl;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::name::Name;

pub use client_ssl::{
    CertKey, Certificate, CipherGroup, ClientSsl, CrlScope, Passphrase, PeerCertMode, TlsVersion, TlsVersions,
};
pub use persistence::{Affinity, Persistence, PersistenceKind, SourceMask};
pub use protocol::{Protocol, ProtocolKind};
pub use server_ssl::{CertResponse, ServerSsl, TrustAnchors};

/// Profiles by name. A name has one type, so that it is in one map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profiles {
    pub client_ssl: BTreeMap<Name, Arc<ClientSsl>>,
    pub server_ssl: BTreeMap<Name, Arc<ServerSsl>>,
    pub protocol: BTreeMap<Name, Arc<Protocol>>,
    pub persistence: BTreeMap<Name, Arc<Persistence>>,
}
