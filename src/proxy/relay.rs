//! Passing bytes both ways until both sides have ended, or nothing passed for the idle timeout.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::flow::{End, Flow, Side};
use super::passive_health::PassiveHealth;
use super::stream::Stream;
use super::traffic_meter::TrafficMeter;
use super::verdict_wait::VerdictWait;
use crate::model::ServiceDownAction;
use crate::pool::SetupGuard;

/// Why a relay ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The side that ended first, and how. If it was abrupt, `reset` is the side to be reset, after it has received all
    /// bytes that were sent to it before.
    Ended { side: Side, end: End, reset: Option<Side> },
    /// No bytes passed for the idle timeout.
    Idle,
    /// pronk stops, and the drain time is over.
    Drained,
    /// The member went down or was removed, and its service-down action is due.
    ServiceDown(ServiceDownAction),
}

/// What ends a relay from outside, and the time without bytes after which it ends by itself.
pub(super) struct StopConditions<C, S> {
    pub idle_timeout: Option<Duration>,
    /// Completes when the drain closes this connection.
    pub closing: C,
    /// Completes when the member's service-down action is due.
    pub service_down: S,
}

/// Both directions of one connection.
pub(super) struct Relay<'a> {
    pub client: &'a mut Stream,
    pub member: &'a mut Stream,
    pub inbound: &'a mut Flow,
    pub outbound: &'a mut Flow,
    health: PassiveHealth<'a>,
    /// The side that ended first.
    first: Option<Side>,
    /// A side that takes no more bytes. What it sent before is still passed on.
    unwritable: Option<Side>,
}

impl<'a> Relay<'a> {
    pub(super) fn new(
        client: &'a mut Stream,
        member: &'a mut Stream,
        inbound: &'a mut Flow,
        outbound: &'a mut Flow,
        health: PassiveHealth<'a>,
    ) -> Self {
        Self { client, member, inbound, outbound, health, first: None, unwritable: None }
    }

    /// Passes bytes until the end, and returns why it ended. Drops `setup` with the member's first byte.
    pub(super) async fn run(
        mut self,
        stop: StopConditions<impl Future<Output = ()>, impl Future<Output = ServiceDownAction>>,
        setup: SetupGuard,
        meter: &mut TrafficMeter,
    ) -> Outcome {
        let idle = stop.idle_timeout.unwrap_or(FAR_FUTURE);
        let mut active = Instant::now();
        let mut setup = Some(setup);
        let mut alarm = pin!(sleep_until(active + idle.min(SetupGuard::LONGEST)));
        let (mut closing, mut service_down) = (pin!(stop.closing), pin!(stop.service_down));
        let mut verdict = VerdictWait::default();
        self.outbound.end_held = self.health.verdict_matters();
        poll_fn(|cx| {
            // First, so that bytes which a dead member did not receive can go to another.
            if let Poll::Ready(action) = service_down.as_mut().poll(cx) {
                return Poll::Ready(Outcome::ServiceDown(action));
            }
            if let Poll::Ready(outcome) = self.poll(cx) {
                return Poll::Ready(outcome);
            }
            if self.outbound.end_held && self.outbound.end.is_some() {
                // A client that has ended by itself does not wait for the verdict.
                if self.inbound.end.is_some() || verdict.poll(cx).is_ready() {
                    self.outbound.end_held = false;
                    cx.waker().wake_by_ref();
                }
            }
            if meter.count_bytes(self.inbound.bytes, self.outbound.bytes) {
                active = Instant::now();
                meter.count_packets_each_second(active, self.client.socket(), self.member.socket());
            }
            if self.outbound.bytes > 0 {
                setup = None;
            }
            if closing.as_mut().poll(cx).is_ready() {
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

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Poll::Ready(Err(_)) = self.inbound.poll(cx, self.client, self.member) {
            self.unwritable.get_or_insert(Side::Member);
        }
        self.note_first(Side::Client);
        if let Poll::Ready(Err(_)) = self.outbound.poll(cx, self.member, self.client) {
            self.unwritable.get_or_insert(Side::Client);
            // The member still gets what the client sent before it ended.
            if let Poll::Ready(Err(_)) = self.inbound.poll(cx, self.client, self.member) {
                self.unwritable.get_or_insert(Side::Member);
            }
            self.note_first(Side::Client);
        }
        self.note_first(Side::Member);
        self.outcome().map_or(Poll::Pending, Poll::Ready)
    }

    /// Notes which side ended first.
    fn note_first(&mut self, side: Side) {
        let flow = if side == Side::Client { &self.inbound } else { &self.outbound };
        if flow.end.is_none() {
            return;
        }
        if self.first.is_none() && side == Side::Member {
            // Before the client learns of it and connects again.
            self.health.ended_by_member();
        }
        self.first.get_or_insert(side);
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let abrupt = |flow: &Flow| flow.finished && flow.end.as_ref().is_some_and(End::is_abrupt);
        let reset = match self.unwritable {
            // A side that takes no more bytes may still have sent some, which are passed on first.
            Some(Side::Client) => self.inbound.finished.then_some(Side::Member),
            Some(Side::Member) => self.outbound.finished.then_some(Side::Client),
            None if abrupt(self.inbound) => Some(Side::Member),
            None if abrupt(self.outbound) => Some(Side::Client),
            None => None,
        };
        if reset.is_none() && !(self.inbound.finished && self.outbound.finished) {
            return None;
        }
        let side = match (self.first, self.unwritable) {
            (Some(side), _) => side,
            (None, unwritable) => unwritable.unwrap_or(Side::Client),
        };
        let end = if side == Side::Client { self.inbound.end.take() } else { self.outbound.end.take() };
        let end = match end {
            // A side that cannot be written to was reset, even where reading it ends with FIN.
            Some(End::Fin | End::Truncated) | None if self.unwritable == Some(side) => End::Reset,
            Some(end) => end,
            None => End::Reset,
        };
        Some(Outcome::Ended { side, end, reset })
    }
}

/// How long "never" is for a timer.
const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
