//! Waiting for the peer of a connection: until it closes, or has acknowledged everything.

use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::net::TcpStream;

use super::sys;

/// Waits until the peer has closed its sending direction, by FIN or RST, without reading. Where the system cannot tell,
/// it waits forever.
pub async fn peer_closed(stream: &TcpStream) {
    // A registration of its own: readiness that is cleared here stays set for readers of the stream.
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

/// Waits until the peer has acknowledged all bytes that were written, for `limit` at most. Returns whether it has.
pub async fn all_acknowledged(stream: &TcpStream, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    while sys::unsent_bytes(stream) > 0 {
        if Instant::now() >= deadline {
            return false;
        }
        // The kernel has no event for it, so this asks again, less and less often.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    true
}
