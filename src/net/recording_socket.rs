//! A socket that records the first bytes it receives, so that a peer that speaks another protocol can be told what it
//! speaks. They are recorded as they pass, which saves a system call for peeking. It also remembers that the connection
//! was lost: the kernel reports a reset only once, to the first read or write, and later reads look like those after
//! FIN. And it can be told not to wake anybody for what arrives while nobody is going to read it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::arrivals::Arrivals;
use super::first_bytes::FirstBytes;
use super::socket_options::shutdown_write;

/// A TCP connection that records the first bytes that it receives, and how it was lost.
#[derive(Debug)]
pub struct Socket {
    /// Shared with those that wait for its loss while others read and write. Nobody waits here for bytes: while wake-ups
    /// are paused, only a read of this `Socket` gets them.
    pub tcp: Arc<TcpStream>,
    first: FirstBytes,
    /// All that comes first, while somebody wants to know.
    hello: Option<Box<Hello>>,
    loss: Option<Loss>,
    arrivals: Arrivals,
}

/// The bytes of a ClientHello. Boxed as a whole, as few sockets have one, and only for a moment.
#[derive(Debug, Default)]
struct Hello {
    bytes: Vec<u8>,
}

/// The first error that reading or writing gave.
#[derive(Clone, Copy, Debug)]
struct Loss {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> Self {
        let (first, arrivals) = (FirstBytes::default(), Arrivals::default());
        Self { tcp: Arc::new(tcp), first, hello: None, loss: None, arrivals }
    }

    /// Returns the first bytes that were received, as they came over the wire.
    pub fn opening(&self) -> &[u8] {
        self.first.as_slice()
    }

    /// Keeps what is received from now on, as far as a ClientHello goes, until [`Self::take_hello`].
    pub fn keep_hello(&mut self) {
        self.hello = Some(Box::default());
    }

    /// Returns what was kept, and keeps no more.
    pub fn take_hello(&mut self) -> Vec<u8> {
        self.hello.take().map(|hello| hello.bytes).unwrap_or_default()
    }

    /// Returns whether reading or writing found that the connection is lost.
    pub fn is_lost(&self) -> bool {
        self.loss.is_some()
    }

    /// Does a read with the system's own call, which may give `wanted` bytes at most, once there is something to read.
    /// Returns how many it gave, 0 at the end.
    ///
    /// # Errors
    /// The connection is lost, now or before.
    pub fn poll_read_with(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        mut call: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let mut polled = poll_io(&self.tcp, Interest::READABLE, wanted, cx, &mut call);
        if polled.is_pending() {
            // Afterwards, so that the runtime knows whom to wake.
            polled = self.arrivals.poll_unreported(cx, &self.tcp, call);
        }
        let read = ready!(polled);
        Poll::Ready(match (self.loss, &read) {
            // After a loss was told, the end looks as if it had come by FIN.
            (Some(loss), Ok(0) | Err(_)) if wanted > 0 => Err(loss.error()),
            _ => self.noting_loss(read),
        })
    }

    /// Lets bytes that arrive wake nobody, unless they are many, until somebody waits to read them. The peer's end and the
    /// loss of the connection wake as before.
    pub fn pause_wakeups(&mut self) {
        self.arrivals.pause(&self.tcp);
    }

    /// Does a write with the system's own call, which may take `offered` bytes at most, once the socket is writable.
    /// Returns how many it took.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        offered: usize,
        call: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(poll_io(&self.tcp, Interest::WRITABLE, offered, cx, call));
        Poll::Ready(self.noting_loss(written))
    }

    fn noting_loss<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.loss.get_or_insert_with(|| Loss { kind: error.kind(), code: error.raw_os_error() });
        }
        result
    }
}

/// Calls the system once the socket is ready, again if it was not. A call that passes less than `most` bytes has found
/// the socket drained or full, so that the next one waits for an event without asking the system in vain.
fn poll_io(
    tcp: &TcpStream,
    interest: Interest,
    most: usize,
    cx: &mut Context<'_>,
    mut call: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        if interest == Interest::READABLE {
            ready!(tcp.poll_read_ready(cx))?;
        } else {
            ready!(tcp.poll_write_ready(cx))?;
        }
        let mut partial = None;
        let called = tcp.try_io(interest, || match call(tcp) {
            Ok(count) if 0 < count && count < most => {
                partial = Some(count);
                // Clears the readiness, unless an event has come meanwhile.
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(INTERRUPTED),
            outcome => outcome,
        });
        match (partial, called) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Ok(INTERRUPTED)) => {}
            (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            (None, called) => return Poll::Ready(called),
        }
    }
}

/// No call passes so many bytes.
const INTERRUPTED: usize = usize::MAX;

impl Loss {
    fn error(self) -> io::Error {
        self.code.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error)
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.initialize_unfilled();
        let wanted = room.len();
        let count = ready!(self.poll_read_with(cx, wanted, |tcp| Ok(recv(tcp, &mut *room, RecvFlags::empty())?.0)))?;
        let received = &room[..count];
        self.first.record(received);
        if let Some(hello) = &mut self.hello {
            let wanted = LONGEST_HELLO.saturating_sub(hello.bytes.len()).min(received.len());
            hello.bytes.extend(&received[..wanted]);
        }
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, buf.len(), |tcp| Ok(send(tcp, buf, SendFlags::NOSIGNAL)?))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_write_with(cx, offered, |tcp| SockRef::from(tcp).send_vectored_with_flags(bufs, libc::MSG_NOSIGNAL))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The kernel has it already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = shutdown_write(&self.tcp);
        Poll::Ready(self.noting_loss(ended))
    }
}

/// Bytes: one record. Longer ClientHellos come with a long ticket at their end.
const LONGEST_HELLO: usize = 16 * 1024 + 5;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::net::{peer_lost, reset_on_close};

    /// A connection whose peer has sent bytes and then RST.
    async fn reset_after(bytes: &[u8]) -> Socket {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (near, mut far) = (Socket::new(near.unwrap()), far.unwrap().0);
        far.write_all(bytes).await.unwrap();
        reset_on_close(&far);
        drop(far);
        peer_lost(&near).await;
        near
    }

    #[tokio::test]
    async fn reset_that_a_write_has_met_is_read_as_a_reset_after_what_came_before() {
        let mut near = reset_after(b"request").await;
        assert_eq!(near.write(b"ticket").await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let mut received = [0; 16];
        assert_eq!(near.read(&mut received).await.unwrap(), 7);
        for _ in 0..2 {
            assert_eq!(near.read(&mut received).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        }
    }

    #[tokio::test]
    async fn reset_that_a_write_has_met_is_not_waited_for_again() {
        let mut near = reset_after(b"request").await;
        near.write(b"ticket").await.unwrap_err();
        timeout(Duration::from_secs(60), peer_lost(&near)).await.unwrap();
    }
}
