use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

use super::tune;
use crate::model::profile::Protocol;

/// Listens on `destination`. `[::]` takes IPv4 clients as well.
///
/// # Errors
/// What the system says: address in use, not of this machine, or a port that needs a privilege.
pub fn bind(destination: SocketAddr, profile: &Protocol) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(destination), Type::STREAM, Some(socket2::Protocol::TCP))?;
    if destination.is_ipv6() {
        socket.set_only_v6(!destination.ip().is_unspecified())?;
    }
    // Lets a restart bind while connections of the previous process are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&destination.into())?;
    adjust(&socket, profile)?;
    TcpListener::from_std(socket.into())
}

/// Gives a listening socket the options of a protocol profile, its backlog among them; queued connections stay.
///
/// # Errors
/// What the system says.
pub fn adjust(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    SockRef::from(socket).listen(i32::try_from(profile.backlog).unwrap_or(i32::MAX))?;
    tune(socket, profile)
}
