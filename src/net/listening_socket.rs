use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

use super::set_options;
use crate::model::profile::Protocol;

/// A socket that is bound to a destination and takes no connection yet.
#[derive(Debug)]
pub struct BoundSocket(Socket);

/// Binds to `destination`. `[::]` takes IPv4 clients as well. With `shared`, the port may be that of another socket of
/// this user which is [shared](share_port) too.
///
/// # Errors
/// What the system says: address in use, not of this machine, or a port that needs a privilege.
pub fn bind(destination: SocketAddr, shared: bool) -> io::Result<BoundSocket> {
    let socket = Socket::new(Domain::for_address(destination), Type::STREAM, Some(socket2::Protocol::TCP))?;
    if destination.is_ipv6() {
        socket.set_only_v6(!destination.ip().is_unspecified())?;
    }
    // Lets a restart bind while connections of the previous process are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    share_port(&socket, shared)?;
    socket.bind(&destination.into())?;
    Ok(BoundSocket(socket))
}

impl BoundSocket {
    /// Listens, with the options of a protocol profile, and registers the socket with the current runtime.
    ///
    /// # Errors
    /// What the system says, as when another program has come to listen there meanwhile.
    pub fn listen(self, profile: &Protocol) -> io::Result<TcpListener> {
        set_listening_options(&self.0, profile)?;
        TcpListener::from_std(self.0.into())
    }
}

/// Lets other sockets of this user bind to the port of this one, or no more.
///
/// # Errors
/// What the system says.
pub fn share_port(socket: &impl AsFd, shared: bool) -> io::Result<()> {
    SockRef::from(socket).set_reuse_port(shared)
}

/// Gives a listening socket the options of a protocol profile, its backlog among them; queued connections stay.
///
/// # Errors
/// What the system says.
pub fn set_listening_options(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    SockRef::from(socket).listen(i32::try_from(profile.backlog).unwrap_or(i32::MAX))?;
    set_options(socket, profile)
}
