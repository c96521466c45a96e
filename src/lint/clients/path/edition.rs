//! The editions of Java that differ.

/// Which Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    Java17,
    Java25,
}
