//! What a connection tells of its member's health, for passive (inband) monitors.

use std::time::{Duration, Instant};

use super::close_reasons::{Close, CloseReason};
use crate::model::ServiceDownAction;
use crate::pool::{LiveMember, PassiveEvent};

/// Reports to the passive monitors of one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassiveHealth<'a> {
    member: &'a LiveMember,
}

impl<'a> PassiveHealth<'a> {
    pub(super) fn new(member: &'a LiveMember) -> Self {
        Self { member }
    }

    /// Reports that a connection to the member was made.
    pub(super) fn connected(self) {
        self.member.record_connected();
    }

    /// Reports that no connection to the member could be made.
    pub(super) fn not_connected(self, close: &Close) {
        if close.reason == CloseReason::MemberRefused {
            self.member.record_refused(now());
        }
        let reason = close.detail.clone().unwrap_or_else(|| close.reason.to_string());
        self.member.publish(PassiveEvent::Failed(reason));
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
