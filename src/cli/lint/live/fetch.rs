//! Fetching the chains of many ports at once.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::port::Port;
use crate::inventory::Chain;
use crate::tls::{FetchError, fetch_chain};

/// Asks all ports, some at a time, and returns the answers in their order.
pub(super) fn fetch(ports: &[Port]) -> anyhow::Result<Vec<Result<Chain, FetchError>>> {
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetched = runtime.block_on(fetch_all(ports));
    // A name that does not resolve may be looked up for long after we have given up.
    runtime.shutdown_background();
    Ok(fetched)
}

async fn fetch_all(ports: &[Port]) -> Vec<Result<Chain, FetchError>> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (index, port) in ports.iter().cloned().enumerate() {
        let permits = Arc::clone(&permits);
        asked.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            (index, fetch_chain((port.host.as_str(), port.port), port.server_name.as_ref(), LIMIT).await)
        });
    }
    // It is drawn on a terminal only.
    let progress = ProgressBar::new(ports.len() as u64);
    let mut fetched: Vec<_> = ports.iter().map(|_| Err(FetchError::TimedOut)).collect();
    while let Some(answer) = asked.join_next().await {
        if let Ok((index, answer)) = answer
            && let Some(answered) = fetched.get_mut(index)
        {
            *answered = answer;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    fetched
}

/// Ports that are asked at the same time.
const AT_ONCE: usize = 64;
/// How long a port may take to show its certificate.
const LIMIT: Duration = Duration::from_secs(5);
