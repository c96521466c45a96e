//! Passing bytes both ways until both sides have ended.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::buffers::{Chunk, Size};
use super::down;
use super::stream::Stream;
use super::traffic_meter::TrafficMeter;
use crate::model::ServiceDownAction;
use crate::pool::{Served, SetupGuard};

/// Bytes that one connection may pass before others have their turn.
const TURN: usize = 1 << 20;

/// How long "never" is for a timer.
const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// How long the end of a member's connection waits to hear whether the member is down.
const VERDICT: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Member,
}

/// How a side ended what it sends.
#[derive(Debug)]
pub(super) enum End {
    /// FIN, after close_notify where there is TLS.
    Fin,
    /// FIN without the close_notify that TLS asks for.
    Truncated,
    Reset,
    /// What came was not valid TLS.
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

    fn is_abrupt(&self) -> bool {
        matches!(self, Self::Reset | Self::Broken(_))
    }
}

/// What ended the relay.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The side that ended first, and how. `abrupt` tells that the other must be reset, once it has what is its due.
    Ended { side: Side, end: End, abrupt: Option<Side> },
    /// Nothing passed for the idle timeout.
    Idle,
    /// Whoever runs pronk asked for it.
    Drained,
    /// The member went down, and this is to be done.
    ServiceDown(ServiceDownAction),
}

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    chunk: Option<Chunk>,
    size: Size,
    end: Option<End>,
    /// The end was passed on, or can't be.
    finished: bool,
    unflushed: bool,
    /// Whether its end is kept back.
    held: bool,
    pub bytes: u64,
}

impl Flow {
    /// Waits for the first bytes of `from` and keeps them; `false` when there will be none.
    ///
    /// # Errors
    /// As the sender ended: reset, or not TLS.
    pub async fn first(&mut self, from: &mut Stream) -> io::Result<bool> {
        poll_fn(|cx| {
            let mut chunk = Chunk::borrow(Size::Talk);
            from.poll_read(cx, chunk.room()).map_ok(|count| {
                chunk.filled(count);
                self.chunk = (count > 0).then_some(chunk);
                count > 0
            })
        })
        .await
    }

    /// Makes ready for another receiver, when the one before has got nothing.
    pub fn begin_again(&mut self) {
        self.finished = false;
    }

