use std::future::pending;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::sys;
use crate::model::profile::Protocol;

/// Probes that may go unanswered before the kernel gives a silent peer up.
const KEEPALIVE_PROBES: u32 = 4;

/// Sets the options of a protocol profile on a connection, or on a listening socket, whose connections inherit them.
///
/// # Errors
/// What the system says, as when the peer has already gone.
pub fn set_options(socket: &impl AsFd, profile: &Protocol) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(profile.nodelay)?;
    match profile.keep_alive_interval {
        Some(interval) => {
            let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval);
            socket.set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_PROBES))
        }
        None => socket.set_keepalive(false),
    }
}

/// Makes the coming close send RST instead of FIN. What the peer has not acknowledged yet is lost with it.
pub fn reset_on_close(stream: &TcpStream) {
    // A socket that is gone already has nothing left to reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Ends the sending side with FIN.
pub fn shutdown_write(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).shutdown(Shutdown::Write)
}

/// Waits until the peer has ended what it sends, by FIN or RST, and reads nothing meanwhile. Where the system cannot
/// tell, this waits for ever.
pub async fn peer_closed(stream: &TcpStream) {
    // A registration of its own: readiness that is cleared here stays set for those who read the stream.
    let own = stream.as_fd().try_clone_to_owned().and_then(|fd| TcpStream::from_std(fd.into()));
    let Ok(own) = own else { return pending().await };
    loop {
        match own.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => {
                let nothing_read = || Err::<(), _>(io::Error::from(io::ErrorKind::WouldBlock));
                // Clears the readiness, so that the next event is waited for.
                let _ = own.try_io(Interest::READABLE, nothing_read);
            }
            Ok(_) | Err(_) => return,
        }
    }
}

/// Waits until the peer has acknowledged everything written to it, for `limit` at most; tells whether it has.
pub async fn all_acknowledged(stream: &TcpStream, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    while sys::unsent_bytes(stream) > 0 {
        if Instant::now() >= deadline {
            return false;
        }
        // The kernel has no event for "acknowledged", so this looks again, ever less often.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    true
}
