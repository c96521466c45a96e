//! Pipes through which the kernel moves bytes from one socket to another without copying them (splice(2)).

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::recording_socket::Socket;

/// An empty pipe on loan, or one with bytes on their way. It is returned when it is dropped.
#[derive(Debug)]
pub struct SplicePipe {
    ends: Option<Ends>,
    held: usize,
}

impl SplicePipe {
    /// Borrows an empty pipe. Returns none if the process has as many as it may have, or the system gives no more.
    pub fn borrow() -> Option<Self> {
        let ends = SPARE.with_borrow_mut(Vec::pop).or_else(|| {
            let now = Instant::now();
            if REFUSED.get().is_some_and(|refused| now.duration_since(refused) < PAUSE) {
                return None;
            }
            let ends = Ends::open();
            REFUSED.set(ends.is_none().then_some(now));
            ends
        })?;
        Some(Self { ends: Some(ends), held: 0 })
    }

    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Moves what `from` has received to the empty pipe, `most` bytes at most. Returns how many, 0 at the end.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, from: &mut Socket, most: usize) -> Poll<io::Result<usize>> {
        let Some(ends) = &self.ends else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        // Moving nothing would look like the end.
        let most = most.clamp(1, PIPE_SIZE);
        let fill = |tcp: &_| Ok(splice(tcp, None, &ends.writer, None, most, SpliceFlags::NONBLOCK)?);
        let filled = from.poll_read_with(cx, ANY, fill);
        if let Poll::Ready(Ok(count)) = &filled {
            self.held += count;
        }
        filled
    }

    /// Moves bytes from the pipe to the send buffer of `to`. Returns how many.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>, to: &mut Socket) -> Poll<io::Result<usize>> {
        let Some(ends) = &self.ends else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        let held = self.held;
        let drain = |tcp: &_| Ok(splice(&ends.reader, None, tcp, None, held, SpliceFlags::NONBLOCK)?);
        let drained = to.poll_write_with(cx, ANY, drain);
        if let Poll::Ready(Ok(count)) = &drained {
            self.held -= count;
        }
        drained
    }
}

impl Drop for SplicePipe {
    fn drop(&mut self) {
        // One with bytes in it is of no use to others.
        let Some(ends) = self.ends.take().filter(|_| self.held == 0) else { return };
        // At the end of a thread there are no spares any more.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST_SPARE {
                spare.push(ends);
            }
        });
    }
}

/// Both ends of a pipe that counts as open until it is dropped.
#[derive(Debug)]
struct Ends {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Ends {
    fn open() -> Option<Self> {
        if OPEN.fetch_add(1, Relaxed) >= MOST_OPEN {
            OPEN.fetch_sub(1, Relaxed);
            return None;
        }
        let Ok((reader, writer)) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK) else {
            OPEN.fetch_sub(1, Relaxed);
            return None;
        };
        let ends = Self { reader, writer };
        // A user's pipes may have 64 MiB in all (pipe-user-pages-soft in pipe(7)). Copying is faster than small pipes.
        fcntl_setpipe_size(&ends.writer, PIPE_SIZE).is_ok().then_some(ends)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Relaxed);
    }
}

thread_local! {
    static SPARE: RefCell<Vec<Ends>> = const { RefCell::new(Vec::new()) };
    /// When this thread last got no pipe.
    static REFUSED: Cell<Option<Instant>> = const { Cell::new(None) };
}

static OPEN: AtomicUsize = AtomicUsize::new(0);
/// Bytes: the most that a user without privileges may have in one pipe (pipe-max-size in pipe(7)).
const PIPE_SIZE: usize = 1 << 20;
/// Pipes of the process at most. Each takes two descriptors that connections could have.
const MOST_OPEN: usize = 64;
/// A thread that got no pipe asks again after so long.
const PAUSE: Duration = Duration::from_secs(1);
/// Empty pipes that a thread keeps.
const MOST_SPARE: usize = 4;
/// A splice that moves less than it may does not tell that the socket is drained or full: pipes have a limited number of
/// pieces, too.
const ANY: usize = 1;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::net::loopback;

    async fn pair() -> (Socket, TcpStream) {
        let (near, far) = loopback::pair().await;
        (Socket::new(near), far)
    }

    #[tokio::test]
    async fn bytes_in_many_small_pieces_come_through_and_the_end_after_them() {
        let ((mut from, mut sender), (mut to, mut receiver)) = (pair().await, pair().await);
        sender.set_nodelay(true).unwrap();
        let sent: Vec<u8> = (0..3 << 20).map(|at| (at % 251) as u8).collect();
        let all = sent.clone();
        let sending = tokio::spawn(async move {
            for piece in all.chunks(700) {
                sender.write_all(piece).await.unwrap();
            }
        });
        let receiving = tokio::spawn(async move {
            let mut received = Vec::new();
            receiver.read_to_end(&mut received).await.unwrap();
            received
        });
        let mut pipe = SplicePipe::borrow().unwrap();
        while poll_fn(|cx| pipe.poll_fill(cx, &mut from, usize::MAX)).await.unwrap() > 0 {
            while !pipe.is_empty() {
                poll_fn(|cx| pipe.poll_drain(cx, &mut to)).await.unwrap();
            }
        }
        to.shutdown().await.unwrap();
        sending.await.unwrap();
        assert!(receiving.await.unwrap() == sent);
    }

    #[tokio::test]
    async fn pipe_that_holds_bytes_is_not_lent_again() {
        let (mut from, mut sender) = pair().await;
        sender.write_all(b"rest").await.unwrap();
        let mut pipe = SplicePipe::borrow().unwrap();
        assert_eq!(poll_fn(|cx| pipe.poll_fill(cx, &mut from, usize::MAX)).await.unwrap(), 4);
        drop(pipe);
        assert!(SPARE.with_borrow(Vec::is_empty));
        let empty = SplicePipe::borrow().unwrap();
        drop(empty);
        assert_eq!(SPARE.with_borrow(Vec::len), 1);
    }
}
