use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects and closes at once, within `limit`.
///
/// # Errors
/// What kept it from connecting, in words.
pub(in crate::monitor) async fn tcp(address: SocketAddr, limit: Duration) -> Result<(), String> {
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("cannot connect to {address}: {error}")),
        Err(_) => Err(format!("{address} did not answer within {limit:?}")),
    }
}
