use super::Queueing;

/// Why a member is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It failed this connection already.
    Tried,
    /// Forced offline by an administrator.
    Offline,
    /// Disabled by an administrator, or draining by its own account.
    Disabled,
    Down,
    /// Its name does not resolve.
    Unresolved,
    /// Full by its own account.
    Unavailable,
    /// At its own connection limit.
    Limit,
    /// Its node is at its connection limit.
    NodeLimit,
    /// It got as many connections within a second as it may.
    Rate,
    NodeRate,
    /// As many connections as may be are set up with it, while members are spared.
    Setup,
}

impl Refused {
    /// In words that fit "it …".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tried => "failed this connection already",
            Self::Offline => "is forced offline",
            Self::Disabled => "is disabled or drains, and takes no new connection",
            Self::Down => "is down",
            Self::Unresolved => "has a name that does not resolve",
            Self::Unavailable => "is full by its own account",
            Self::Limit => "is at its connection limit",
            Self::NodeLimit => "is on a node at its connection limit",
            Self::Rate => "is at its rate limit",
            Self::NodeRate => "is on a node at its rate limit",
            Self::Setup => "has as many connections being set up as it may while members are spared after a loss",
        }
    }
}

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
}

impl NoMember {
    /// The reason that a user can do most about.
    pub(super) fn of(refused: &[(usize, Refused)]) -> Self {
        let any = |wanted: &[Refused]| refused.iter().any(|(_, refused)| wanted.contains(refused));
        let busy = Busy {
            limit: any(&[Refused::Limit, Refused::NodeLimit, Refused::Unavailable]),
            rate: any(&[Refused::Rate, Refused::NodeRate]),
            setup: any(&[Refused::Setup]),
        };
        match () {
            () if refused.is_empty() => Self::Empty,
            () if busy != Busy::default() => Self::Busy(busy),
            () if any(&[Refused::Tried]) => Self::Tried,
            () if any(&[Refused::Down, Refused::Unresolved]) => Self::Down,
            () => Self::Disabled,
        }
    }

    /// Whether the connection may wait for a member: always for its turn to be set up, at a limit where the pool queues.
    pub fn may_wait(self, queueing: Queueing) -> bool {
        match self {
            Self::Busy(busy) => busy.setup || queueing.on_connection_limit,
            _ => false,
        }
    }
}
