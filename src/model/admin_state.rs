//! Enabled, disabled, forced offline: what an administrator wants of a node, a member or a virtual server.

/// Administrative state, which monitors never change (F5's `session` and `state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdminState {
    /// Every connection is welcome.
    #[default]
    Enabled,
    /// Only active connections and those with a persistence record (`user-disabled`).
    Disabled,
    /// Only active connections (`user-down`).
    ForcedOffline,
}

impl AdminState {
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::ForcedOffline];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::ForcedOffline => "forced-offline",
        }
    }
}
