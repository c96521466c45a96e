//! Clients and members that speak TLS.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};

use crate::peers::{connect, member};
use crate::support::ca::{Authority, Leaf};
use pronk::model::profile::CipherGroup;

/// The name by which clients know the virtual server.
pub const FRONT: &str = "lb.example.test";
/// The name of the member's node.
pub const NODE: &str = "node.example.test";

pub type TlsClient = StreamOwned<ClientConnection, TcpStream>;
pub type TlsMember = StreamOwned<ServerConnection, TcpStream>;

/// The settings of a client that trusts this authority.
pub fn trusting(ca: &Authority) -> Arc<ClientConfig> {
    trusting_with(ca, ALL_VERSIONS)
}

/// As [`trusting`], with these versions of TLS.
pub fn trusting_with(ca: &Authority, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(ca))
        .with_no_client_auth();
    Arc::new(config)
}

/// The settings of a member that shows this certificate.
pub fn showing(leaf: &Leaf) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    Arc::new(config)
}

/// The settings of a member that shows this certificate, and asks clients for one of this authority.
pub fn asking_for_a_certificate(
    leaf: &Leaf,
    ca: &Authority,
    version: &'static SupportedProtocolVersion,
) -> Arc<ServerConfig> {
    let provider = pronk::tls::provider(CipherGroup::Default);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(ca).into(), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    Arc::new(config)
}

/// Connects a client, whose handshake begins with the first bytes that are written or read.
pub fn tls_client(address: SocketAddr, config: Arc<ClientConfig>) -> TlsClient {
    let tls = ClientConnection::new(config, ServerName::try_from(FRONT).unwrap()).unwrap();
    StreamOwned::new(tls, connect(address))
}

/// A member that does this with each connection, whose handshake begins with the first bytes that are read or written.
pub fn tls_member(config: Arc<ServerConfig>, serve: impl Fn(TlsMember) + Send + Sync + 'static) -> SocketAddr {
    member(move |tcp| serve(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp)))
}

fn roots(ca: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone()).unwrap();
    roots
}
