//! Logging by the thread that writes the log.

use std::sync::OnceLock;

use super::deferred::Deferred;
use super::lossy_queue::LossyQueue;

/// Has `log` run by the thread that writes the log, where it logs one line. The line has its place and its time as if it
/// were logged now, and is dropped and counted as any other where the queue is full. Without a log, `log` runs at once.
pub fn log_later(log: impl FnOnce() + Send + 'static) {
    match QUEUE.get() {
        Some(queue) => queue.give_deferred(Deferred::new(log)),
        None => log(),
    }
}

/// The queue of the process's log.
pub(super) static QUEUE: OnceLock<LossyQueue> = OnceLock::new();
