//! What a connection tells of its member's health, for passive (inband) monitors.

use std::time::{Duration, Instant};

use super::close_reasons::{Close, ClosePhase, CloseReason, Mechanism};
use crate::impala::Opening;
use crate::model::ServiceDownAction;
use crate::pool::{Contact, Failure, LiveMember, PassiveEvent};

/// Reports to the passive monitors of one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassiveHealth<'a> {
    member: &'a LiveMember,
}

impl<'a> PassiveHealth<'a> {
    pub(super) fn new(member: &'a LiveMember) -> Self {
        Self { member }
    }

    /// Reports that a connection to the member was made, in which so much of it answered.
    pub(super) fn connected(self, answered: Contact) {
        self.member.record_connected(answered, now());
    }

    /// Reports that no connection to the member could be made by an attempt that `began` then.
    pub(super) fn not_connected(self, close: &Close, began: Instant) {
        if close.reason == CloseReason::MemberRefused {
            self.member.record_refused(now());
        }
        let reason = close.detail.clone().unwrap_or_else(|| close.reason.to_string());
        let contact = match close.reason.phase() {
            ClosePhase::Connect => Contact::Port,
            _ => Contact::Process,
        };
        // Before its monitors hear of it, whose answer ends the suspicion.
        self.member.record_failure(&Failure { reason: reason.clone(), contact, began }, now());
        self.member.publish(match close.reason.mechanism() {
            Mechanism::Timeout => PassiveEvent::TimedOut(reason),
            _ => PassiveEvent::Failed(reason),
        });
    }

    /// Reports that the member sent its first bytes to a session that was opened so.
    pub(super) fn answered(self, opening: Opening) {
        self.member.record_answer(Contact::Process, now());
        self.member.record_opening(opening as u8);
    }

    /// Reports that the member sent bytes.
    pub(super) fn sent_bytes(self) {
        self.member.record_bytes(now());
    }

    /// Returns when the member last sent anything to anybody.
    pub(super) fn last_answer(self) -> Option<tokio::time::Instant> {
        self.member.last_answer().map(Into::into)
    }

    /// Reports that the member took what opens a session, and has answered nobody `since` then. Its monitors ask at once.
    /// It is suspect if it ever answered an opening of the kind: a client that speaks what the member does not says
    /// nothing of it.
    pub(super) fn hangs(self, opening: Opening, since: tokio::time::Instant) {
        if self.member.answers_openings(opening as u8) {
            let reason = format!("it took what opens a session, and answered nobody within {:.1?}", since.elapsed());
            let failure = Failure { reason, contact: Contact::Process, began: since.into_std() };
            self.member.record_failure(&failure, now());
        }
        self.member.publish(PassiveEvent::Hanging);
    }

    /// Reports that the member ended a connection before the client did.
    pub(super) fn ended_by_member(self) {
        self.member.publish(PassiveEvent::Lost);
    }

    /// Reports that a connection ended after `lasted` and the member had sent nothing.
    pub(super) fn unanswered(self, lasted: Duration) {
        self.member.publish(PassiveEvent::Silent(lasted));
    }

    /// Waits until the member's service-down action is due, and returns it.
    pub(super) fn service_down_due(self) -> impl Future<Output = ServiceDownAction> + use<'a> {
        self.member.service_down_due()
    }

    /// Returns whether a connection that the member ends must wait for the verdict on the member.
    pub(super) fn verdict_matters(self) -> bool {
        self.member.service_down_action() != ServiceDownAction::None
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
