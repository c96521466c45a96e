//! Bytes on their way in one direction, and how the sending side ended them.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use super::buffers::{Chunk, Size};
use super::stream::Stream;

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Member,
}

/// How a side ended the bytes that it sends.
#[derive(Debug)]
pub(super) enum End {
    /// FIN, after close_notify where there is TLS.
    Fin,
    /// FIN without the close_notify that TLS asks for.
    Truncated,
    Reset,
    /// It sent bytes that are not valid TLS.
    Broken(io::Error),
}

impl End {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::InvalidData => Self::Broken(error),
            _ => Self::Reset,
        }
    }

    /// Returns whether the connection ends with it in both directions.
    pub(super) fn is_abrupt(&self) -> bool {
        matches!(self, Self::Reset | Self::Broken(_))
    }
}

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    chunk: Option<Chunk>,
    size: Size,
    /// How the sending side ended, once it has.
    pub end: Option<End>,
    /// Whether the end was passed on, or cannot be.
    pub finished: bool,
    unflushed: bool,
    /// Whether the end is held back, and not passed on yet.
    pub end_held: bool,
    /// Bytes that were passed on.
    pub bytes: u64,
}

impl Flow {
    /// Waits until `from` sends its first bytes, and keeps them. Returns `false` if it ends without any.
    ///
    /// # Errors
    /// The sender reset the connection, or sent bytes that are not valid TLS.
    pub(super) async fn receive_first(&mut self, from: &mut Stream) -> io::Result<bool> {
        poll_fn(|cx| {
            let mut chunk = Chunk::borrow(Size::Small);
            from.poll_read(cx, chunk.room()).map_ok(|count| {
                chunk.filled(count);
                self.chunk = (count > 0).then_some(chunk);
                count > 0
            })
        })
        .await
    }

    /// Makes the flow ready for another receiver, after one that received nothing.
    pub(super) fn change_receiver(&mut self) {
        self.finished = false;
    }

    /// Passes on the bytes that there are. Ready when no more will come or can be passed on, and from then on.
    ///
    /// # Errors
    /// `to` takes no more bytes. It is returned once.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
        let polled = self.pass(cx, from, to);
        if polled.is_ready() {
            self.finished = true;
        }
        polled
    }

    fn pass(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
        let mut passed = 0;
        while !self.finished {
            if let Some(chunk) = &mut self.chunk {
                let count = ready!(to.poll_write(cx, chunk.unwritten()))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                chunk.written(count);
                self.bytes += count as u64;
                self.unflushed = true;
                passed += count;
                if chunk.unwritten().is_empty() {
                    self.chunk = None;
                }
                continue;
            }
            match &self.end {
                None => {}
                Some(End::Fin | End::Truncated) if self.end_held => {
                    ready!(to.poll_flush(cx))?;
                    return Poll::Pending;
                }
                Some(End::Fin) => return to.poll_finish(cx),
                Some(End::Truncated) => return to.poll_truncate(cx),
                Some(End::Reset | End::Broken(_)) => return to.poll_flush(cx),
            }
            if passed >= TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut chunk = Chunk::borrow(self.size);
            match from.poll_read(cx, chunk.room()) {
                Poll::Pending => {
                    self.size = Size::Small;
                    if self.unflushed {
                        // A flush that cannot finish is finished by a later poll: the write side wakes us.
                        if let Poll::Ready(flushed) = to.poll_flush(cx) {
                            self.unflushed = false;
                            flushed?;
                        }
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => self.end = Some(End::Fin),
                Poll::Ready(Ok(count)) => {
                    chunk.filled(count);
                    if chunk.is_full() {
                        self.size = Size::Bulk;
                    }
                    self.chunk = Some(chunk);
                }
                Poll::Ready(Err(error)) => self.end = Some(End::of(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Bytes that one connection may pass before others get a turn.
const TURN: usize = 1 << 20;
