//! The end of a relay: the close reason for the log, and how both sides are closed.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;

use super::close_reasons::{Close, CloseReason};
use super::flow::{End, Side};
use super::relay::Outcome;
use super::stream::Stream;
use crate::impala::{Opening, is_tls_record};
use crate::model::ServiceDownAction;
use crate::model::profile::Protocol;
use crate::net;

/// A relay that has ended, and all that its reason follows from.
pub(super) struct Ending<'a> {
    pub outcome: Outcome,
    pub client: &'a mut Stream,
    pub member: &'a mut Stream,
    /// The protocol of the client's first bytes.
    pub opening: Opening,
    /// Bytes that the client received.
    pub bytes_out: u64,
    /// How long the member was connected.
    pub lasted: Duration,
}

impl Ending<'_> {
    /// Returns why the connection ended.
    pub(super) fn reason(&self) -> Close {
        let close = match &self.outcome {
            Outcome::Idle => CloseReason::IdleTimeout.into(),
            Outcome::Drained => CloseReason::Drained.into(),
            Outcome::ServiceDown(ServiceDownAction::Drop) => return CloseReason::ServiceDownDrop.into(),
            Outcome::ServiceDown(_) => return CloseReason::ServiceDownReset.into(),
            Outcome::Ended { side, end, .. } => ended(*side, end),
        };
        match self.protocol_mismatch() {
            Some(reason) => reason.because(format_args!("{} after {:.1?}", close.reason, self.lasted)),
            None => close,
        }
    }

    /// Returns the reason of a connection that failed because client and member speak different protocols.
    fn protocol_mismatch(&self) -> Option<CloseReason> {
        let plain_to_member = matches!(self.member, Stream::Plain(_));
        let tls_from_client = matches!(self.client, Stream::Plain(_)) && self.opening == Opening::Tls;
        if plain_to_member && !tls_from_client && is_tls_record(self.member.socket().opening()) {
            return Some(CloseReason::MemberSpokeTls);
        }
        let by_member = matches!(self.outcome, Outcome::Ended { side: Side::Member, .. });
        let unanswered = self.bytes_out == 0 && (by_member || self.lasted >= LONG_ENOUGH_TO_ANSWER);
        match () {
            () if !unanswered => None,
            () if plain_to_member && tls_from_client => Some(CloseReason::MemberSilentToTls),
            () if self.opening.is_sasl() => Some(CloseReason::MemberSilentToSasl),
            () => None,
        }
    }

    /// Closes both sides, each as it should see the end. After service-down-action `drop` the client stays open.
    pub(super) async fn close(self, profile: &Protocol) {
        let Self { outcome, client, member, .. } = self;
        match outcome {
            Outcome::Ended { reset: Some(side), .. } => {
                let other = if side == Side::Client { client } else { member };
                // A reset discards what was not delivered yet, so it waits for the bytes that came before it.
                net::all_acknowledged(&other.socket().tcp, profile.close_wait).await;
                net::reset_on_close(&other.socket().tcp);
            }
            Outcome::Ended { reset: None, .. } => {}
            Outcome::ServiceDown(ServiceDownAction::Drop) => net::reset_on_close(&member.socket().tcp),
            Outcome::ServiceDown(_) => reset_both(client, member),
            Outcome::Idle if profile.reset_on_timeout => reset_both(client, member),
            Outcome::Idle | Outcome::Drained => {
                for side in [client, member] {
                    let finish = poll_fn(|cx| side.poll_finish(cx));
                    // A peer that reads nothing does not see it; its connection is closed in any case.
                    let _ = timeout(profile.close_wait, finish).await;
                }
            }
        }
    }
}

fn reset_both(client: &Stream, member: &Stream) {
    net::reset_on_close(&client.socket().tcp);
    net::reset_on_close(&member.socket().tcp);
}

fn ended(side: Side, end: &End) -> Close {
    match (side, end) {
        (Side::Client, End::Fin) => CloseReason::ClientFin.into(),
        (Side::Client, End::Truncated) => CloseReason::ClientTruncated.into(),
        (Side::Client, End::Reset) => CloseReason::ClientReset.into(),
        (Side::Client, End::Broken(error)) => CloseReason::ClientTlsFailed.because(error),
        (Side::Member, End::Fin) => CloseReason::MemberFin.into(),
        (Side::Member, End::Truncated) => CloseReason::MemberTruncated.into(),
        (Side::Member, End::Reset) => CloseReason::MemberReset.into(),
        (Side::Member, End::Broken(error)) => CloseReason::MemberTlsFailed.because(error),
    }
}

/// A member that sent nothing for so long did not understand the client; a client that ends sooner did not wait for it.
const LONG_ENOUGH_TO_ANSWER: Duration = Duration::from_secs(1);
