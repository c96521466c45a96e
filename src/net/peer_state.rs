//! Waiting for the peer of a connection: until it closes, resets, or has acknowledged everything.

use std::future::{Future, pending};
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::recording_socket::Socket;
use super::socket_options::shutdown_write;
use super::sys;

/// Waits until the peer has closed its sending direction, by FIN or RST, without reading. Where the system cannot tell,
/// it waits forever.
pub async fn peer_closed(stream: &TcpStream) {
    let Some(own) = own_registration(stream) else { return pending().await };
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

/// Waits until the connection is lost in both directions: the peer reset it, or its host does not answer any more.
/// The end of the peer's sending direction alone (FIN) is no loss. Nothing is read.
pub fn peer_lost(socket: &Socket) -> impl Future<Output = ()> + Send + 'static {
    let (is_lost, tcp) = (socket.is_lost(), Arc::clone(&socket.tcp));
    async move {
        // The kernel has told it, and does not tell it again.
        if is_lost {
            return;
        }
        // Any answer is final: an error of the socket, or the runtime that ends. Reading and writing do not clear this
        // readiness.
        let _ = tcp.ready(Interest::ERROR).await;
    }
}

/// Returns the same connection with a registration of its own at the runtime: readiness that is cleared in one stays
/// set for readers of the other.
fn own_registration(stream: &TcpStream) -> Option<TcpStream> {
    let own = stream.as_fd().try_clone_to_owned().and_then(|fd| TcpStream::from_std(fd.into()));
    own.ok()
}

/// Ends the sending direction, and discards what the peer sends until it closes, for `limit` at most. So the peer
/// receives what was sent to it last: the kernel resets a connection that is closed with unread bytes, and a reset
/// discards what the peer has not read yet.
pub async fn until_peer_closes(socket: &mut Socket, limit: Duration) {
    if shutdown_write(&socket.tcp).is_err() {
        return;
    }
    let _ = timeout(limit, discard(socket, MOST_DISCARDED)).await;
}

/// Discards what the peer sends, until it closes or has sent `most` bytes.
async fn discard(socket: &mut Socket, most: usize) {
    let mut bytes = vec![0; 16 << 10];
    let mut discarded = 0;
    while discarded < most {
        let room = bytes.len().min(most - discarded);
        match socket.read(&mut bytes[..room]).await {
            Ok(count @ 1..) => discarded += count,
            Ok(0) | Err(_) => return,
        }
    }
}

/// Waits until the peer has acknowledged all bytes that were written, for `limit` at most. Returns whether it has.
pub async fn all_acknowledged(stream: &TcpStream, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    while !is_all_acknowledged(stream) {
        if Instant::now() >= deadline {
            return false;
        }
        // The kernel has no event for it, so this asks again, less and less often.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    true
}

/// As [`all_acknowledged`], and discards what the peer sends meanwhile: one that is writing may read only afterwards.
pub async fn all_acknowledged_discarding(socket: &mut Socket, limit: Duration) -> bool {
    let tcp = Arc::clone(&socket.tcp);
    let mut acknowledged = pin!(all_acknowledged(&tcp, limit));
    tokio::select! {
        biased;
        acknowledged = &mut acknowledged => acknowledged,
        // One that closes, or is lost, may still acknowledge.
        () = discard(socket, usize::MAX) => acknowledged.await,
    }
}

/// Returns whether the peer has acknowledged all bytes that were written, or never will, as the connection was lost.
pub fn is_all_acknowledged(stream: &TcpStream) -> bool {
    sys::unsent_bytes(stream) == 0 || sys::is_closed(stream)
}

/// The most bytes that are discarded of a peer that goes on sending: it does not wait for an answer.
const MOST_DISCARDED: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::net::loopback::pair;
    use crate::net::reset_on_close;

    #[tokio::test]
    async fn only_a_reset_is_a_loss_and_bytes_and_fin_are_none() {
        let (near, mut far) = pair().await;
        let near = Socket::new(near);
        let mut lost = pin!(peer_lost(&near));
        far.write_all(b"request").await.unwrap();
        far.shutdown().await.unwrap();
        peer_closed(&near.tcp).await;
        tokio::select! {
            biased;
            () = &mut lost => panic!("FIN is no loss"),
            () = tokio::task::yield_now() => {}
        }
        reset_on_close(&far);
        drop(far);
        lost.await;
    }

    #[tokio::test]
    async fn bytes_that_a_lost_peer_will_never_acknowledge_are_not_waited_for() {
        let (near, far) = pair().await;
        near.writable().await.unwrap();
        while near.try_write(&[0; 65536]).is_ok() {}
        assert!(!is_all_acknowledged(&near));
        reset_on_close(&far);
        drop(far);
        assert!(all_acknowledged(&near, Duration::from_secs(60)).await);
    }

    #[tokio::test]
    async fn last_words_reach_a_peer_that_was_still_sending() {
        let (near, mut far) = pair().await;
        let mut near = Socket::new(near);
        far.write_all(b"garbage").await.unwrap();
        near.write_all(b"alert").await.unwrap();
        let (mut answer, limit) = (Vec::new(), Duration::from_secs(60));
        let (read, ()) = tokio::join!(
            async {
                let read = far.read_to_end(&mut answer).await;
                drop(far);
                read
            },
            until_peer_closes(&mut near, limit)
        );
        assert_eq!((read.unwrap(), &answer[..]), (5, &b"alert"[..]));
    }

    #[tokio::test]
    async fn few_bytes_are_discarded_of_a_peer_whose_arrivals_are_paused() {
        let (near, mut far) = pair().await;
        let mut near = Socket::new(near);
        near.pause_wakeups();
        far.write_all(b"request").await.unwrap();
        timeout(Duration::from_secs(60), discard(&mut near, 7)).await.unwrap();
    }
}
