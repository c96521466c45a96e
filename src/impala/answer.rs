//! What a port's answer to a probe means.

/// What came back to a probe so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// More must be read.
    Incomplete,
    /// The port serves.
    Alive,
    /// The port serves those that it knows, and refuses what is new.
    Draining,
    /// A TLS record: the port speaks TLS, and was asked in plaintext.
    Tls,
    /// It is no answer to this question; with what it seems to be, in words that fit "the port …".
    Foreign(String),
}
