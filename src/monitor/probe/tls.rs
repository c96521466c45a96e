use std::net::SocketAddr;
use std::time::Duration;

use crate::model::Host;
use crate::tls::{self, Shown};

/// Handshakes within `limit` and closes. Any certificate is taken: whether it is to be trusted is not asked here.
pub(in crate::monitor) async fn tls(address: SocketAddr, server_name: Option<&Host>, limit: Duration) -> Shown {
    tls::handshake(address, server_name, limit).await
}
