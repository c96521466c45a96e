//! What becomes of findings about certificates.

/// What becomes of the findings of one check of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintLevel {
    pub level: Level,
    pub reason: Option<String>,
    /// From this time on it holds no longer; in seconds since 1970.
    pub until: Option<i64>,
}

/// How findings of a check are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// They are held back, and counted.
    Allow,
    /// They are warnings.
    Warn,
    /// They are errors.
    Deny,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Allow, Self::Warn, Self::Deny];

    /// Returns the word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}
