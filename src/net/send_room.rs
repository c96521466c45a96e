//! How many bytes a connection takes before its send buffer is full, and waiting for room in it.

use std::io;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::sys;

/// Waits until the socket has room for `least` bytes, or for a fair part of its send buffer if that is smaller. Returns
/// how many bytes it takes at once, never 0: `usize::MAX` where the kernel does not tell. A connection that is lost has
/// room, so that the next write finds the loss.
///
/// # Errors
/// The runtime ends.
pub fn poll_send_room(stream: &TcpStream, least: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    loop {
        // First: between a full buffer and the event there may be room, but the runtime lets nobody write.
        ready!(stream.poll_write_ready(cx))?;
        let room = sys::send_room(stream).unwrap_or(usize::MAX);
        if room >= least {
            return Poll::Ready(Ok(room));
        }
        // What the runtime knows is old if the last write just fitted. In the closure, so that an event which comes after
        // the question is not forgotten.
        match stream.try_io(Interest::WRITABLE, || ask_and_request_event(stream)) {
            // There may be room since it was asked for.
            Ok(()) => return Poll::Ready(Ok(sys::send_room(stream).unwrap_or(usize::MAX).max(1))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

/// Asks the kernel whether the socket is writable. If it is not, the question also makes the kernel tell when it is:
/// there is no event without a write that failed or this question (`SOCK_NOSPACE`).
fn ask_and_request_event(stream: &TcpStream) -> io::Result<()> {
    let mut sockets = [PollFd::new(stream, PollFlags::OUT)];
    match poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::net::reset_on_close;

    const LEAST: usize = 16 << 10;

    /// A connection whose send buffer is full to the last byte, and which the last write does not know.
    async fn full() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let near = near.unwrap();
        near.writable().await.unwrap();
        loop {
            match sys::send_room(&near).unwrap() {
                0 => return (near, far.unwrap().0),
                // One by one at the end.
                room => assert!(near.try_write(&vec![0; (room / 2).clamp(1, LEAST)]).unwrap() > 0),
            }
        }
    }

    async fn room(near: &TcpStream) -> usize {
        let waiting = poll_fn(|cx| poll_send_room(near, LEAST, cx));
        timeout(Duration::from_secs(60), waiting).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn room_is_waited_for_until_the_peer_reads() {
        let (near, mut far) = full().await;
        let mut waiting = Box::pin(room(&near));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("there is no room"),
            () = tokio::task::yield_now() => {}
        }
        let reading = async {
            let mut bytes = vec![0; 1 << 16];
            while far.read(&mut bytes).await.unwrap() > 0 {}
        };
        tokio::select! {
            room = waiting => assert!(room >= LEAST),
            () = reading => panic!("nobody closes"),
        }
    }

    #[tokio::test]
    async fn room_that_is_told_can_be_written_to_at_once() {
        let (near, mut far) = full().await;
        let mut waiting = Box::pin(room(&near));
        let mut bytes = vec![0; 20 << 10];
        loop {
            tokio::select! {
                biased;
                room = &mut waiting => {
                    assert_eq!(near.try_write(&vec![0; LEAST]).unwrap(), LEAST.min(room));
                    return;
                }
                read = far.read(&mut bytes) => assert!(read.unwrap() > 0),
            }
        }
    }

    /// Whoever reads for no room at all takes that for the end of the sender.
    #[test]
    fn room_is_never_none_however_the_peer_reads() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (near, far) = full().await;
            let far = far.into_std().unwrap();
            far.set_nonblocking(false).unwrap();
            let reading = std::thread::spawn(move || {
                let mut bytes = vec![0; 4 << 20];
                while io::Read::read(&mut &far, &mut bytes).unwrap() > 0 {}
            });
            let bytes = vec![0; 1 << 20];
            for _ in 0..20_000 {
                let told = room(&near).await;
                assert!(told > 0, "no room");
                let _ = near.try_write(&bytes[..told.min(bytes.len())]);
            }
            drop(near);
            reading.join().unwrap();
        });
    }

    #[tokio::test]
    async fn connection_that_is_reset_is_not_waited_for() {
        let (near, far) = full().await;
        reset_on_close(&far);
        drop(far);
        room(&near).await;
        assert!(near.try_write(&[0]).is_err());
    }
}
