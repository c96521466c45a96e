//! The end of a relay: the close reason for the log, and how both sides are closed.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::flow::{End, Side};
use super::relay::{Finished, Outcome};
use super::stop::Stop;
use super::stream::Stream;
use super::verdict_wait::VERDICT;
use crate::impala::{Opening, is_tls_record};
use crate::model::ServiceDownAction;
use crate::model::profile::Protocol;
use crate::net;
use crate::pool::LiveMember;
use crate::tls::TlsFault;

/// A relay that has ended, and all that its reason follows from.
pub(super) struct Ending<'a> {
    pub finished: &'a Finished,
    pub client: &'a Stream,
    pub member: &'a Stream,
    pub record: &'a ConnectionRecord,
    /// The protocol of the client's first bytes, within TLS where the virtual server terminates it.
    pub opening: Opening,
    /// The first bytes of the member, within TLS where the virtual server speaks it.
    pub answer: &'a [u8],
    /// How long the member was connected.
    pub lasted: Duration,
    /// Whether the member is down by now.
    pub member_is_down: bool,
}

impl Ending<'_> {
    /// Returns why the connection ended.
    pub(super) fn reason(&self, profile: &Protocol) -> Close {
        let in_exchange = self.finished.in_exchange;
        let close = match &self.finished.outcome {
            Outcome::Idle => CloseReason::IdleTimeout.into(),
            Outcome::Stopped(stop) => self.record.close_by(*stop, in_exchange),
            Outcome::ServiceDown(ServiceDownAction::Drop) => return CloseReason::ServiceDownDrop.into(),
            Outcome::ServiceDown(_) => return CloseReason::ServiceDownReset.into(),
            Outcome::HalfClosed(Side::Client) => CloseReason::HalfClosedTimeout.into(),
            Outcome::HalfClosed(Side::Member) => {
                let limit = profile.half_closed_timeout.unwrap_or_default();
                CloseReason::MemberFin.because(format_args!("the client did not close its side within {limit:?}"))
            }
            Outcome::Ended { side, end, .. } => ended(*side, end),
        };
        if let Some(reason) = self.protocol_mismatch() {
            let (how, lasted) = (close.reason, self.lasted);
            return match self.opening {
                foreign if !foreign.is_of_impala() && foreign != Opening::Unknown => {
                    let protocol = foreign.describe();
                    reason.because(format_args!("{how} after {lasted:.1?}; the client speaks {protocol}"))
                }
                _ => reason.because(format_args!("{how} after {lasted:.1?}")),
            };
        }
        match close.reason {
            CloseReason::MemberFin | CloseReason::MemberTruncated if self.member_is_down => {
                CloseReason::MemberGone.because(close.reason)
            }
            _ => close,
        }
    }

    /// Returns the reason of a connection that failed because client and member speak different protocols.
    fn protocol_mismatch(&self) -> Option<CloseReason> {
        let plain_to_member = matches!(self.member, Stream::Plain(_));
        let tls_from_client = matches!(self.client, Stream::Plain(_)) && self.opening == Opening::Tls;
        if plain_to_member && !tls_from_client && is_tls_record(self.answer) {
            return Some(CloseReason::MemberSpokeTls);
        }
        let by_member = match self.finished.outcome {
            Outcome::Ended { side, .. } => side == Side::Member,
            Outcome::Idle | Outcome::HalfClosed(_) => false,
            // pronk has cut an exchange short that may have been good.
            Outcome::Stopped(_) | Outcome::ServiceDown(_) => return None,
        };
        let is_quick = self.lasted < LONG_ENOUGH_TO_ANSWER;
        let is_unanswered = self.answer.is_empty() && (by_member || !is_quick);
        match () {
            () if !is_unanswered || self.member_is_down => None,
            () if plain_to_member && tls_from_client => Some(CloseReason::MemberSilentToTls),
            // A member that waits for more SASL is silent; one that waits for TLS, or for SASL, closes at once.
            () if by_member && is_quick && self.opening != Opening::Unknown => {
                Some(CloseReason::MemberClosedUnanswered)
            }
            () if self.opening.is_sasl() => Some(CloseReason::MemberSilentToSasl),
            () => None,
        }
    }
}

