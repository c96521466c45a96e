//! Panics are logged.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{Location, PanicHookInfo};

/// Logs panics. The standard library would write them to standard error, which may block.
pub(super) fn log_panics() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let at = panic.location().map(Location::to_string);
    let text = panic.payload_as_str().unwrap_or("of an unknown kind");
    if NO_THREAD.iter().any(|begin| text.starts_with(begin)) {
        tracing::error!(
            error = text,
            at,
            thread = thread.name(),
            remedy = MORE_THREADS,
            "pronk may start no more threads"
        );
        return;
    }
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::debug(&backtrace));
    tracing::error!(
        panic = text,
        at,
        thread = thread.name(),
        backtrace,
        "internal error: a task panicked; please report this line"
    );
}

/// What helps a process that may start no more threads.
pub(crate) const MORE_THREADS: &str = "raise the limit on processes (ulimit -u; TasksMax= of the systemd unit)";

/// What tokio, rayon and the standard library say when the system gives no thread.
const NO_THREAD: [&str; 3] =
    ["OS can't spawn worker thread", "The global thread pool has not been initialized", "failed to spawn thread"];
