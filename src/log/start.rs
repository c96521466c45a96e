//! Starting the log of the process.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt;

use super::handle::{FlushGuard, Log, QUEUE};
use super::layer::LineLayer;
use super::lossy_queue::LossyQueue;
use super::options::{Options, Target};
use super::output::Output;
use super::panic_hook::{self, MORE_THREADS};
use super::sink::Sink;
use super::state::LogState;

/// Why the log cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the log file {path}; check that its folder exists and that pronk may write there")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot use standard error for the log; raise the limit on open files")]
    Stderr(#[source] io::Error),
    #[error("cannot start the thread that writes the log; {}", MORE_THREADS)]
    Thread(#[source] io::Error),
    #[error("internal error: the process has a log already")]
    Started,
}

/// Starts the log of the process. Panics are logged as well, and not written to standard error.
///
/// # Errors
/// The target cannot be opened, the system gives no thread, or there is a log already.
pub fn start(options: Options) -> Result<(Log, FlushGuard), StartError> {
    let (log, guard) = open(options.target)?;
    let lines = LineLayer { queue: log.queue.clone(), format: options.format, color: options.color };
    let subscriber = tracing_subscriber::registry().with(options.filter).with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| StartError::Started)?;
    // Only one process-wide log can have been started.
    let _ = QUEUE.set(log.queue.clone());
    panic_hook::log_panics();
    Ok((log, guard))
}

pub(super) fn open(target: Target) -> Result<(Log, FlushGuard), StartError> {
    let output = match &target {
        Target::Stderr => Output::stderr().map_err(StartError::Stderr)?,
        Target::File(path) => {
            Output::file(path.clone()).map_err(|source| StartError::File { path: path.clone(), source })?
        }
    };
    let state = Arc::new(LogState::default());
    let mut sink = Sink::new(output, Arc::clone(&state));
    let queue = LossyQueue::start(CAPACITY, state, move |batch| sink.write(batch)).map_err(StartError::Thread)?;
    let log = Log { queue, target: Arc::new(target) };
    Ok((log.clone(), FlushGuard { log }))
}

/// How many lines may wait to be written.
const CAPACITY: usize = 8192;
