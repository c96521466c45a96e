//! Fetching the chains of many ports at once.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::hello;
use super::port::Port;
use crate::inventory::Chain;
use crate::lint::clients::Client;
use crate::tls::{FetchError, fetch_chain};

/// What a port answers.
#[derive(Debug)]
pub(super) enum Answer {
    Chain(Chain),
    /// Why it shows none, and the clients that it agrees with where it does not with pronk.
    None(FetchError, Vec<Client>),
}

/// Asks all ports, some at a time, and returns the answers in their order.
pub(super) fn fetch(ports: &[Port]) -> anyhow::Result<Vec<Answer>> {
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetched = runtime.block_on(fetch_all(ports));
    // A name that does not resolve may be looked up for long after we have given up.
    runtime.shutdown_background();
    Ok(fetched)
}

async fn fetch_all(ports: &[Port]) -> Vec<Answer> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (index, port) in ports.iter().cloned().enumerate() {
        let permits = Arc::clone(&permits);
        asked.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            let fetched = fetch_chain((port.host.as_str(), port.port), port.server_name.as_ref(), LIMIT).await;
            let answer = match fetched {
                Ok(chain) => Answer::Chain(chain),
                Err(failure @ FetchError::NotAgreed(_)) => Answer::None(failure, hello::speaking(&port, LIMIT).await),
                Err(failure) => Answer::None(failure, Vec::new()),
            };
            (index, answer)
        });
    }
    // It is drawn on a terminal only.
    let progress = ProgressBar::new(ports.len() as u64);
    let mut fetched: Vec<_> = ports.iter().map(|_| Answer::None(FetchError::TimedOut, Vec::new())).collect();
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
