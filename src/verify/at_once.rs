//! Asking many at the same time, and not too many.

use std::task::Poll;

use tokio::sync::Semaphore;

/// Runs all of them, some at a time, and returns what they come to in their order.
pub(super) async fn at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let permits = Semaphore::new(AT_ONCE);
    let asking = |one| async {
        // The semaphore is never closed.
        let _permit = permits.acquire().await;
        one.await
    };
    let mut pending: Vec<_> = all.map(|one| (Some(Box::pin(asking(one))), None)).collect();
    std::future::poll_fn(|context| {
        for (running, output) in &mut pending {
            if let Some(future) = running
                && let Poll::Ready(done) = future.as_mut().poll(context)
            {
                *running = None;
                *output = Some(done);
            }
        }
        if pending.iter().all(|(running, _)| running.is_none()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

const AT_ONCE: usize = 32;
