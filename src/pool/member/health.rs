//! Health of a member: what one monitor concludes, and what all of them conclude together.

/// What a monitor last concluded about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Up,
    /// It serves the connections that it has and must get no others, as when it drains. With the reason in words.
    Disabled(String),
    /// It can take no more just now, and may again at any moment. With the reason in words.
    Unavailable(String),
    /// With the reason in words.
    Down(String),
}

impl Verdict {
    /// Returns a word that fits "member is …".
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Disabled(_) => "disabled",
            Self::Unavailable(_) => "unavailable",
            Self::Down(_) => "down",
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Up => None,
            Self::Disabled(reason) | Self::Unavailable(reason) | Self::Down(reason) => Some(reason),
        }
    }
}

/// What all monitors of a member conclude together, from best to worst except that nothing is known of `Unknown`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Too few monitors have concluded anything, or there is none. The member is used.
    #[default]
    Unknown,
    Up,
    /// At its limit by its own account: as at a connection limit.
    Unavailable(String),
    /// Draining by its own account: no new connection, not even a persistent one; those that it has go on.
    Disabled(String),
    Down(String),
}

impl Health {
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }

    /// Returns why it is no better, in words.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unknown | Self::Up => None,
            Self::Unavailable(reason) | Self::Disabled(reason) | Self::Down(reason) => Some(reason),
        }
    }

    /// Returns whether a member in this health takes no connection, and so has all of its room free when it is back.
    pub(super) fn takes_no_connection(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Disabled(_))
    }
}
