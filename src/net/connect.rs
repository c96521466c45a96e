//! Connecting, and whether a failure is the other side's or pronk's own.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

use super::shortage::Shortage;
use super::socket_options::set_connecting_options;
use crate::model::profile::Protocol;
use crate::reading::os_reason;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// pronk itself is short of a resource, which is logged already. It says nothing about the other side.
    #[error("pronk is {0}")]
    Short(Shortage),
    /// This machine has no source address, as for IPv6 where it has IPv4 addresses only.
    #[error("this machine has no address from which to reach it")]
    NoSource,
    /// The system refuses an option of the socket.
    #[error("the system refuses an option of its socket: {}", os_reason(.0))]
    Options(io::Error),
    /// The other side or the network refused it.
    #[error("{}", os_reason(.0))]
    Failed(#[source] io::Error),
}

impl NotConnected {
    /// Classifies an error of a datagram socket, which never means a lack of ports as that of a connect does. A
    /// shortage is logged, where `doing` says what failed.
    pub fn of_datagrams(error: io::Error, doing: impl fmt::Display) -> Self {
        Self::because(Shortage::of(&error), error, doing)
    }

    fn because(shortage: Option<Shortage>, error: io::Error, doing: impl fmt::Display) -> Self {
        match shortage {
            Some(shortage) => {
                shortage.report(doing);
                Self::Short(shortage)
            }
            None if is_without_source(&error) => Self::NoSource,
            None => Self::Failed(error),
        }
    }
}

/// Connects to an address.
///
/// # Errors
/// Why there is no connection: a shortage of pronk's own, which is logged, or the other side.
pub async fn connect(address: SocketAddr) -> Result<TcpStream, NotConnected> {
    #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "its errors are told apart here"))]
    let connecting = TcpStream::connect(address);
    connecting.await.map_err(|error| not_connected(address, error))
}

/// Connects to an address with the options of a protocol profile. They are set before, as the handshake announces the
/// maximum segment size.
///
/// # Errors
/// As [`connect`], and that the system refuses an option.
pub async fn connect_with(address: SocketAddr, profile: &Protocol) -> Result<TcpStream, NotConnected> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| not_connected(address, error))?;
    if let Err(error) = set_connecting_options(&socket, profile) {
        let Some(shortage) = Shortage::of(&error) else { return Err(NotConnected::Options(error)) };
        shortage.report(format_args!("setting the options of a connection to {address}"));
        return Err(NotConnected::Short(shortage));
    }
    socket.connect(address).await.map_err(|error| not_connected(address, error))
}

fn not_connected(address: SocketAddr, error: io::Error) -> NotConnected {
    let shortage = Shortage::of_connect(&error, || has_source(address));
    NotConnected::because(shortage, error, format_args!("connecting to {address}"))
}

/// Returns whether this machine has a source address for packets to `address`. Connecting a datagram socket finds the
/// route and the source address, and sends nothing.
fn has_source(address: SocketAddr) -> bool {
    let connected =
        Socket::new(Domain::for_address(address), Type::DGRAM, None).and_then(|socket| socket.connect(&address.into()));
    // Ports of datagram sockets and descriptors may be used up as well, which says nothing about source addresses.
    !connected.is_err_and(|error| is_without_source(&error))
}

fn is_without_source(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::ADDRNOTAVAIL)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn refusal_is_the_other_sides_and_loopback_has_a_source() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(connect(address).await.is_ok());
        drop(listener);
        let refused = connect(address).await.unwrap_err();
        assert!(
            matches!(&refused, NotConnected::Failed(error) if error.kind() == io::ErrorKind::ConnectionRefused),
            "{refused}"
        );
        assert!(has_source(address));
    }
}
