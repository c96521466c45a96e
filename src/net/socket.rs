use std::io;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::sys;
use crate::model::profile::Protocol;

/// Probes that may go unanswered before the kernel gives a silent peer up.
const KEEPALIVE_PROBES: u32 = 4;

/// Sets the options of a protocol profile on a connection.
///
/// # Errors
/// What the system says, as when the peer has already gone.
pub fn tune(stream: &TcpStream, profile: &Protocol) -> io::Result<()> {
    if profile.nodelay {
        stream.set_nodelay(true)?;
    }
    if let Some(interval) = profile.keep_alive_interval {
        let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval).with_retries(KEEPALIVE_PROBES);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}

/// Makes the coming close send RST instead of FIN. What the peer has not acknowledged yet is lost with it.
pub fn reset_on_close(stream: &TcpStream) {
    // A socket that is gone already has nothing left to reset.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Waits until the peer has acknowledged everything written to it, for `limit` at most; tells whether it has.
pub async fn drained(stream: &TcpStream, limit: Duration) -> bool {
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
