//! Clients and members that speak TLS.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};

use crate::peers::{connect, member};

/// The name by which clients know the virtual server.
pub const FRONT: &str = "lb.example.test";
/// The name of the member's node.
pub const NODE: &str = "node.example.test";

pub type TlsClient = StreamOwned<ClientConnection, TcpStream>;
pub type TlsMember = StreamOwned<ServerConnection, TcpStream>;

/// Connects a client, whose handshake begins with the first bytes that are written or read.
pub fn tls_client(address: SocketAddr, config: Arc<ClientConfig>) -> TlsClient {
    let tls = ClientConnection::new(config, ServerName::try_from(FRONT).unwrap()).unwrap();
    StreamOwned::new(tls, connect(address))
}

/// A member that does this with each connection, whose handshake begins with the first bytes that are read or written.
pub fn tls_member(config: Arc<ServerConfig>, serve: impl Fn(TlsMember) + Send + Sync + 'static) -> SocketAddr {
    member(move |tcp| serve(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp)))
}
