//! One end of a connection, with or without TLS, that tells how the other ended.
//!
//! The kernel tells of a reset once: to a read or to a write, whichever comes first. A read after a write that failed so
//! says that the stream has ended, as if with FIN. So the socket notes what it was told first.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::sight::End;

/// One end of a connection. A reader and a writer may use it at once.
pub struct Wire {
    socket: Socket,
    stream: Mutex<Stream>,
}

enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

/// What a read gave.
pub enum Read {
    Bytes(usize),
    End(End),
}

impl Wire {
    pub fn plain(socket: Socket) -> Self {
        Self { socket: socket.clone(), stream: Mutex::new(Stream::Plain(socket)) }
    }

    pub fn tls(stream: impl Into<TlsStream<Socket>>) -> Self {
        let stream = stream.into();
        Self { socket: stream.get_ref().0.clone(), stream: Mutex::new(Stream::Tls(Box::new(stream))) }
    }

    /// Reads some bytes, or the end: the other's FIN is waited for after its close_notify.
    pub async fn read(&self, buffer: &mut [u8]) -> Read {
        let read = poll_fn(|cx| {
            let mut buf = ReadBuf::new(buffer);
            let polled = match &mut *self.stream.lock() {
                Stream::Plain(socket) => Pin::new(socket).poll_read(cx, &mut buf),
                Stream::Tls(tls) => Pin::new(tls).poll_read(cx, &mut buf),
            };
            polled.map_ok(|()| buf.filled().len())
        });
        match read.await {
            Ok(0) if self.has_tls() => Read::End(self.after_close_notify().await),
            Ok(0) => Read::End(if self.socket.was_reset_first() { End::Reset } else { End::Clean }),
            Ok(count) => Read::Bytes(count),
            Err(error) => Read::End(self.failed(&error)),
        }
    }

    async fn after_close_notify(&self) -> End {
        let mut socket = self.socket.clone();
        let mut buffer = [0; 1];
        let mut buf = ReadBuf::new(&mut buffer);
        match poll_fn(|cx| Pin::new(&mut socket).poll_read(cx, &mut buf)).await {
            Ok(()) if !buf.filled().is_empty() => End::Other("bytes after close_notify".to_owned()),
            Ok(()) if self.socket.was_reset_first() => End::NotifyThenReset,
            Ok(()) => End::Clean,
            Err(error) if is_reset(&error) => End::NotifyThenReset,
            Err(error) => End::Other(format!("after close_notify: {error}")),
        }
    }

    fn failed(&self, error: &io::Error) -> End {
        match error.kind() {
            ErrorKind::UnexpectedEof if self.socket.was_reset_first() => End::Reset,
            ErrorKind::UnexpectedEof => End::Truncated,
            _ if is_reset(error) => End::Reset,
            _ => End::Other(error.to_string()),
        }
    }

