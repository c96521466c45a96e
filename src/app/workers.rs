//! The threads that carry connections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// The threads that carry connections, and do nothing else.
pub(super) enum Workers {
    /// Threads that take connections over from one another, so that none is idle while another has several that are busy.
    Several(Runtime),
    /// One thread. It needs nothing that threads share, which costs 5 % in short connections.
    Single { handle: Handle, stop: oneshot::Sender<()> },
}

impl Workers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system grants no more threads.
    pub(super) fn start(threads: usize) -> anyhow::Result<Self> {
        let started = if threads == 1 { Self::start_single() } else { Self::start_several(threads) };
        started.with_context(|| {
            let (fewer, s) = if threads == 1 { ("", "") } else { ("give fewer with --threads, or ", "s") };
            format!("cannot start {threads} thread{s} for connections; {fewer}raise the limit on processes (ulimit -u)")
        })
    }

    fn start_several(threads: usize) -> std::io::Result<Self> {
        let build = || Builder::new_multi_thread().worker_threads(threads).thread_name(NAME).enable_all().build();
        // It panics where the system grants no more threads.
        let built = catch_unwind(AssertUnwindSafe(build));
        built.unwrap_or_else(|_| Err(std::io::ErrorKind::OutOfMemory.into())).map(Self::Several)
    }

    fn start_single() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().thread_name(NAME).enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name(NAME.to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        Ok(Self::Single { handle, stop })
    }

    /// Returns where connections are spawned.
    pub(super) fn handle(&self) -> &Handle {
        match self {
            Self::Several(runtime) => runtime.handle(),
            Self::Single { handle, .. } => handle,
        }
    }

    /// Ends the connections that are left, and waits for nothing.
    pub(super) fn shutdown_background(self) {
        match self {
            Self::Several(runtime) => runtime.shutdown_background(),
            Self::Single { stop, .. } => drop(stop.send(())),
        }
    }
}

const NAME: &str = "connections";