/// How the sides of a connection are closed, each as it should see the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Closing {
    /// Both have got their end, or have no use for one.
    Done,
    /// This side is reset, once it has what was sent to it before.
    ResetAfterDelivery(Side),
    ResetBoth,
    /// The member is reset, and the client stays open.
    KeepClient,
    /// Both get an end in order.
    Finish,
}

impl Closing {
    pub(super) fn of(finished: &Finished, profile: &Protocol) -> Self {
        match finished.outcome {
            Outcome::Ended { reset: Some(side), .. } => Self::ResetAfterDelivery(side),
            Outcome::Ended { reset: None, .. } | Outcome::HalfClosed(Side::Member) => Self::Done,
            Outcome::ServiceDown(ServiceDownAction::Drop) => Self::KeepClient,
            // An answer may pause for any time, and an end in order would make its part look whole.
            Outcome::ServiceDown(_) | Outcome::Stopped(_) => Self::ResetBoth,
            Outcome::Idle | Outcome::HalfClosed(Side::Client) if profile.reset_on_timeout || finished.in_exchange => {
                Self::ResetBoth
            }
            Outcome::Idle | Outcome::HalfClosed(Side::Client) => Self::Finish,
        }
    }

    /// Closes both sides so. What has to wait is boxed, as its room would be a part of every open connection's.
    pub(super) async fn close(self, client: &mut Stream, member: &mut Stream, profile: &Protocol) {
        match self {
            Self::Done => {}
            Self::ResetAfterDelivery(side) => {
                let stream = if side == Side::Client { client } else { member };
                let socket = stream.socket_mut();
                // A reset discards what was not delivered yet, so it waits for the bytes that came before it.
                Box::pin(net::all_acknowledged_discarding(socket, profile.close_wait)).await;
                net::reset_on_close(&socket.tcp);
            }
            Self::ResetBoth => {
                net::reset_on_close(&client.socket().tcp);
                net::reset_on_close(&member.socket().tcp);
            }
            Self::KeepClient => net::reset_on_close(&member.socket().tcp),
            Self::Finish => {
                Box::pin(async { tokio::join!(finish(client, profile), finish(member, profile)) }).await;
            }
        }
    }
}

/// Returns the close reason of a connection that its member ended in order, once the member's monitors have looked: a
/// process that is killed ends its connections so, and is found to be down a moment later.
pub(super) async fn after_verdict(close: Close, member: &LiveMember, stopped: impl Future<Output = Stop>) -> Close {
    tokio::select! {
        () = sleep(VERDICT) => {}
        _ = stopped => {}
    }
    if member.health().is_down() { CloseReason::MemberGone.because(close.reason) } else { close }
}

/// Ends the sending direction in order.
pub(super) async fn finish(side: &mut Stream, profile: &Protocol) {
    // A peer that reads nothing does not see it; its connection is closed in any case.
    let _ = timeout(profile.close_wait, poll_fn(|cx| side.poll_finish(cx))).await;
}

fn ended(side: Side, end: &End) -> Close {
    match (side, end) {
        (Side::Client, End::Fin) => CloseReason::ClientFin.into(),
        (Side::Client, End::Truncated) => CloseReason::ClientTruncated.into(),
        (Side::Client, End::Reset) => CloseReason::ClientReset.into(),
        (Side::Client, End::TimedOut) => CloseReason::ClientTimedOut.into(),
        (Side::Client, End::Tls(fault)) => {
            let is_alert = matches!(**fault, TlsFault::AlertReceived { .. });
            let reason = if is_alert { CloseReason::ClientAlert } else { CloseReason::ClientTlsFailed };
            reason.because(format_args!("the client {}", fault.describe()))
        }
        (Side::Member, End::Fin) => CloseReason::MemberFin.into(),
        (Side::Member, End::Truncated) => CloseReason::MemberTruncated.into(),
        (Side::Member, End::Reset) => CloseReason::MemberReset.into(),
        (Side::Member, End::TimedOut) => CloseReason::MemberTimedOut.into(),
        (Side::Member, End::Tls(fault)) => {
            let is_alert = matches!(**fault, TlsFault::AlertReceived { .. });
            let reason = if is_alert { CloseReason::MemberAlert } else { CloseReason::MemberTlsFailed };
            reason.because(format_args!("the member {}", fault.describe()))
        }
    }
}

/// A member that sent nothing for so long did not understand the client; a client that ends sooner did not wait for it.
const LONG_ENOUGH_TO_ANSWER: Duration = Duration::from_secs(1);
