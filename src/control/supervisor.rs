//! Supervision of the tasks of the control plane: a task that panics is logged and counted, and restarted after a
//! pause.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

/// Counts how often tasks were restarted since the start of the process.
#[derive(Clone, Debug, Default)]
pub struct Restarts(Arc<AtomicU64>);

impl Restarts {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A supervised task; dropping it ends the task.
#[derive(Debug)]
pub struct SupervisedTask {
    _task: AbortOnDropHandle<()>,
}

impl SupervisedTask {
    /// Runs the task that `make` returns, and another one after a panic, with pauses that double from 100 ms to a
    /// minute. `on_panic` is called after each panic, before the pause. The task cannot end otherwise, as its output
    /// has no values.
    pub fn start<F>(
        name: String,
        restarts: &Restarts,
        on_panic: impl Fn() + Send + 'static,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Infallible> + Send + 'static,
    {
        let restarts = restarts.clone();
        let make = Arc::new(make);
        let supervised = async move {
            let mut pause = PAUSE.0;
            loop {
                let (started, make) = (Instant::now(), Arc::clone(&make));
                // A task of its own, so that a panic ends that one alone.
                let task = AbortOnDropHandle::new(tokio::spawn(async move { make().await }));
                let Err(ended) = task.await;
                restarts.increment();
                on_panic();
                if started.elapsed() >= STEADY {
                    pause = PAUSE.0;
                }
                tracing::error!(
                    task = name, reason = %join_error_message(ended), pause_ms = pause.as_millis() as u64,
                    "internal error: a task of the control plane panicked; it is restarted after a pause",
                );
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        };
        Self { _task: AbortOnDropHandle::new(tokio::spawn(supervised)) }
    }
}

/// Describes what ended a task.
pub(super) fn join_error_message(ended: JoinError) -> String {
    match ended.try_into_panic() {
        Ok(panic) => panic_message(&*panic),
        Err(ended) => ended.to_string(),
    }
}

/// Describes a panic.
pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no message"))
}

/// Supervised tasks of one kind, each with a key and a specification.
#[derive(Debug)]
pub(super) struct TaskGroup<K, S>(HashMap<K, (Arc<S>, SupervisedTask)>);

impl<K, S> Default for TaskGroup<K, S> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, S> TaskGroup<K, S> {
    /// Keeps exactly the tasks that are wanted. One whose specification `is_same` is not disturbed.
    pub(super) fn keep(
        &mut self,
        wanted: impl IntoIterator<Item = (K, S)>,
        is_same: impl Fn(&S, &S) -> bool,
        start: impl Fn(&K, Arc<S>) -> SupervisedTask,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for (key, wanted) in wanted {
            let kept = before.remove(&key).filter(|(known, _)| is_same(known, &wanted));
            let task = kept.unwrap_or_else(|| {
                let wanted = Arc::new(wanted);
                (Arc::clone(&wanted), start(&key, wanted))
            });
            self.0.insert(key, task);
        }
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &S)> {
        self.0.iter().map(|(key, (specification, _))| (key, &**specification))
    }
}

/// The first pause before a task is restarted, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
/// A task that ran so long begins with the first pause again.
const STEADY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_with_growing_pauses() {
        let (restarts, lost) = (Restarts::default(), Arc::new(AtomicU32::new(0)));
        let (begun, mut begins) = mpsc::channel(1);
        let counted = Arc::clone(&lost);
        let make = move || {
            let begun = begun.clone();
            async move {
                begun.send(Instant::now()).await.unwrap();
                assert!(begun.is_closed(), "on purpose");
                std::future::pending::<Infallible>().await
            }
        };
        let on_panic = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let child = SupervisedTask::start("test".into(), &restarts, on_panic, make);
        let mut starts = Vec::new();
        for _ in 0..12 {
            starts.push(begins.recv().await.unwrap());
        }
        let pauses: Vec<_> = starts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis() / 100).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
        assert!(restarts.count() >= 11 && u64::from(lost.load(Ordering::Relaxed)) == restarts.count());
        drop(child);
        while begins.recv().await.is_some() {}
        let after = restarts.count();
        sleep(Duration::from_secs(600)).await;
        assert_eq!(restarts.count(), after, "a child that was dropped is not started again");
    }

    #[tokio::test]
    async fn children_that_stay_the_same_are_not_disturbed() {
        let started = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let mut group = TaskGroup::<u8, u8>::default();
        let mut keep = |wanted: &[(u8, u8)]| {
            let started = Arc::clone(&started);
            group.keep(
                wanted.iter().copied(),
                |one, other| one == other,
                |key, specification| {
                    started.lock().push((*key, *specification));
                    SupervisedTask::start(
                        String::new(),
                        &Restarts::default(),
                        || (),
                        std::future::pending::<Infallible>,
                    )
                },
            );
            let mut keys: Vec<_> = group.iter().map(|(key, specification)| (*key, *specification)).collect();
            keys.sort_unstable();
            keys
        };
        let mut orders = fastrand::Rng::with_seed(3);
        let mut running: Vec<(u8, u8)> = Vec::new();
        for _ in 0..200 {
            let all: Vec<_> = (0..4).map(|key| (key, orders.u8(..2))).collect();
            let wanted: Vec<_> = all.into_iter().filter(|_| orders.bool()).collect();
            started.lock().clear();
            assert_eq!(keep(&wanted), wanted);
            let new: Vec<_> = wanted.iter().filter(|it| !running.contains(it)).copied().collect();
            assert_eq!(*started.lock(), new);
            running = wanted;
        }
    }
}
