//! One side of a connection, with or without TLS.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::buffers::{BULK, SMALL};
use crate::net::{self, Socket};

/// One side of a connection. TLS is boxed: its state is large, and only some sides have it.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    pub(super) fn tls(mut tls: TlsStream<Socket>) -> Self {
        // A large piece is encrypted whole, and sent with one system call.
        match &mut tls {
            TlsStream::Client(tls) => tls.get_mut().1.set_buffer_limit(Some(BULK)),
            TlsStream::Server(tls) => tls.get_mut().1.set_buffer_limit(Some(BULK)),
        }
        Self::Tls(Box::new(tls))
    }

    pub(super) fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    pub(super) fn socket_mut(&mut self) -> &mut Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.get_mut().0,
        }
    }

    /// Lets bytes that arrive wake nobody, unless they are many, until somebody waits to read them. Where there is TLS,
    /// they wake as before: pauses make it no faster.
    pub(super) fn pause_wakeups(&mut self) {
        if let Self::Plain(socket) = self {
            socket.pause_wakeups();
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(room);
        match self {
            Self::Plain(socket) => ready!(Pin::new(socket).poll_read(cx, &mut buf))?,
            Self::Tls(tls) => {
                let read = Pin::new(&mut **tls).poll_read(cx, &mut buf);
                if wants_write(tls) {
                    // What TLS itself answers, such as no_renegotiation (RFC 5246, section 7.2.2), must not wait for
                    // bytes to send. A failure is found by the next read or write.
                    let _ = Pin::new(&mut **tls).poll_flush(cx);
                }
                match ready!(read) {
                    Ok(()) => {}
                    // Bytes that came before what is broken are good.
                    Err(error) => return Poll::Ready(read_decrypted(tls, buf.initialize_unfilled(), error)),
                }
            }
        }
        Poll::Ready(Ok(buf.filled().len()))
    }

    /// Returns how many bytes to read at once for a receiver that has so much room.
    pub(super) fn most_read(&self, room: usize) -> usize {
        match self {
            Self::Plain(_) => room.clamp(SMALL, BULK),
            // Whole records, as a part of one would stay here.
            Self::Tls(_) => (room / SMALL).clamp(1, BULK / SMALL) * SMALL,
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    /// Waits until the socket has taken what was encrypted and is not sent yet.
    pub(super) fn poll_send_encrypted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(tls) if wants_write(tls) => Pin::new(tls).poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Waits until the socket has room for `least` bytes. Returns how many it takes at once.
    pub(super) fn poll_room(&self, least: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        net::poll_send_room(&self.socket().tcp, least, cx)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    /// Ends the sending side: close_notify where there is TLS, then FIN.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }

    /// Ends the sending side with FIN alone, so that a truncation on the other side stays visible on this one
    /// (RFC 8446, section 6.1).
    pub(super) fn poll_truncate(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Poll::Ready(net::shutdown_write(&self.socket().tcp))
    }
}

fn wants_write(tls: &TlsStream<Socket>) -> bool {
    tls.get_ref().1.wants_write()
}

/// Reads bytes that were decrypted before an `error`; returns the error if there are none.
fn read_decrypted(tls: &mut TlsStream<Socket>, room: &mut [u8], error: io::Error) -> io::Result<usize> {
    let read = match tls {
        TlsStream::Client(tls) => tls.get_mut().1.reader().read(room),
        TlsStream::Server(tls) => tls.get_mut().1.reader().read(room),
    };
    match read {
        Ok(count) if count > 0 => Ok(count),
        Ok(_) | Err(_) => Err(error),
    }
}
