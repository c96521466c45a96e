//! What a connection tells of its member's health, for passive (inband) monitors.

use std::time::{Duration, Instant};

use super::close_reasons::{Close, ClosePhase, CloseReason, Mechanism};
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

    /// Reports that the member answered a new session.
    pub(super) fn answered(self) {
        self.member.record_answer(Contact::Process, now());
    }

    /// Returns when the member last answered anybody who asked for something: a probe, or a new session.
    pub(super) fn last_answer(self) -> Option<tokio::time::Instant> {
        self.member.last_answer().map(Into::into)
    }

    /// Reports that the member took what opens a session, and has answered nobody `since` then.
    pub(super) fn hangs(self, since: tokio::time::Instant) {
        let reason = format!("it took what opens a session, and answered nobody within {:.1?}", since.elapsed());
        let began = since.into_std();
        self.member.record_failure(&Failure { reason: reason.clone(), contact: Contact::Process, began }, now());
        self.member.publish(PassiveEvent::TimedOut(reason));
    }

    /// Reports that the member ended a connection before the client did.
    pub(super) fn ended_by_member(self) {
        self.member.publish(PassiveEvent::Lost);
    }

    /// Reports that a connection ended after `lasted` and the member had sent nothing.
    pub(super) fn unanswered(self, lasted: Duration) {
        self.member.publish(PassiveEvent::Silent(lasted));
    }

    /// Returns whether a connection that the member ends must wait for the verdict on the member.
    pub(super) fn verdict_matters(self) -> bool {
        self.member.service_down_action() != ServiceDownAction::None
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
