//! Bytes on their way in one direction, and how the sending side ended them.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use tokio::task::yield_now;

use super::buffers::{BULK, Chunk, SMALL};
use super::stream::Stream;
use crate::impala::SessionOpening;
use crate::net::{FirstBytes, SplicePipe};
use crate::tls::TlsFault;

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Member,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Member,
            Self::Member => Self::Client,
        }
    }
}

/// How a side ended the bytes that it sends.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// FIN, after close_notify where there is TLS.
    Fin,
    /// FIN without the close_notify that TLS asks for.
    Truncated,
    Reset,
    /// Its host does not answer any more: keep-alive probes or bytes stayed unacknowledged.
    TimedOut,
    /// It sent a fatal TLS alert, or bytes that are not valid TLS.
    Tls(Box<TlsFault>),
}

impl End {
    /// Returns how a side ended that gave this error.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Self::TimedOut
            }
            io::ErrorKind::InvalidData => Self::Tls(Box::new(TlsFault::of_relay(error))),
            _ => Self::Reset,
        }
    }

    /// Returns whether the connection ends with it in both directions.
    pub(super) fn is_abrupt(&self) -> bool {
        !matches!(self, Self::Fin | Self::Truncated)
    }
}

/// How the connection to a side was lost, as writing to it or watching it found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    Reset,
    /// Its host does not answer any more.
    TimedOut,
}

impl Loss {
    /// Returns how a side was lost to which writing gave this error.
    pub(super) fn of_write(error: &io::Error) -> Self {
        if matches!(End::of(error), End::TimedOut) { Self::TimedOut } else { Self::Reset }
    }
}

impl From<Loss> for End {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Reset => Self::Reset,
            Loss::TimedOut => Self::TimedOut,
        }
    }
}

/// What was read and is not passed on yet.
#[derive(Debug, Default)]
enum Unsent {
    #[default]
    Nothing,
    /// Bytes in a buffer.
    Chunk(Chunk),
    /// The kernel's way for a large result between two sockets without TLS. The pipe may be empty.
    Piped(SplicePipe),
}

impl Unsent {
    fn of(chunk: Chunk) -> Self {
        if chunk.unwritten().is_empty() { Self::Nothing } else { Self::Chunk(chunk) }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Chunk(chunk) => chunk.unwritten().is_empty(),
            Self::Piped(pipe) => pipe.is_empty(),
        }
    }
}

