//! What every probe does.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use crate::monitor::outcome::Outcome;

/// One way to find out whether a member serves. A probe remembers from one time to the next what helps it.
///
/// Every probe ends within its limit, which is of all its steps together. It reads a bounded amount, speaks at once on a
/// connection that it opens, and closes it when it has its answer.
pub(in crate::monitor) trait Probe: Send {
    /// Probes `address` once, within `limit`.
    fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_>;
}

/// A probe under way. It is boxed, as some are several exchanges long.
pub(in crate::monitor) type Probing<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
