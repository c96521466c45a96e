//! The options of a connection's socket, and how it is closed.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::model::profile::Protocol;

/// Sets the options of a protocol profile on a new socket that is to connect, other than [`keep_alive`]. What a new
/// socket has already is not set again, as each connection pays for it.
///
/// # Errors
/// The system refuses an option.
pub(super) fn set_connecting_options(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if profile.nodelay {
        socket.set_tcp_nodelay(true)?;
    }
    if profile.user_timeout.is_some() {
        socket.set_tcp_user_timeout(profile.user_timeout)?;
    }
    if let Some(size) = profile.max_segment_size {
        socket.set_tcp_mss(size.into())?;
    }
    Ok(())
}

/// Makes the kernel probe a peer that is silent for the profile's keep-alive interval.
pub fn keep_alive(socket: &impl AsFd, profile: &Protocol) {
    if let Some(interval) = profile.keep_alive_interval {
        // A system that refuses it was told of when the listening socket got the same options. The connection goes on
        // without probes.
        let _ = set_keepalive(&SockRef::from(socket), interval);
    }
}

/// Sets the options of a protocol profile on a listening socket, whose connections inherit them. It may have others.
///
/// # Errors
/// The system refuses an option.
pub(super) fn set_inherited_options(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(profile.nodelay)?;
    socket.set_tcp_user_timeout(profile.user_timeout)?;
    match profile.max_segment_size {
        Some(size) => socket.set_tcp_mss(size.into())?,
        // Kernels that refuse 0 keep the old size until pronk is restarted.
        None => drop(socket.set_tcp_mss(0)),
    }
    match profile.keep_alive_interval {
        Some(interval) => set_keepalive(&socket, interval),
        None => socket.set_keepalive(false),
    }
}

fn set_keepalive(socket: &SockRef<'_>, interval: Duration) -> io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval);
    socket.set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_PROBES))
}

/// Makes the close send RST instead of FIN. Bytes that the peer has not acknowledged are lost then.
pub fn reset_on_close(stream: &TcpStream) {
    // A socket that is closed already needs no reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Ends the sending direction with FIN.
pub fn shutdown_write(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).shutdown(Shutdown::Write)
}

/// Keep-alive probes that may go unanswered before the kernel closes the connection.
const KEEPALIVE_PROBES: u32 = 4;
