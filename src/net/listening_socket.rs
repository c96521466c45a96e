//! Listening sockets: binding, listening, and sharing a port for a moment.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;

use super::socket_options::set_inherited_options;
use crate::model::profile::Protocol;

/// A socket that is bound to a destination and accepts no connection yet.
#[derive(Debug)]
pub struct BoundSocket(Socket);

/// Binds a socket to `destination`. `[::]` accepts IPv4 clients as well, and is `0.0.0.0` on a system without IPv6. With `shared`, another socket of this user
/// that is [shared](share_port) too may have the same port.
///
/// # Errors
/// The address is in use or not one of this machine's, or the port needs a privilege.
pub fn bind(destination: SocketAddr, shared: bool) -> io::Result<BoundSocket> {
    match bind_to(destination, shared) {
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) && destination.ip() == Ipv6Addr::UNSPECIFIED => {
            let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, destination.port()));
            tracing::warn!(%destination, "this system has no IPv6, so pronk listens on {v4}");
            bind_to(v4, shared)
        }
        bound => bound,
    }
}

fn bind_to(destination: SocketAddr, shared: bool) -> io::Result<BoundSocket> {
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
    /// The system refuses it, as when another program listens there meanwhile.
    pub fn listen(self, profile: &Protocol) -> io::Result<TcpListener> {
        set_listening_options(&self.0, profile)?;
        TcpListener::from_std(self.0.into())
    }

    /// Listens with the system's own options, for what is no virtual server, and registers the socket with the current
    /// runtime.
    ///
    /// # Errors
    /// The system refuses it, as when another program listens there meanwhile.
    pub fn listen_plainly(self, backlog: i32) -> io::Result<TcpListener> {
        self.0.listen(backlog)?;
        TcpListener::from_std(self.0.into())
    }
}

/// Sets whether other sockets of this user may bind to the port of this one.
///
/// # Errors
/// The system refuses the option.
pub fn share_port(socket: &impl AsFd, shared: bool) -> io::Result<()> {
    SockRef::from(socket).set_reuse_port(shared)
}

/// Sets the options of a protocol profile on a listening socket, its backlog among them. Connections in the backlog
/// stay.
///
/// # Errors
/// The system refuses an option.
pub fn set_listening_options(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    SockRef::from(socket).listen(i32::try_from(profile.backlog).unwrap_or(i32::MAX))?;
    set_inherited_options(socket, profile)
}
