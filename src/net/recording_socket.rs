//! A socket that records the first bytes it receives, so that a peer that speaks another protocol can be told what it
//! speaks. They are recorded as they pass, which saves a system call for peeking. It also remembers that the connection
//! was lost: the kernel reports a reset only once, to the first read or write, and later reads look like those after
//! FIN.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::first_bytes::FirstBytes;

/// A TCP connection that records the first bytes that it receives, and how it was lost.
#[derive(Debug)]
pub struct Socket {
    pub tcp: TcpStream,
    first: FirstBytes,
    /// All that comes first, while somebody wants to know.
    hello: Option<Vec<u8>>,
    loss: Option<Loss>,
}

/// The first error that reading or writing gave.
#[derive(Clone, Copy, Debug)]
struct Loss {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> Self {
        Self { tcp, first: FirstBytes::default(), hello: None, loss: None }
    }

    /// Returns the first bytes that were received, as they came over the wire.
    pub fn opening(&self) -> &[u8] {
        self.first.as_slice()
    }

    /// Keeps what is received from now on, as far as a ClientHello goes, until [`Self::take_hello`].
    pub fn keep_hello(&mut self) {
        self.hello = Some(Vec::new());
    }

    /// Returns what was kept, and keeps no more.
    pub fn take_hello(&mut self) -> Vec<u8> {
        self.hello.take().unwrap_or_default()
    }

    /// Returns whether reading or writing found that the connection is lost.
    pub fn is_lost(&self) -> bool {
        self.loss.is_some()
    }

    fn noting_loss<T>(&mut self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled {
            self.loss.get_or_insert_with(|| Loss { kind: error.kind(), code: error.raw_os_error() });
        }
        polled
    }
}

impl Loss {
    fn error(self) -> io::Error {
        self.code.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error)
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, has_room) = (buf.filled().len(), buf.remaining() > 0);
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        let received = &buf.filled()[before..];
        if let (Some(loss), true, true) = (self.loss, received.is_empty() && has_room, polled.is_ready()) {
            return Poll::Ready(Err(loss.error()));
        }
        self.first.record(received);
        if let Some(hello) = &mut self.hello {
            let wanted = LONGEST_HELLO.saturating_sub(hello.len()).min(received.len());
            hello.extend(&received[..wanted]);
        }
        self.noting_loss(polled)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.noting_loss(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.noting_loss(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.tcp).poll_flush(cx);
        self.noting_loss(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.tcp).poll_shutdown(cx);
        self.noting_loss(polled)
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
