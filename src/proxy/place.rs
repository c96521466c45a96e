//! A connection's place at its member.

use crate::pool::{MemberGuard, SetupGuard};

/// What a connection takes up at its member: one of the member's connections, and until the member has answered, one of
/// those that are being set up. A place that is free serves the next client.
#[derive(Debug)]
pub(super) struct Place {
    guard: Option<MemberGuard>,
    setup: Option<SetupGuard>,
}

impl Place {
    pub(super) fn new(guard: MemberGuard, setup: SetupGuard) -> Self {
        Self { guard: Some(guard), setup: Some(setup) }
    }

    /// Counts the connection as set up.
    pub(super) fn set_up(&mut self) {
        self.setup = None;
    }

    /// Gives the place back, as the member's side of the connection is over.
    pub(super) fn free(&mut self) {
        (self.guard, self.setup) = (None, None);
    }

    pub(super) fn is_free(&self) -> bool {
        self.guard.is_none()
    }

    pub(super) fn is_being_set_up(&self) -> bool {
        self.setup.is_some()
    }
}
