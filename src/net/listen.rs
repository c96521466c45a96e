use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpListener;

/// A socket that is bound and listens, and the backlog it has.
#[derive(Debug)]
pub struct Listening {
    pub socket: TcpListener,
    pub backlog: u32,
}

impl Listening {
    /// Changes the backlog of a socket that listens already; queued connections stay.
    pub fn set_backlog(&self, backlog: u32) -> io::Result<()> {
        SockRef::from(&self.socket).listen(clamped(backlog))
    }
}

/// Listens on `destination`. `[::]` takes IPv4 clients as well.
///
/// # Errors
/// What the system says: address in use, not of this machine, or a port that needs a privilege.
pub fn bind(destination: SocketAddr, backlog: u32) -> io::Result<Listening> {
    let socket = Socket::new(Domain::for_address(destination), Type::STREAM, Some(Protocol::TCP))?;
    if destination.is_ipv6() {
        socket.set_only_v6(!destination.ip().is_unspecified())?;
    }
    // Lets a restart bind while connections of the previous process are in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&destination.into())?;
    socket.listen(clamped(backlog))?;
    Ok(Listening { socket: TcpListener::from_std(socket.into())?, backlog })
}

fn clamped(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}
