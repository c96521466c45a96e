//! Passing bytes both ways until both sides have ended, one was lost, or a deadline is over.
//!
//! Each direction is a [`Flow`]: open, then ended by its sender, then passed on. A side is lost when it resets, breaks
//! TLS, stops answering or takes no more bytes. What it sent before is passed on first, and then the other side is reset:
//! a loss never looks like an end in order, in whatever order the events come.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connection_record::ConnectionRecord;
use super::deadlines::{Deadlines, Due};
use super::flow::{End, Flow, Loss, Side};
use super::passive_health::PassiveHealth;
use super::place::Place;
use super::stop::Stop;
use super::stream::Stream;
use super::traffic_meter::TrafficMeter;
use super::verdict_wait::VerdictWait;
use crate::impala::Opening;
use crate::model::ServiceDownAction;
use crate::net;

/// Why a relay ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The side that ended first, and how. If a side was lost, `reset` is the other one, which is to be reset after it
    /// has received all bytes that were sent to it before.
    Ended { side: Side, end: End, reset: Option<Side> },
    /// No bytes passed for the idle timeout.
    Idle,
    /// This side ended, and no bytes passed for half-closed-timeout.
    HalfClosed(Side),
    /// It is ended from outside: pronk stops and the drain time is over, or by an administrator.
    Stopped(Stop),
    /// The member went down or was removed, and its service-down action is due.
    ServiceDown(ServiceDownAction),
}

/// A relay that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub outcome: Outcome,
    /// Whether a request or an answer was under way: bytes are not delivered yet, passed within the last second, or the
    /// last ones were the client's.
    pub in_exchange: bool,
}

/// Both directions of one connection.
pub(super) struct Relay<'a> {
    pub client: &'a mut Stream,
    pub member: &'a mut Stream,
    pub inbound: &'a mut Flow,
    pub outbound: &'a mut Flow,
    pub deadlines: Deadlines<'a>,
    /// The connection's place at the member, which is given back as soon as the member's side is over.
    pub place: &'a mut Place,
    pub meter: &'a mut TrafficMeter,
    /// Orders from outside to end the connection come from it. What passes is noted there.
    pub record: &'a ConnectionRecord,
    pub health: PassiveHealth<'a>,
    pub seen: Seen,
}

/// What a relay has seen of both sides.
#[derive(Default)]
pub(super) struct Seen {
    /// The side that ended first.
    first: Option<Side>,
    /// The side that was found to be lost by writing to it or by watching it, and how.
    lost: Option<(Side, Loss)>,
    /// The wait for the verdict on the member, whose end is held back so long.
    verdict: VerdictWait,
    /// Watch the sides that nobody reads: they have ended in order, or their bytes wait for the other side.
    watches: [Option<Watch>; 2],
    /// Whether the last bytes were the client's.
    awaits_answer: bool,
    /// Whether the member has sent anything.
    has_answered: bool,
    /// Whether it was reported that the member hangs.
    reported_hanging: bool,
}

