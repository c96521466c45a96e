//! Why a member is passed over.

use std::borrow::Cow;
use std::sync::Arc;

use crate::pool::member::{Health, Suspicion};

/// Why a member is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It failed this connection already.
    Tried,
    /// Forced offline by an administrator.
    Offline,
    /// Disabled by an administrator.
    Disabled,
    /// Draining by its own account.
    Drains,
    Down,
    /// Its name does not resolve.
    Unresolved,
    /// Full by its own account, as a monitor found.
    Unavailable,
    /// All of its service threads are in use.
    NoThread,
    /// At its own connection limit.
    Limit,
    /// Its node is at its connection limit.
    NodeLimit,
    /// It got as many connections within a second as it may.
    Rate,
    NodeRate,
    /// It failed a connection or a probe lately, and others can be chosen.
    Suspect,
    /// As many connections as may be are set up with it, while members are spared.
    Setup,
    /// The same, and all of them are the client's own; another client's connection could be.
    SetupOfClient,
}

impl Refused {
    pub(super) const ALL: [Self; 15] = [
        Self::Tried,
        Self::Offline,
        Self::Disabled,
        Self::Drains,
        Self::Down,
        Self::Unresolved,
        Self::Unavailable,
        Self::NoThread,
        Self::Limit,
        Self::NodeLimit,
        Self::Rate,
        Self::NodeRate,
        Self::Suspect,
        Self::Setup,
        Self::SetupOfClient,
    ];

    /// Returns words that fit "it …".
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tried => "failed this connection already",
            Self::Offline => "is forced offline",
            Self::Disabled => "is disabled, and takes no new connection",
            Self::Drains => "drains by its own account, and takes no new connection",
            Self::Down => "is down",
            Self::Unresolved => "has a name that does not resolve",
            Self::Unavailable | Self::NoThread => "is full by its own account",
            Self::Limit => "is at its connection limit",
            Self::NodeLimit => "is on a node at its connection limit",
            Self::Rate => "is at its rate limit",
            Self::NodeRate => "is on a node at its rate limit",
            Self::Suspect => "is suspect, and others are tried first",
            Self::Setup | Self::SetupOfClient => {
                "has as many connections being set up as it may while members are spared after a loss"
            }
        }
    }
}

/// Why a member is passed over, with what this was decided by: that may have changed by the time that somebody asks.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub why: Refused,
    pub by: Option<DecidedBy>,
}

/// What a refusal was decided by, where that has a reason of its own.
#[derive(Clone, Debug)]
pub(super) enum DecidedBy {
    Health(Arc<Health>),
    Suspicion(Arc<Suspicion>),
    /// It has so many service threads.
    Threads(u64),
}

impl Refusal {
    pub(super) fn suspect(suspicion: Arc<Suspicion>) -> Self {
        Self { why: Refused::Suspect, by: Some(DecidedBy::Suspicion(suspicion)) }
    }

    pub(super) fn reason(&self) -> Option<Cow<'_, str>> {
        match self.by.as_ref()? {
            DecidedBy::Health(health) => health.reason().map(Cow::Borrowed),
            DecidedBy::Suspicion(suspicion) => Some(Cow::Borrowed(suspicion.reason())),
            DecidedBy::Threads(threads) => Some(Cow::Owned(format!("all of its {threads} service threads are in use"))),
        }
    }
}
