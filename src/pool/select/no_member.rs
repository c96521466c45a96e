//! Why no member could be chosen, and whether the connection may wait for one.

use super::refusal::Refused;
use crate::model::Queueing;

/// Why no member could be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMember {
    /// The pool has no members.
    Empty,
    /// Fewer members are up than `min-up-members`.
    TooFew { up: u32, needed: u32 },
    /// Every member that is left is down, or its name does not resolve.
    Down,
    /// Every member that is left is disabled or forced offline.
    Disabled,
    /// Some members could take the connection later.
    Busy(Busy),
    /// Every member was tried and none could be connected to.
    Tried,
}

/// What holds members up that could take a connection later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// A limit on connections, of pronk's or of the member's own.
    pub limit: bool,
    /// A limit on connections in a second.
    pub rate: bool,
    /// The limit on connections being set up.
    pub setup: bool,
    /// The same, where all of them are the client's own: another client could be served.
    pub setup_of_client: bool,
    /// A member is suspect, and may answer again.
    pub suspect: bool,
}

impl NoMember {
    /// Returns the reason that a user can do most about, of those for which members were passed over.
    pub(super) fn of(refusals: impl IntoIterator<Item = Refused>) -> Self {
        let (mut busy, mut tried, mut down, mut is_empty) = (Busy::default(), false, false, true);
        for why in refusals {
            is_empty = false;
            match why {
                Refused::Limit | Refused::NodeLimit | Refused::Unavailable | Refused::NoThread => {
                    busy.limit = true;
                }
                Refused::Rate | Refused::NodeRate => busy.rate = true,
                Refused::Setup => busy.setup = true,
                Refused::SetupOfClient => (busy.setup, busy.setup_of_client) = (true, true),
                Refused::Suspect => busy.suspect = true,
                Refused::Tried => tried = true,
                Refused::Down | Refused::Unresolved => down = true,
                Refused::Disabled | Refused::Drains | Refused::Offline => {}
            }
        }
        match () {
            () if is_empty => Self::Empty,
            () if busy != Busy::default() => Self::Busy(busy),
            () if tried => Self::Tried,
            () if down => Self::Down,
            () => Self::Disabled,
        }
    }

    /// Returns whether the connection may wait for a member: always for its turn to be set up, at a limit where the
    /// pool queues.
    pub fn may_wait(self, queueing: Queueing) -> bool {
        match self {
            Self::Busy(busy) => busy.setup || queueing.on_connection_limit,
            _ => false,
        }
    }
}
