//! A socket that records the first bytes it receives, so that a peer that speaks another protocol can be told what it
//! speaks. They are recorded as they pass, which saves a system call for peeking.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection that records the first bytes that it receives.
#[derive(Debug)]
pub struct Socket {
    pub tcp: TcpStream,
    first: [u8; FIRST_BYTES],
    seen: u8,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> Self {
        Self { tcp, first: [0; FIRST_BYTES], seen: 0 }
    }

    /// Returns the first bytes that were received, as they came over the wire.
    pub fn opening(&self) -> &[u8] {
        &self.first[..usize::from(self.seen)]
    }

    fn remember(&mut self, bytes: &[u8]) {
        let seen = usize::from(self.seen);
        let more = bytes.len().min(FIRST_BYTES - seen);
        self.first[seen..seen + more].copy_from_slice(&bytes[..more]);
        self.seen += more as u8;
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        if usize::from(self.seen) < FIRST_BYTES {
            self.remember(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Enough to tell every protocol that clients and members begin with.
const FIRST_BYTES: usize = 12;
