//! Starting the log, and its handle.

use std::io;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use super::lossy_queue::{LOSS_TARGET, LossyQueue};
use super::output::Output;
use super::sink::Sink;
use super::state::LogState;

/// How many lines wait for being written, at most.
const CAPACITY: usize = 8192;

/// How long the end of the process waits for lines to be written, at most.
pub(super) const FLUSH: Duration = Duration::from_millis(1500);

/// What is logged, how and where.
#[derive(Debug)]
pub struct Options {
    pub format: Format,
    pub filter: EnvFilter,
    pub target: Target,
    /// Colours, in text.
    pub color: bool,
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    /// One JSON object a line.
    Json,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Stderr,
    /// A file, which is appended to and made with mode 0640 if need be.
    File(PathBuf),
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the log file {path}; see that its folder exists and that pronk may write there")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot use standard error for the log; raise the limit on open files")]
    Stderr(#[source] io::Error),
    #[error("the process has a log already, which is a mistake of pronk's own")]
    Started,
}

/// The log of this process, for those who keep it going.
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) queue: LossyQueue,
    pub(super) target: Arc<Target>,
}

/// Waits on its drop until what was logged is written, for a bounded time.
#[derive(Debug)]
#[must_use = "what is logged at the end is lost without it"]
pub struct FlushGuard {
    pub(super) log: Log,
    /// Never dropped: that can print to standard output, which may stand still as the log does.
    pub(super) _worker: ManuallyDrop<WorkerGuard>,
}

/// Starts the log of this process. Panics are logged as well, and write nothing to standard error themselves.
///
/// # Errors
/// The target cannot be opened, or there is a log already.
pub fn start(options: Options) -> Result<(Log, FlushGuard), StartError> {
    let (log, guard) = open(options.target)?;
    let lines = tracing_subscriber::fmt().with_env_filter(options.filter).with_writer(log.queue.clone());
    let lines = lines.log_internal_errors(false);
    match options.format {
        Format::Text => lines.with_ansi(options.color).try_init(),
        Format::Json => lines.with_ansi(false).json().flatten_event(true).try_init(),
    }
    .map_err(|_| StartError::Started)?;
    super::panic_hook::log_panics();
    Ok((log, guard))
}

pub(super) fn open(target: Target) -> Result<(Log, FlushGuard), StartError> {
    let output = match &target {
        Target::Stderr => Output::stderr().map_err(StartError::Stderr)?,
        Target::File(path) => {
            Output::file(path.clone()).map_err(|source| StartError::File { path: path.clone(), source })?
        }
    };
    let shared = Arc::new(LogState::default());
    let (queue, worker) = LossyQueue::start(CAPACITY, Arc::clone(&shared), Sink::new(output, shared));
    let log = Log { queue, target: Arc::new(target) };
    Ok((log.clone(), FlushGuard { log, _worker: ManuallyDrop::new(worker) }))
}

impl Log {
    /// How many lines were lost since the start: because the queue was full, or because they could not be written.
    pub fn lost(&self) -> u64 {
        self.queue.lost().total()
    }

    /// Logs how many lines were lost, if some were that no line has told of, and if lines were written since this was
    /// last called. Does no I/O; meant to be called about once a second.
    pub fn report_lost_lines(&self) {
        let shared = &self.queue.shared;
        let due = shared.reports().due(self.queue.lost(), shared.written.load(Relaxed));
        if let Some(lost) = due {
            tracing::warn!(target: LOSS_TARGET, lost = lost.total(), "{}", lost.describe(&shared.last_error()));
        }
    }

    /// Has the log file opened anew at once, after logrotate moved it.
    pub fn reopen(&self) {
        match *self.target {
            Target::Stderr => tracing::info!("the log goes to standard error, and there is no file to reopen"),
            Target::File(_) => {
                self.queue.shared.reopen.store(true, Relaxed);
                self.queue.wake();
            }
        }
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        self.log.report_lost_lines();
        let deadline = Instant::now() + FLUSH;
        while self.log.queue.backlog() > 0 && Instant::now() < deadline {
            #[cfg_attr(
                not(test),
                expect(clippy::disallowed_methods, reason = "the process ends, and its connections have")
            )]
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