/// Bytes that were passed on, and that another receiver may need. Boxed as a whole, so that a flow without one is small.
#[derive(Debug, Default)]
struct KeptOpening {
    bytes: Vec<u8>,
}

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    unsent: Unsent,
    /// How many bytes are read at once of a large result; 0 while there is none. No more is read of it than the receiver
    /// has room for, so that what a slow receiver does not take yet stays with the sender.
    bulk: u32,
    /// How the sending side ended, once it has.
    pub end: Option<End>,
    /// Whether the end was passed on, or cannot be.
    pub finished: bool,
    /// Whether more is read and discarded, as the receiver is lost: a sender that is writing may read only afterwards.
    discards: bool,
    /// Whether bytes were discarded.
    discarded: bool,
    unflushed: bool,
    /// Whether the receiver must take something before more is read.
    waits: bool,
    /// Whether the end is held back, and not passed on yet.
    pub end_held: bool,
    /// How the sender's connection was lost, if a write to it found that.
    lost: Option<Loss>,
    first: FirstBytes,
    /// What opens a session, as far as it was passed on and the receiver has not answered.
    kept: Option<Box<KeptOpening>>,
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
            let mut chunk = Chunk::borrow(SMALL);
            from.poll_read(cx, chunk.room()).map_ok(|count| {
                self.first.record(&chunk.room()[..count]);
                chunk.filled(count);
                self.unsent = Unsent::of(chunk);
                count > 0
            })
        })
        .await
    }

    /// Returns the first bytes that were received, decrypted where there is TLS.
    pub(super) fn opening(&self) -> &[u8] {
        self.first.as_slice()
    }

    /// Returns whether bytes were received that the receiver does not have yet.
    pub(super) fn has_unsent(&self) -> bool {
        !self.finished && (!self.unsent.is_empty() || self.unflushed || self.waits)
    }

    /// Returns whether bytes wait for the receiver. The sender is not read meanwhile.
    pub(super) fn is_blocked(&self) -> bool {
        !self.finished && self.waits
    }

    /// Takes the news that the sender's connection is lost. What it sent before is still passed on, and then an end of
    /// this kind: a socket whose error a write has taken ends as if by FIN.
    pub(super) fn sender_lost(&mut self, loss: Loss) {
        if self.finished {
            return;
        }
        if matches!(self.end, Some(End::Fin | End::Truncated)) {
            self.end = Some(loss.into());
        } else {
            self.lost.get_or_insert(loss);
        }
    }

    /// Takes an end of the sender's.
    fn set_end(&mut self, end: End) {
        self.end = Some(match self.lost.take() {
            Some(loss) if !end.is_abrupt() => loss.into(),
            _ => end,
        });
    }

    /// Keeps what opens a session while it is passed on, so that another receiver can get it.
    pub(super) fn keep_opening(&mut self) {
        self.kept = (self.bytes == 0).then(Box::default);
    }

    /// Forgets what opens the session, as the receiver has answered.
    pub(super) fn forget_opening(&mut self) {
        self.kept = None;
    }

    /// Keeps bytes that are passed on, if they belong to what opens a session.
    fn keep(&mut self, count: usize) {
        let (Some(kept), Unsent::Chunk(chunk)) = (&mut self.kept, &self.unsent) else { return };
        let passed = chunk.unwritten().get(..count).unwrap_or_default();
        if kept.bytes.len() + count <= LONGEST_OPENING {
            kept.bytes.extend_from_slice(passed);
            if SessionOpening::of(&kept.bytes) != SessionOpening::No {
                return;
            }
        }
        self.kept = None;
    }

    /// Returns whether a part of what opens a session was passed on, or all of it, and nothing else.
    pub(super) fn is_opening(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| !kept.bytes.is_empty())
    }

    /// Returns whether all was passed on that opens a session, and nothing else.
    pub(super) fn is_whole_opening(&self) -> bool {
        let is_whole = |kept: &KeptOpening| SessionOpening::of(&kept.bytes) == SessionOpening::Whole;
        self.unsent.is_empty() && !self.discarded && self.kept.as_deref().is_some_and(is_whole)
    }

    /// Returns whether another receiver can get all that was sent.
    pub(super) fn can_start_again(&self) -> bool {
        self.bytes == 0 && !self.discarded || self.is_whole_opening()
    }

    /// Makes the flow ready for another receiver, after one that answered nothing.
    pub(super) fn start_again(&mut self) {
        (self.finished, self.discards, self.bytes) = (false, false, 0);
        if let Some(kept) = self.kept.take().filter(|kept| !kept.bytes.is_empty()) {
            self.unsent = Unsent::Chunk(Chunk::of(&kept.bytes));
        }
    }

    /// Returns whether the sender has sent anything.
    pub(super) fn has_received(&self) -> bool {
        !self.first.as_slice().is_empty()
    }

    /// Returns whether the receiver was told of the sender's end.
    pub(super) fn has_ended_in_order(&self) -> bool {
        self.finished && self.end.as_ref().is_some_and(|end| !end.is_abrupt())
    }

    /// Passes on the bytes that there are. Ready when no more will come or can be passed on, and from then on.
    ///
    /// # Errors
    /// `to` takes no more bytes. It is returned once.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
        if self.discards {
            self.discard(cx, from);
        }
        let polled = self.pass(cx, from, to);
        if polled.is_pending() && self.waits {
            // A thread that slept would be woken by each piece that arrives, and could not read it.
            from.pause_wakeups();
        }
        if let Poll::Ready(passed) = &polled {
            self.finished = true;
            // The other direction may go on for hours. Bytes in a buffer may go to another receiver.
            if matches!(self.unsent, Unsent::Piped(_)) {
                self.unsent = Unsent::Nothing;
            }
            self.discards |= passed.is_err();
        }
        polled
    }

    /// Notes that so many bytes of the chunk were passed on.
    fn written(&mut self, count: usize) {
        self.bytes += count as u64;
        self.unflushed = true;
        if let Unsent::Chunk(mut chunk) = std::mem::take(&mut self.unsent) {
            chunk.written(count);
            self.unsent = Unsent::of(chunk);
        }
    }

    fn discard(&mut self, cx: &mut Context<'_>, from: &mut Stream) {
        let mut chunk = Chunk::borrow(SMALL);
        for _ in 0..TURN / SMALL {
            match from.poll_read(cx, chunk.room()) {
                Poll::Pending => return,
                Poll::Ready(Ok(1..)) => self.discarded = true,
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.discards = false;
                    return;
                }
            }
        }
        give_way(cx);
    }

    fn pass(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
        let mut passed = 0;
        self.waits = false;
        while !self.finished {
            if let Unsent::Chunk(chunk) = &mut self.unsent {
                let Poll::Ready(count) = to.poll_write(cx, chunk.unwritten())? else {
                    // It may be long until the receiver takes more.
                    chunk.shrink();
                    (self.bulk, self.waits) = (0, true);
                    return Poll::Pending;
                };
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.keep(count);
                self.written(count);
                passed += count;
                continue;
            }
            if let (Unsent::Piped(pipe), Stream::Plain(to)) = (&mut self.unsent, &mut *to)
                && !pipe.is_empty()
            {
                let Poll::Ready(count) = pipe.poll_drain(cx, to)? else {
                    (self.bulk, self.waits) = (0, true);
                    return Poll::Pending;
                };
                self.bytes += count as u64;
                passed += count;
                continue;
            }
            match &self.end {
                None => {}
                Some(End::Fin | End::Truncated) if self.end_held => {
                    ready!(to.poll_flush(cx))?;
                    self.unflushed = false;
                    return Poll::Pending;
                }
                Some(End::Fin) => return to.poll_finish(cx),
                Some(End::Truncated) => return to.poll_truncate(cx),
                Some(End::Reset | End::TimedOut | End::Tls(_)) => return to.poll_flush(cx),
            }
            if passed >= TURN {
                give_way(cx);
                return Poll::Pending;
            }
            // The sender waits, instead of more and more encrypted bytes.
            self.waits = true;
            ready!(to.poll_send_encrypted(cx))?;
            let room = if self.bulk == 0 { SMALL } else { ready!(to.poll_room(SMALL, cx))? };
            self.waits = false;
            if self.read(cx, from, to, room).is_pending() {
                self.bulk = 0;
                self.unsent = Unsent::Nothing;
                if self.unflushed {
                    // A flush that cannot finish is finished by a later poll: the write side wakes us.
                    if let Poll::Ready(flushed) = to.poll_flush(cx) {
                        self.unflushed = false;
                        flushed?;
                    }
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what there is for a receiver that has so much room, or takes the sender's end.
    fn read(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &Stream, room: usize) -> Poll<()> {
        let bulk = self.bulk as usize;
        if let (BULK, Stream::Plain(from), Stream::Plain(_)) = (bulk, &mut *from, to) {
            if matches!(self.unsent, Unsent::Nothing) {
                self.unsent = SplicePipe::borrow().map_or(Unsent::Nothing, Unsent::Piped);
            }
            if let Unsent::Piped(pipe) = &mut self.unsent {
                match ready!(pipe.poll_fill(cx, from, room)) {
                    Ok(0) => self.set_end(End::Fin),
                    Ok(_) => {}
                    Err(error) => self.set_end(End::of(&error)),
                }
                return Poll::Ready(());
            }
        }
        let mut chunk = Chunk::borrow(if bulk == 0 { SMALL } else { from.most_read(room.min(bulk)) });
        ready!(self.fill(cx, from, &mut chunk));
        if chunk.is_full() {
            // Step by step: a kernel that lacks memory takes less than there is room for.
            self.bulk = BULK.min(4 * bulk.max(SMALL)) as u32;
        }
        self.unsent = Unsent::of(chunk);
        Poll::Ready(())
    }

    /// Reads what there is into the chunk, or takes the sender's end. Bytes that were read before the end are passed on
    /// before it.
    fn fill(&mut self, cx: &mut Context<'_>, from: &mut Stream, chunk: &mut Chunk) -> Poll<()> {
        loop {
            match from.poll_read(cx, chunk.room()) {
                Poll::Pending if chunk.unwritten().is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => {
                    self.set_end(End::Fin);
                    break;
                }
                Poll::Ready(Err(error)) => {
                    self.set_end(End::of(&error));
                    break;
                }
                Poll::Ready(Ok(count)) => {
                    self.first.record(&chunk.room()[..count]);
                    chunk.filled(count);
                }
            }
            // TLS gives one record at a time, and passing on several at once is cheaper.
            if self.bulk == 0 || chunk.is_full() || matches!(from, Stream::Plain(_)) {
                break;
            }
        }
        Poll::Ready(())
    }
}

/// Lets other connections have a turn before this one goes on. Those are among them for which something has arrived
/// meanwhile: a wake-up would let this one go on before the runtime asks the kernel, which it does every 61 turns.
fn give_way(cx: &mut Context<'_>) {
    // It is pending once, and the runtime wakes the task after it has asked.
    let _ = pin!(yield_now()).poll(cx);
}

/// Bytes that one connection may pass before others get a turn: passing so many on in TLS takes some hundred microseconds.
const TURN: usize = BULK;
/// Bytes that are kept for another receiver at most. A Kerberos ticket with many groups is a few KiB.
const LONGEST_OPENING: usize = SMALL;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, Interest};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;
    use crate::net::Socket;
    use crate::net::loopback::{self, arrived};

    async fn pair() -> (Stream, TcpStream) {
        let (near, far) = loopback::pair().await;
        (Stream::Plain(Socket::new(near)), far)
    }

    #[tokio::test]
    async fn bytes_that_arrive_while_the_receiver_has_no_room_wake_nobody_and_are_passed_on_later() {
        let ((mut from, sender), (mut to, mut receiver), (other, other_far)) =
            (pair().await, pair().await, pair().await);
        let (mut flow, mut sent) = (Flow::default(), 0);
        let mut send = |piece: &[u8]| sent += sender.try_write(piece).unwrap();
        let full = async {
            while !flow.is_blocked() {
                send(&[7; 1000]);
                from.socket().tcp.readable().await.unwrap();
                let polled = poll_fn(|cx| Poll::Ready(flow.poll(cx, &mut from, &mut to))).await;
                assert!(polled.is_pending());
            }
        };
        timeout(LIMIT, full).await.unwrap();
        let tcp = &from.socket().tcp;
        let nothing_read = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        tcp.try_io(Interest::READABLE, nothing_read).unwrap_err();
        send(&[7; 1000]);
        arrived(tcp).await;
        // Events come in the order of what they tell.
        other_far.try_write(b"event").unwrap();
        other.socket().tcp.readable().await.unwrap();
        assert!(pin!(tcp.readable()).poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());

        let mut received = vec![0; sent];
        let passed = tokio::select! {
            all = receiver.read_exact(&mut received) => all.unwrap(),
            _ = poll_fn(|cx| flow.poll(cx, &mut from, &mut to)) => unreachable!("no side has ended"),
            () = tokio::time::sleep(LIMIT) => panic!("bytes are missing"),
        };
        assert_eq!((passed, flow.bytes), (sent, sent as u64));
    }

    const LIMIT: Duration = Duration::from_secs(60);
}
