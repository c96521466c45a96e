//! What becomes of a connection that wants a member: it gets one, it waits for one, or it is refused.

use super::no_member::NoMember;
use crate::model::Queueing;

/// What becomes of a connection that wants a member.
#[derive(Debug)]
pub enum Arrival<Member, Position> {
    /// A member takes it.
    Served(Member),
    /// It waits: nobody may be overtaken, or no member can take it yet.
    Queued(Position),
    /// As many wait as may.
    QueueFull,
    /// No member takes it, nor will one soon.
    Refused(NoMember),
}

impl<Member, Position> Arrival<Member, Position> {
    /// Decides, where `ahead` others go first: `choose` is asked if there are none, and `queue` for a position in the
    /// queue, which may be full.
    pub(super) fn decide(
        queueing: Queueing,
        ahead: usize,
        choose: impl FnOnce() -> Result<Member, NoMember>,
        queue: impl FnOnce() -> Option<Position>,
    ) -> Self {
        if ahead == 0 {
            match choose() {
                Ok(member) => return Self::Served(member),
                Err(none) if !none.may_wait(queueing) => return Self::Refused(none),
                Err(_) => {}
            }
        }
        queue().map_or(Self::QueueFull, Self::Queued)
    }
}