    /// Passes on what there is. Ready once nothing more will come or can be passed on, and from then on always.
    ///
    /// # Errors
    /// `to` takes no more; told once.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
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
                let count = ready!(to.poll_write(cx, chunk.waiting()))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                chunk.written(count);
                self.bytes += count as u64;
                self.unflushed = true;
                passed += count;
                if chunk.waiting().is_empty() {
                    self.chunk = None;
                }
                continue;
            }
            match &self.end {
                None => {}
                Some(End::Fin | End::Truncated) if self.held => {
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
                    self.size = Size::Talk;
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

/// Both directions of one connection.
pub(super) struct Relay<'a> {
    pub client: &'a mut Stream,
    pub member: &'a mut Stream,
    pub inbound: &'a mut Flow,
    pub outbound: &'a mut Flow,
    /// The side that ended first.
    first: Option<Side>,
    /// A side that takes no more bytes. What it sent before is still passed on.
    gone: Option<Side>,
}

impl<'a> Relay<'a> {
    pub fn new(client: &'a mut Stream, member: &'a mut Stream, inbound: &'a mut Flow, outbound: &'a mut Flow) -> Self {
        Self { client, member, inbound, outbound, first: None, gone: None }
    }

    /// Runs to the end. `idle` bounds silence in both directions together; `setup` is let go with the member's first
    /// byte.
    pub async fn run(
        mut self,
        idle: Option<Duration>,
        setup: SetupGuard,
        cut: impl Future<Output = ()>,
        down: impl Future<Output = ServiceDownAction>,
        meter: &mut TrafficMeter,
    ) -> Outcome {
        let idle = idle.unwrap_or(FAR_FUTURE);
        let mut active = Instant::now();
        let mut setup = Some(setup);
        let mut alarm = pin!(sleep_until(active + idle.min(SetupGuard::LONGEST)));
        let (mut cut, mut down) = (pin!(cut), pin!(down));
        // Made only where it is needed: it would be most of what an idle connection holds.
        let mut verdict: Option<Pin<Box<Sleep>>> = None;
        self.outbound.held = down::waits_for_verdict(&meter.member);
        poll_fn(|cx| {
            // First, as what has not gone to a dead member yet can go to another.
            if let Poll::Ready(action) = down.as_mut().poll(cx) {
                return Poll::Ready(Outcome::ServiceDown(action));
            }
            if let Poll::Ready(outcome) = self.poll(cx, meter) {
                return Poll::Ready(outcome);
            }
            if self.outbound.held && self.outbound.end.is_some() {
                let verdict = verdict.get_or_insert_with(|| Box::pin(sleep(VERDICT)));
                // A client that has ended by itself waits for nothing.
                if self.inbound.end.is_some() || verdict.as_mut().poll(cx).is_ready() {
                    self.outbound.held = false;
                    cx.waker().wake_by_ref();
                }
            }
            if meter.bytes(self.inbound.bytes, self.outbound.bytes) {
                active = Instant::now();
                meter.packets_now_and_then(active, self.client.socket(), self.member.socket());
            }
            if self.outbound.bytes > 0 {
                setup = None;
            }
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Outcome::Drained);
            }
            while alarm.as_mut().poll(cx).is_ready() {
                if active.elapsed() >= idle {
                    return Poll::Ready(Outcome::Idle);
                }
                setup = None;
                alarm.as_mut().reset(active + idle);
            }
            Poll::Pending
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>, meter: &TrafficMeter) -> Poll<Outcome> {
        if let Poll::Ready(Err(_)) = self.inbound.poll(cx, self.client, self.member) {
            self.gone.get_or_insert(Side::Member);
        }
        self.note_first(Side::Client, meter);
        if let Poll::Ready(Err(_)) = self.outbound.poll(cx, self.member, self.client) {
            self.gone.get_or_insert(Side::Client);
            // What the client sent before it went is still the member's due.
            if let Poll::Ready(Err(_)) = self.inbound.poll(cx, self.client, self.member) {
                self.gone.get_or_insert(Side::Member);
            }
            self.note_first(Side::Client, meter);
        }
        self.note_first(Side::Member, meter);
        self.outcome().map_or(Poll::Pending, Poll::Ready)
    }

    fn note_first(&mut self, side: Side, meter: &TrafficMeter) {
        let flow = if side == Side::Client { &self.inbound } else { &self.outbound };
        let Some(end) = &flow.end else { return };
        if self.first.is_none() && side == Side::Member {
            // Told before the client learns of it and comes back.
            if end.is_abrupt() {
                meter.member.lose(Instant::now().into_std());
            }
            meter.member.served(Served::Lost);
        }
        self.first.get_or_insert(side);
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let abrupt = |flow: &Flow| flow.finished && flow.end.as_ref().is_some_and(End::is_abrupt);
        let reset = match self.gone {
            // The side that is gone is heard to its end first.
            Some(Side::Client) => self.inbound.finished.then_some(Side::Member),
            Some(Side::Member) => self.outbound.finished.then_some(Side::Client),
            None if abrupt(self.inbound) => Some(Side::Member),
            None if abrupt(self.outbound) => Some(Side::Client),
            None => None,
        };
        if reset.is_none() && !(self.inbound.finished && self.outbound.finished) {
            return None;
        }
        let side = match (self.first, self.gone) {
            (Some(side), _) => side,
            (None, gone) => gone.unwrap_or(Side::Client),
        };
        let end = if side == Side::Client { self.inbound.end.take() } else { self.outbound.end.take() };
        let end = match end {
            // A side that can't be written to was reset, even where reading it ends with FIN.
            Some(End::Fin | End::Truncated) | None if self.gone == Some(side) => End::Reset,
            Some(end) => end,
            None => End::Reset,
        };
        Some(Outcome::Ended { side, end, abrupt: reset })
    }
}
