//! What becomes of a connection that comes for a member: it gets one, it waits for one, or it is refused.

use super::NoMember;
use crate::model::Queueing;

/// What becomes of a connection that comes for a member.
#[derive(Debug)]
pub enum Arrival<Member, Place> {
    /// A member takes it.
    Served(Member),
    /// It waits: nobody may be overtaken, or no member can take it yet.
    Queued(Place),
    /// As many wait as may.
    QueueFull,
    /// No member takes it, nor will one soon.
    Refused(NoMember),
}

impl<Member, Place> Arrival<Member, Place> {
    /// Decides, where so many come first: `choose` is asked if none does, and `queue` for a place in the queue, which
    /// may be full.
    pub(super) fn decide(
        queueing: Queueing,
        ahead: usize,
        choose: impl FnOnce() -> Result<Member, NoMember>,
        queue: impl FnOnce() -> Option<Place>,
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
