//! The threads that carry connections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::log::MORE_THREADS;

/// The threads that carry connections, and do nothing else.
pub(super) enum Workers {
    /// Threads that take connections over from one another, so that none is idle while another has several that are busy.
    Several(Runtime),
    /// One thread, whose runtime does without what several threads need to share work.
    Single { handle: Handle, stop: oneshot::Sender<()> },
}

impl Workers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system grants no more threads or descriptors.
    pub(super) fn start(threads: usize) -> anyhow::Result<Self> {
        if threads == 1 { Self::start_single() } else { Self::start_several(threads) }
    }

    fn start_several(threads: usize) -> anyhow::Result<Self> {
        let build = || Builder::new_multi_thread().worker_threads(threads).thread_name(NAME).enable_all().build();
        match catch_unwind(AssertUnwindSafe(build)) {
            Ok(built) => Ok(Self::Several(built?)),
            // It panics where the system grants no more threads.
            Err(_) => anyhow::bail!(
                "cannot start {threads} threads for connections; give fewer with --threads, or {MORE_THREADS}"
            ),
        }
    }

    fn start_single() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        };
        let started = thread::Builder::new().name(NAME.to_owned()).spawn(run);
        started.with_context(|| format!("cannot start the thread for connections; {MORE_THREADS}"))?;
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
