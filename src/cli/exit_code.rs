//! The exit codes beside 0 (done) and 1 (something is wrong).

/// Arguments that cannot be meant.
pub(super) const USAGE: u8 = 2;
/// Of `lint` and `cert check`: input that cannot be read.
pub(super) const UNREADABLE: u8 = 3;
/// Ctrl-C ended a command that was waiting.
pub(super) const INTERRUPTED: u8 = 130;
