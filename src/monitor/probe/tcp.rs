//! The monitors `tcp`, `tcp-half-open` and `gateway`: a TCP connection, and nothing on it.

use std::net::SocketAddr;
use std::time::Duration;

use super::limit::Limit;
use super::probe_trait::{Probe, Probing};
use super::stream::{Failure, How, connect};
use crate::monitor::outcome::Outcome;
use crate::net;

/// Connects and closes at once.
pub(in crate::monitor) struct Tcp;

/// Connects and resets at once. The kernel has completed the handshake by then: to break it off earlier would take a
/// raw socket and its privilege.
pub(in crate::monitor) struct HalfOpen;

/// Connects; a host that refuses is there.
pub(in crate::monitor) struct Gateway;

impl Probe for Tcp {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(tcp(address, limit))
    }
}

impl Probe for HalfOpen {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(half_open(address, limit))
    }
}

impl Probe for Gateway {
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
        Box::pin(gateway(address, limit))
    }
}

/// Returns how the host refuses the connection, if it does: nothing listens there.
pub(in crate::monitor) async fn refusal(address: SocketAddr, limit: Duration) -> Option<String> {
    match connect(address, Limit::new(limit)).await {
        Err(Failure { how: How::Refused, reason }) => Some(reason),
        Ok(_) | Err(_) => None,
    }
}

async fn tcp(address: SocketAddr, limit: Duration) -> Outcome {
    connect(address, Limit::new(limit)).await.map_or_else(Failure::into, |_| Outcome::Answers)
}

async fn half_open(address: SocketAddr, limit: Duration) -> Outcome {
    match connect(address, Limit::new(limit)).await {
        Ok(tcp) => {
            net::reset_on_close(&tcp);
            Outcome::Answers
        }
        Err(failure) => failure.into(),
    }
}

async fn gateway(address: SocketAddr, limit: Duration) -> Outcome {
    match connect(address, Limit::new(limit)).await {
        Err(Failure { how: How::Refused, .. }) | Ok(_) => Outcome::Answers,
        Err(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// Returns a socket at whose address nobody listens, or will while it is held.
    fn nobody() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[tokio::test]
    async fn tcp_closes_and_half_open_resets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(tcp(address, LIMIT).await, Outcome::Answers);
        let (mut closed, _) = listener.accept().await.unwrap();
        assert_eq!(closed.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(half_open(address, LIMIT).await, Outcome::Answers);
        let (mut reset, _) = listener.accept().await.unwrap();
        assert_eq!(reset.read(&mut [0]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn refusal_is_a_failure_except_for_a_gateway() {
        let (_held, address) = nobody();
        let Outcome::Fails(reason) = tcp(address, LIMIT).await else { panic!() };
        assert!(reason.starts_with(&format!("cannot connect to {address}: ")), "{reason}");
        assert!(matches!(half_open(address, LIMIT).await, Outcome::Fails(_)));
        assert_eq!(gateway(address, LIMIT).await, Outcome::Answers);
    }
}