    /// Writes all the bytes, and hands them to the kernel.
    pub async fn write(&self, bytes: &[u8], mut taken: impl FnMut(usize)) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let rest = &bytes[written..];
            let count = poll_fn(|cx| match &mut *self.stream.lock() {
                Stream::Plain(socket) => Pin::new(socket).poll_write(cx, rest),
                Stream::Tls(tls) => Pin::new(tls).poll_write(cx, rest),
            })
            .await?;
            taken(count);
            written += count;
        }
        self.flush().await
    }

    async fn flush(&self) -> io::Result<()> {
        poll_fn(|cx| match &mut *self.stream.lock() {
            Stream::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        })
        .await
    }

    /// Ends what this side sends: close_notify where there is TLS, then FIN.
    pub async fn finish(&self) -> io::Result<()> {
        poll_fn(|cx| match &mut *self.stream.lock() {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        })
        .await
    }

    /// Ends what this side sends with FIN alone.
    pub fn truncate(&self) -> io::Result<()> {
        SockRef::from(&*self.socket.tcp).shutdown(Shutdown::Write)
    }

    /// Sends close_notify where there is TLS.
    pub async fn notify(&self) -> io::Result<()> {
        if let Stream::Tls(tls) = &mut *self.stream.lock() {
            match &mut **tls {
                TlsStream::Client(tls) => tls.get_mut().1.send_close_notify(),
                TlsStream::Server(tls) => tls.get_mut().1.send_close_notify(),
            }
        }
        self.flush().await
    }

    /// Waits until the peer's kernel has all that was written, and returns whether it has.
    pub async fn is_delivered(&self) -> bool {
        let tcp = &self.socket.tcp;
        let mut limit = DELIVERY;
        let begun = Instant::now();
        while begun.elapsed() < limit && !self.socket.was_reset_first() {
            if pronk::net::all_acknowledged(tcp, Duration::from_millis(50)).await {
                return true;
            }
            let ready = tokio::select! {
                biased;
                ready = tcp.ready(Interest::WRITABLE) => ready.ok(),
                () = std::future::ready(()) => None,
            };
            // Both directions are over. If it was by a reset, nothing will be acknowledged.
            if ready.is_some_and(Ready::is_write_closed) {
                limit = limit.min(LAST_DELIVERY);
            }
        }
        false
    }

    /// Closes the socket with RST.
    pub fn reset(self) {
        // A socket that was reset needs no reset.
        let _ = SockRef::from(&*self.socket.tcp).set_linger(Some(Duration::ZERO));
    }

    fn has_tls(&self) -> bool {
        matches!(&*self.stream.lock(), Stream::Tls(_))
    }
}

/// Whether a peer's reset is the reason.
pub fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// How long bytes may take to their peer's kernel before they do not count as delivered.
const DELIVERY: Duration = Duration::from_secs(5);

/// How long they may take once both directions are over.
const LAST_DELIVERY: Duration = Duration::from_millis(500);

/// One segment of the loopback interface: a window of less makes the kernel wait for timers.
const SMALL_BUFFER: usize = 64 << 10;

/// A TCP connection that notes what the kernel told first: that the other has finished, or that the connection failed.
#[derive(Clone, Debug)]
pub struct Socket {
    tcp: Arc<TcpStream>,
    told: Arc<Mutex<Option<Told>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Fin,
    Reset,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).unwrap();
        Self { tcp: Arc::new(tcp), told: Arc::default() }
    }

    pub fn local_address(&self) -> SocketAddr {
        self.tcp.local_addr().unwrap()
    }

    /// Gives it buffers that do not grow.
    pub fn limit_buffers(&self) {
        let socket = SockRef::from(&*self.tcp);
        socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        socket.set_send_buffer_size(SMALL_BUFFER).unwrap();
    }

    fn was_reset_first(&self) -> bool {
        *self.told.lock() == Some(Told::Reset)
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            // A write to a connection that was reset after FIN gives EPIPE; without FIN it gives ECONNRESET first.
            let told = if error.kind() == ErrorKind::BrokenPipe { Told::Fin } else { Told::Reset };
            self.told.lock().get_or_insert(told);
        }
        result
    }

    fn poll_with<T>(
        &self,
        cx: &mut Context<'_>,
        ready: impl Fn(&TcpStream, &mut Context<'_>) -> Poll<io::Result<()>>,
        mut act: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(ready(&self.tcp, cx))?;
            match act(&self.tcp) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return Poll::Ready(self.note(result)),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.initialize_unfilled();
        let count = ready!(self.poll_with(cx, TcpStream::poll_read_ready, |tcp| tcp.try_read(room)))?;
        if count == 0 {
            self.told.lock().get_or_insert(Told::Fin);
        }
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(cx, TcpStream::poll_write_ready, |tcp| tcp.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, TcpStream::poll_write_ready, |tcp| tcp.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.tcp).shutdown(Shutdown::Write))
    }
}
