//! Waiting until a point in time that may not be set.

use std::future::pending;

use tokio::time::{Instant, sleep_until};

/// Waits until `at`, or for ever where there is no such time: a branch of `select!` that may be switched off.
pub async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