/// Completes when a side is lost.
type Watch = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Relay<'_> {
    /// Passes bytes until the end. `service_down` completes when the member's service-down action is due, and `another`
    /// tells whether another member could be chosen, if this one does not answer what opens the session.
    #[expect(clippy::manual_async_fn, reason = "an async function has room for each argument twice")]
    pub(super) fn run(
        &mut self,
        mut service_down: Pin<&mut impl Future<Output = ServiceDownAction>>,
        another: &impl Fn() -> bool,
    ) -> impl Future<Output = Finished> {
        async move {
            let mut alarm = pin!(sleep_until(self.deadlines.next().0));
            self.outbound.end_held = self.health.verdict_matters();
            let outcome = poll_fn(|cx| {
                // First, so that bytes which a dead member did not receive can go to another.
                if let Poll::Ready(action) = service_down.as_mut().poll(cx) {
                    return Poll::Ready(Outcome::ServiceDown(action));
                }
                let before = (self.inbound.bytes, self.outbound.bytes);
                self.pass(cx);
                if let Some(outcome) = self.outcome(false) {
                    return Poll::Ready(outcome);
                }
                if self.outbound.end_held && self.outbound.end.is_some() {
                    // A client that has ended by itself does not wait for the verdict.
                    if self.inbound.end.is_some() || self.seen.verdict.poll(cx).is_ready() {
                        self.outbound.end_held = false;
                        cx.waker().wake_by_ref();
                    }
                }
                self.note_passed(before);
                self.note_ends();
                if let Poll::Ready(why) = self.record.poll_stopped(cx) {
                    // Bytes that wait for a slow receiver are under way, however long nothing has passed.
                    if why == Stop::DrainIdle && (self.inbound.has_unsent() || self.outbound.has_unsent()) {
                        self.record.withdraw_idle_stop();
                    } else {
                        return Poll::Ready(Outcome::Stopped(why));
                    }
                }
                loop {
                    let (at, due) = self.deadlines.next();
                    // Most deadlines move away; the alarm is set again when it has rung too early.
                    if at < alarm.deadline() {
                        alarm.as_mut().reset(at);
                    }
                    if alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    if at > Instant::now() {
                        alarm.as_mut().reset(at);
                        continue;
                    }
                    if let Some(outcome) = self.handle(due, another, cx) {
                        return Poll::Ready(outcome);
                    }
                }
            })
            .await;
            self.note_answer(self.outbound.bytes);
            let passed = self.inbound.bytes + self.outbound.bytes > 0;
            let in_exchange = self.seen.awaits_answer
                || self.inbound.has_unsent()
                || self.outbound.has_unsent()
                || passed && self.deadlines.silence(Instant::now()) < EXCHANGE_PAUSE
                || !net::is_all_acknowledged(&self.client.socket().tcp);
            Finished { outcome, in_exchange }
        }
    }

    /// Does what is due. Returns how the relay ends, if that ends it.
    fn handle(&mut self, due: Due, another: impl Fn() -> bool, cx: &Context<'_>) -> Option<Outcome> {
        match due {
            Due::SetUp => self.place.set_up(),
            Due::KeepAlive => {
                self.deadlines.keep_alive_due = false;
                net::keep_alive(&self.member.socket().tcp, self.deadlines.profile);
            }
            Due::MemberOver => self.place.free(),
            Due::Unanswered => {
                if self.hangs() && another() {
                    return Some(Outcome::ServiceDown(ServiceDownAction::Reselect));
                }
            }
            Due::Watch => {
                for side in BOTH {
                    if self.flow_from(side).is_blocked() {
                        self.watch(side);
                    }
                }
                self.deadlines.blocked = false;
                // So that the watches are asked.
                cx.waker().wake_by_ref();
            }
            Due::Idle => return Some(Outcome::Idle),
            Due::HalfClosed => return Some(Outcome::HalfClosed(self.seen.first.unwrap_or(Side::Client))),
            Due::Undelivered => {
                if let Some(outcome) = self.outcome(true) {
                    return Some(outcome);
                }
            }
        }
        self.note_place();
        None
    }

    /// Passes the bytes that there are, in both directions.
    fn pass(&mut self, cx: &mut Context<'_>) {
        self.pass_from(Side::Client, cx);
        self.pass_from(Side::Member, cx);
        if self.seen.lost.is_some() {
            // The other side still gets what the lost one sent before, and goes on sending to nobody.
            self.pass_from(Side::Client, cx);
            self.pass_from(Side::Member, cx);
        }
        self.watch_unread(cx);
    }

    fn pass_from(&mut self, side: Side, cx: &mut Context<'_>) {
        let passed = match side {
            Side::Client => self.inbound.poll(cx, self.client, self.member),
            Side::Member => self.outbound.poll(cx, self.member, self.client),
        };
        if let Poll::Ready(Err(error)) = passed {
            self.lose(side.other(), Loss::of_write(&error));
        }
        if self.flow_from(side).end.is_some() {
            self.note_first(side);
        }
    }

    /// Watches the sides that have ended in order, as they may be lost later, and asks all watches.
    fn watch_unread(&mut self, cx: &mut Context<'_>) {
        if self.seen.lost.is_some() {
            return;
        }
        for side in BOTH {
            let flow = self.flow_from(side);
            if flow.finished {
                self.watch(side);
            } else if !flow.is_blocked() {
                // It is read again, which tells of a loss.
                self.seen.watches[side as usize] = None;
            }
            let Some(watch) = &mut self.seen.watches[side as usize] else { continue };
            if watch.as_mut().poll(cx).is_ready() {
                let error = self.stream(side).socket().tcp.take_error().ok().flatten();
                self.lose(side, error.map_or(Loss::Reset, |error| Loss::of_write(&error)));
                return;
            }
        }
    }

    fn watch(&mut self, side: Side) {
        if self.watch_of(side).is_none() {
            self.seen.watches[side as usize] = Some(Box::pin(net::peer_lost(self.stream(side).socket())));
        }
    }

    fn watch_of(&self, side: Side) -> Option<&Watch> {
        self.seen.watches[side as usize].as_ref()
    }

    fn lose(&mut self, side: Side, loss: Loss) {
        let flow = if side == Side::Client { &mut *self.inbound } else { &mut *self.outbound };
        flow.sender_lost(loss);
        self.seen.lost.get_or_insert((side, loss));
        self.note_first(side);
    }

    /// Notes which side ended first.
    fn note_first(&mut self, side: Side) {
        if self.seen.first.is_none() && side == Side::Member {
            // Before the client learns of it and connects again.
            self.health.ended_by_member();
        }
        self.seen.first.get_or_insert(side);
    }

    /// Returns whether the member has answered nobody since it took what opens this session. If it has answered somebody,
    /// the deadline is set again, from that answer on.
    fn hangs(&mut self) -> bool {
        let Some(since) = self.deadlines.opening_since.take_if(|_| self.inbound.is_whole_opening()) else {
            // The member waits for the rest, as the rest sets the deadline again.
            self.deadlines.opening_since = None;
            return false;
        };
        let answered = self.health.last_answer().filter(|answered| *answered > since);
        self.deadlines.opening_since = Some(answered.unwrap_or_else(Instant::now));
        if answered.is_none() && !std::mem::replace(&mut self.seen.reported_hanging, true) {
            self.health.hangs(Opening::of(self.inbound.opening()), since);
        }
        answered.is_none()
    }

    /// Notes what has passed since there were so many bytes to the member and from it.
    fn note_passed(&mut self, before: (u64, u64)) {
        self.note_answer(before.1);
        if self.meter.count_bytes(self.inbound.bytes, self.outbound.bytes) {
            let (now, to_member) = (Instant::now(), self.inbound.bytes > before.0);
            if to_member && self.inbound.is_opening() {
                self.deadlines.opening_since = Some(now);
            }
            // Of both the member's were later: a client waits for its answer before it asks again.
            self.seen.awaits_answer = self.outbound.bytes == before.1;
            self.deadlines.passed(to_member, now);
            self.record.note_passed((self.inbound.bytes, self.outbound.bytes), self.seen.awaits_answer, now);
            self.meter.count_packets_each_second(now, self.client.socket(), self.member.socket());
        }
    }

    /// Notes the member's first bytes, and that it is alive.
    fn note_answer(&mut self, before: u64) {
        if !self.seen.has_answered && self.outbound.has_received() {
            self.seen.has_answered = true;
            self.inbound.forget_opening();
            self.health.answered(Opening::of(self.inbound.opening()));
        } else if self.outbound.bytes > before {
            self.health.sent_bytes();
        }
    }

    /// Applies what has ended, and which bytes wait, to the deadlines and to the place at the member.
    fn note_ends(&mut self) {
        if self.seen.has_answered || self.outbound.end.is_some() {
            self.deadlines.opening_since = None;
        }
        if self.outbound.bytes > 0 {
            self.place.set_up();
        }
        if self.is_lost(Side::Member) {
            self.place.free();
        }
        self.note_place();
        let lost = self.is_lost(Side::Client) || self.is_lost(Side::Member);
        if lost || self.inbound.end.is_some() || self.outbound.end.is_some() {
            let now = Instant::now();
            if self.inbound.finished || self.outbound.finished {
                self.deadlines.ended(now);
            }
            if self.outbound.end.is_some() {
                self.deadlines.member_ended(now);
            }
            if lost {
                self.deadlines.lost(now);
            }
        }
        let is_unwatched = |side: &Side| self.flow_from(*side).is_blocked() && self.watch_of(*side).is_none();
        self.deadlines.blocked = BOTH.iter().any(is_unwatched);
    }

    /// Applies the state of the place at the member to the deadlines.
    fn note_place(&mut self) {
        (self.deadlines.in_setup, self.deadlines.place_free) = (self.place.is_being_set_up(), self.place.is_free());
    }

    /// Returns how the relay ends, if it does. `is_overdue` is whether what a lost side sent is given up.
    fn outcome(&self, is_overdue: bool) -> Option<Outcome> {
        let lost = BOTH.into_iter().find(|side| self.is_lost(*side) && (is_overdue || self.flow_from(*side).finished));
        if lost.is_none() && !(self.inbound.finished && self.outbound.finished) {
            return None;
        }
        let side = self.seen.first.or(lost).unwrap_or(Side::Client);
        let end = self.flow_from(side).end.clone();
        let end = match (end, self.seen.lost) {
            // A side that was lost later did not end in order.
            (None | Some(End::Fin | End::Truncated), Some((lost, loss))) if lost == side => loss.into(),
            (Some(end), _) => end,
            (None, _) => End::Reset,
        };
        Some(Outcome::Ended { side, end, reset: lost.map(Side::other) })
    }

    fn is_lost(&self, side: Side) -> bool {
        self.seen.lost.is_some_and(|(lost, _)| lost == side)
            || self.flow_from(side).end.as_ref().is_some_and(End::is_abrupt)
    }

    fn flow_from(&self, side: Side) -> &Flow {
        if side == Side::Client { self.inbound } else { self.outbound }
    }

    fn stream(&self, side: Side) -> &Stream {
        if side == Side::Client { self.client } else { self.member }
    }
}

const BOTH: [Side; 2] = [Side::Client, Side::Member];
/// After so long without bytes the log does not call an answer cut.
const EXCHANGE_PAUSE: Duration = Duration::from_secs(1);
