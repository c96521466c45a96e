//! Which errors of rustls-webpki a family's findings explain, so that the chain's verification does not report them
//! again. Each family declares its own beside its checks; the catalogue has all of them.

use webpki::Error;

use super::chain::Path;

/// An error of rustls-webpki that some finding about the same chain explains.
pub(super) struct Explanation {
    pub(super) error: fn(&Error) -> bool,
    /// Whether the family reports the cause in this chain.
    pub(super) is_reported: fn(&Path<'_>) -> bool,
}

impl Explanation {
    pub(super) fn explains(&self, error: &Error, path: &Path<'_>) -> bool {
        (self.error)(error) && (self.is_reported)(path)
    }
}
