//! Running pronk: two runtimes, signals, the drain, the end.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::runtime::{Builder, Handle as RuntimeHandle, Runtime};
use tokio_util::task::AbortOnDropHandle;

use super::signals::{self, ReloadRequests, Request, Signals};
use super::systemd::{self, notify};
use crate::admin::{self, AdminSocket, SocketAccess};
use crate::control::{self, Controller, Handle, Phase, SupervisedTask};
use crate::log::Log;
use crate::net;
use crate::proxy::Lifecycle;

/// The options of `pronk run`.
#[derive(Debug)]
pub struct Options {
    pub file: PathBuf,
    /// Threads that carry connections; by default as many as the cores that the process may use.
    pub threads: Option<u16>,
    pub admin_socket: PathBuf,
    pub admin_socket_access: SocketAccess,
    /// Where what administrators set is kept for the next start.
    pub state_file: Option<PathBuf>,
    /// How long connections may go on after SIGTERM.
    pub drain_timeout: Duration,
    /// The log of the process, which is reopened on SIGUSR1.
    pub log: Log,
}

/// Runs until SIGTERM or SIGINT, and then until connections have ended or the drain time is over.
///
/// # Errors
/// Why it cannot start.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let open_files = net::raise_open_file_limit();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads = options.threads.map_or_else(cores, usize::from);
    // Everything but connections, so that nothing delays their bytes.
    let control = Builder::new_current_thread().enable_all().on_thread_start(net::lower_thread_priority).build()?;
    {
        // Before the first line of the log.
        let _entered = control.enter();
        signals::ignore_file_size_limit()?;
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), threads, open_files, "starting");
    let workers = workers(threads)?;
    let outcome = control.block_on(serve(options, workers.handle().clone()));
    // A thread that hangs, as on a network disk that is gone, must not keep the process.
    control.shutdown_background();
    workers.shutdown_background();
    outcome
}

/// Returns the runtime that carries connections.
fn workers(threads: usize) -> anyhow::Result<Runtime> {
    let build = || Builder::new_multi_thread().worker_threads(threads).thread_name("connections").enable_all().build();
    // It panics where the system grants no more threads.
    let built = catch_unwind(AssertUnwindSafe(build));
    built.unwrap_or_else(|_| Err(std::io::ErrorKind::OutOfMemory.into())).with_context(|| {
        format!(
            "cannot start {threads} threads; give fewer with --threads, or raise the limit on processes (ulimit -u)"
        )
    })
}

async fn serve(options: &Options, workers: RuntimeHandle) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let lifecycle = Lifecycle::new(workers, SPREAD.min(options.drain_timeout));
    let (controller, handle) = Controller::new(options.file.clone(), options.state_file.clone(), lifecycle.clone());
    let mut controlling = AbortOnDropHandle::new(tokio::spawn(controller.run()));
    tokio::spawn(systemd::notify_phases(handle.phases()));
    let path = &options.admin_socket;
    let socket = AdminSocket::bind(path, options.admin_socket_access)
        .with_context(|| format!("cannot make the admin socket {}", path.display()))?;
    let socket = Arc::new(socket);
    let tasks = [admin_task(&socket, &handle, &options.log), log_task(&handle, &options.log)];

    tokio::select! {
        biased;
        started = handle.start() => drop(started.map_err(|why| anyhow::anyhow!("{why}"))?),
        () = signals.stop() => return stopped_while_starting(),
        _ = handle.stop_requested() => return stopped_while_starting(),
    }
    tracing::info!(admin_socket = %path.display(), "serving");
    notify(&[NotifyState::Ready]);
    let reloads = ReloadRequests::start(&handle);
    let mut drain_timeout = options.drain_timeout;
    let orderly = loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Stop => break true,
                Request::Reload => reloads.request(),
                request => handle_log_signal(&request, &options.log),
            },
            asked = handle.stop_requested() => {
                drain_timeout = asked.drain_timeout.unwrap_or(drain_timeout);
                break true;
            }
            _ = &mut controlling => break false,
        }
    };
    // The stop is the last that systemd is notified of, also while a reload is under way.
    drop(reloads);
    notify(&[NotifyState::Stopping]);
    if orderly {
        // It is stopped here alone, so it is not refused.
        let _ = handle.stop().await;
    } else {
        tracing::error!("internal error: the controller has ended; connections drain, and the process ends");
        lifecycle.stop_listening();
    }
    if drain_timeout.is_zero() {
        lifecycle.close_connections_at_once();
    }
    let mut draining = pin!(control::drain(&lifecycle, drain_timeout));
    loop {
        tokio::select! {
            () = &mut draining => break,
            asked = handle.stop_requested() => if asked.drain_timeout == Some(Duration::ZERO) {
                lifecycle.close_connections_at_once();
            },
            request = signals.next() => match request {
                Request::Stop => lifecycle.close_connections_at_once(),
                // It is refused, and the log says so.
                Request::Reload => drop(handle.reload(false).await),
                request => handle_log_signal(&request, &options.log),
            },
        }
    }
    handle.set_stopped();
    notify(&[NotifyState::Status(Phase::Stopped.as_str())]);
    drop((tasks, socket));
    tracing::info!("stopped");
    if orderly { Ok(()) } else { anyhow::bail!("internal error: the controller has ended; the log says why") }
}

fn stopped_while_starting() -> anyhow::Result<()> {
    tracing::info!("stopped while starting");
    Ok(())
}

fn admin_task(socket: &Arc<AdminSocket>, handle: &Handle, log: &Log) -> SupervisedTask {
    let (socket, answered, log) = (Arc::clone(socket), handle.clone(), log.clone());
    let make = move || admin::serve(Arc::clone(&socket), answered.clone(), log.clone());
    SupervisedTask::start("admin socket".to_owned(), handle.restarts(), || (), make)
}

fn log_task(handle: &Handle, log: &Log) -> SupervisedTask {
    let log = log.clone();
    let make = move || report_lost_lines(log.clone());
    SupervisedTask::start("count of lost log lines".to_owned(), handle.restarts(), || (), make)
}

/// Logs how many log lines were lost, once some are written again.
async fn report_lost_lines(log: Log) -> Infallible {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        log.report_lost_lines();
    }
}

/// Handles a signal that is for the log, or ignored.
fn handle_log_signal(request: &Request, log: &Log) {
    match request {
        Request::ReopenLog => log.reopen(),
        Request::Ignored => tracing::warn!("SIGUSR2 is reserved, and does nothing"),
        Request::Reload | Request::Stop => {}
    }
}

/// The longest time over which connections are closed at the end of a drain.
const SPREAD: Duration = Duration::from_secs(5);
