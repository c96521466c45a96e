//! Panics are logged.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{Location, PanicHookInfo};

/// Logs panics. The standard library would write them to standard error, which may block.
pub(super) fn log_panics() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::debug(&backtrace));
    let thread = std::thread::current();
    tracing::error!(
        panic = panic.payload_as_str().unwrap_or("of an unknown kind"),
        at = panic.location().map(Location::to_string),
        thread = thread.name(),
        backtrace,
        "internal error: a task panicked; please report this line"
    );
}
