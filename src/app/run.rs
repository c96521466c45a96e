//! Running pronk: two runtimes, signals, the drain, the end.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::{Builder, Handle as RuntimeHandle};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::administration::AdminListener;
use super::inheritance::{self, Begun};
use super::signals::{self, ReloadRequests, Request, Signals};
use super::systemd::{self, notify};
use super::workers::Workers;
use crate::admin::{self, Api, SocketAccess};
use crate::control::{self, Controller, HandedOver, Handle, Phase, SupervisedTask};
use crate::handover::{self, Report};
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
    /// How long connections may go on after another process has taken over.
    pub upgrade_drain_timeout: Duration,
    /// The log of the process, which is reopened on SIGUSR1.
    pub log: Log,
}

/// Runs until SIGTERM or SIGINT, or until another process has taken over, and then until connections have ended or the
/// drain time is over.
///
/// # Errors
/// Why it cannot start.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if handover::start_successor().map_err(anyhow::Error::msg)? {
        return Ok(());
    }
    let open_files = net::raise_open_file_limit();
    let begun = inheritance::take()?;
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads = options.threads.map_or_else(cores, usize::from);
    // Everything but connections, so that nothing delays their bytes.
    let control = Builder::new_current_thread().enable_all().on_thread_start(net::lower_thread_priority).build()?;
    {
        // Before the first line of the log.
        let _entered = control.enter();
        signals::ignore_file_size_limit()?;
    }
    let predecessor = begun.inheritance.predecessor.as_ref().map(|predecessor| predecessor.process().pid);
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, pid = std::process::id(), threads, open_files, takes_over_from = predecessor, "starting");
    let workers = Workers::start(threads)?;
    let outcome = control.block_on(serve(options, workers.handle().clone(), begun));
    // A thread that hangs, as on a network disk that is gone, must not keep the process.
    control.shutdown_background();
    workers.shutdown_background();
    outcome
}

/// Why the process no longer serves.
enum Left {
    /// Somebody asked for it, with this drain time.
    Stop(Duration),
    HandedOver(Arc<HandedOver>),
    /// The controller has ended.
    Failure,
}

async fn serve(options: &Options, workers: RuntimeHandle, begun: Begun) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let lifecycle = Lifecycle::new(workers, SPREAD.min(options.drain_timeout));
    let predecessor = begun.inheritance.predecessor.clone();
    let (file, state_file) = (options.file.clone(), options.state_file.clone());
    let (controller, handle) = Controller::new(file, state_file, lifecycle.clone(), begun.inheritance);
    let mut controlling = AbortOnDropHandle::new(tokio::spawn(controller.run()));
    let api = Api::new(handle.clone(), options.log.clone(), &options.admin_socket);
    let admin = AdminListener::new(&options.admin_socket, options.admin_socket_access, &handle, &api);
    let mut inherited = begun.admin_socket;
    if predecessor.is_none() {
        admin.start(inherited.take())?;
    }
    let network = network_task(&handle, &api);
    // A successor is no process of the service manager's until it serves.
    let phases = || Some(AbortOnDropHandle::new(tokio::spawn(systemd::notify_phases(handle.phases()))));
    let starting = if predecessor.is_none() { phases() } else { None };
    let watchdog = || Some(watchdog_task(&handle, &lifecycle));
    let answering = if predecessor.is_none() { watchdog() } else { None };
    let _log = log_task(&handle, &options.log);

    tokio::select! {
        biased;
        started = handle.start() => if let Err(why) = started {
            if let Some(predecessor) = &predecessor {
                predecessor.refuse(&why.to_string());
            }
            anyhow::bail!("{why}");
        },
        () = signals.stop() => return stopped_while_starting(),
        _ = handle.stop_requested() => return stopped_while_starting(),
    }
    if predecessor.is_some() {
        // Until now it was the predecessor who answered.
        admin.start(inherited)?;
    }
    tracing::info!(admin_socket = %options.admin_socket.display(), pid = std::process::id(), "serving");
    let served = handle.listening().borrow().iter().map(|((destination, _), _)| *destination).collect();
    if let Some(Err(error)) = predecessor.map(|predecessor| predecessor.serving(served)) {
        tracing::warn!(%error, "the process before this one has ended before it handed over");
    }
    notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
    let service = (starting.or_else(phases), answering.or_else(watchdog));
    let keeping = systemd::keep_sockets(handle.listening(), handle.phases(), begun.kept);
    let kept = AbortOnDropHandle::new(tokio::spawn(keeping));
    let reloads = ReloadRequests::start(&handle);
    let mut handed_over = handle.handed_over();
    let mut left = loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Stop(signal) => {
                    signals::record(&handle, signal, "stop", None);
                    break Left::Stop(options.drain_timeout);
                }
                Request::Reload => reloads.request(),
                Request::Upgrade => request_upgrade(&handle),
                Request::ReopenLog => reopen_logs(&handle, &options.log),
            },
            asked = handle.stop_requested() => break Left::Stop(asked.drain_timeout.unwrap_or(options.drain_timeout)),
            Ok(by) = handed_over.wait_for(Option::is_some) => if let Some(by) = &*by {
                break Left::HandedOver(Arc::clone(by));
            },
            _ = &mut controlling => break Left::Failure,
        }
    };
    // The stop is the last that systemd is notified of, also while a reload is under way. It keeps the sockets.
    drop((reloads, kept));
    if let Left::Stop(drain_timeout) = left {
        // It is refused only if another process has taken over at this moment.
        let _ = handle.stop().await;
        let by = handed_over.borrow().clone();
        left = by.map_or(left, |by| Left::HandedOver(Arc::new(by.with_drain_timeout(drain_timeout))));
    }
    match &left {
        Left::Stop(_) => notify(&[NotifyState::Stopping]),
        Left::HandedOver(by) => {
            // From here on the service manager is told by the new process alone.
            drop(service);
            notify(&[NotifyState::MainPid(by.process.pid)]);
            admin.move_aside().await;
            by.answer();
        }
        Left::Failure => {
            notify(&[NotifyState::Stopping]);
            tracing::error!("internal error: the controller has ended; connections drain, and the process ends");
            lifecycle.stop_listening();
        }
    }
    drain(&left, options, &mut signals, &handle, &lifecycle).await;
    if let Left::Stop(drain_timeout) = left {
        systemd::wait_for_processes(&handle, drain_timeout).await;
    }
    handle.set_stopped();
    if !matches!(left, Left::HandedOver(_)) {
        notify(&[NotifyState::Status(Phase::Stopped.as_str())]);
    }
    // Whoever connects from here on is for the next process, if there is one.
    drop(network);
    admin.end().await;
    handle.audit().flush();
    tracing::info!(pid = std::process::id(), "stopped");
    match left {
        Left::Failure => anyhow::bail!("internal error: the controller has ended; the log says why"),
        Left::Stop(_) | Left::HandedOver(_) => Ok(()),
    }
}

/// Drains until connections have ended or the drain time is over. After a hand-over the first SIGTERM, and whoever asks for a
/// stop, shorten the time to that of a stop; any other signal closes connections at once.
async fn drain(left: &Left, options: &Options, signals: &mut Signals, handle: &Handle, lifecycle: &Lifecycle) {
    let handed_over = if let Left::HandedOver(by) = left { Some(by) } else { None };
    let limit = match left {
        Left::Stop(drain_timeout) => *drain_timeout,
        Left::HandedOver(by) => by.drain_timeout.unwrap_or(options.upgrade_drain_timeout),
        Left::Failure => options.drain_timeout,
    };
    // A time that no clock reaches is for ever.
    let far = || Instant::now() + FAR;
    let (until, moved) = watch::channel(Instant::now().checked_add(limit).unwrap_or_else(far));
    let mut draining = pin!(control::drain(lifecycle, moved));
    if limit.is_zero() {
        lifecycle.close_connections_at_once();
    }
    let shorten = |until: &watch::Sender<Instant>| {
        let stop = Instant::now().checked_add(options.drain_timeout).unwrap_or_else(far);
        until.send_modify(|until| *until = stop.min(*until));
    };
    let report = |by: &HandedOver| {
        let seconds_left = until.borrow().saturating_duration_since(Instant::now()).as_secs();
        let connections = lifecycle.connections.len() as u64;
        by.reports.send(Report { connections, seconds_left }, handle.held());
    };
    let (mut is_told_to_stop, mut is_sent) = (handed_over.is_none(), true);
    let mut reports = interval(REPORTS);
    reports.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = &mut draining => break,
            asked = handle.stop_requested() => match asked.drain_timeout {
                Some(Duration::ZERO) => lifecycle.close_connections_at_once(),
                Some(time) => until.send_modify(|until| {
                    let asked_for = Instant::now().checked_add(time).unwrap_or_else(far);
                    *until = if asked.is_passed_on { asked_for.min(*until) } else { asked_for };
                }),
                // One that was told to stop drains already.
                None if handed_over.is_none() => {}
                None => shorten(&until),
            },
            request = signals.next() => match request {
                Request::Stop(signal) if is_told_to_stop => {
                    signals::record(handle, signal, "close the remaining connections at once", None);
                    lifecycle.close_connections_at_once();
                }
                Request::Stop(signal) => {
                    signals::record(handle, signal, "stop", None);
                    is_told_to_stop = true;
                    shorten(&until);
                }
                // They are refused, and the log says so.
                Request::Reload => signals::reload(handle).await,
                Request::Upgrade => signals::upgrade(handle).await,
                Request::ReopenLog => reopen_logs(handle, &options.log),
            },
            _ = reports.tick() => if let Some(by) = handed_over {
                report(by);
                is_sent = false;
            },
            () = rest(handed_over), if !is_sent => is_sent = true,
        }
    }
    // Some time passes until the process ends, and what it reported last counts for so long.
    if let Some(by) = handed_over {
        report(by);
        let _ = timeout(LAST_REPORT, by.reports.rest()).await;
    }
}

/// Sends what is left of reports.
async fn rest(handed_over: Option<&Arc<HandedOver>>) {
    if let Some(by) = handed_over {
        by.reports.rest().await;
    }
}

fn stopped_while_starting() -> anyhow::Result<()> {
    tracing::info!("stopped while starting");
    Ok(())
}

/// Starts an upgrade. If it is refused or fails, the log says why, and nothing has changed.
fn request_upgrade(handle: &Handle) {
    let handle = handle.clone();
    drop(tokio::spawn(async move { signals::upgrade(&handle).await }));
}

fn watchdog_task(handle: &Handle, lifecycle: &Lifecycle) -> SupervisedTask {
    let (asked, lifecycle) = (handle.clone(), lifecycle.clone());
    let make = move || systemd::answer_watchdog(asked.clone(), lifecycle.clone());
    SupervisedTask::start("watchdog".to_owned(), handle.restarts(), || (), make)
}

fn network_task(handle: &Handle, api: &Api) -> SupervisedTask {
    let (served, api) = (handle.clone(), api.clone());
    let make = move || admin::serve_network(served.clone(), api.clone());
    SupervisedTask::start("admin API over the network".to_owned(), handle.restarts(), || (), make)
}

fn log_task(handle: &Handle, log: &Log) -> SupervisedTask {
    let log = log.clone();
    let make = move || report_lost_lines(log.clone());
    SupervisedTask::start("count of lost log lines".to_owned(), handle.restarts(), || (), make)
}

/// Logs how many log lines were lost, once some are written again.
async fn report_lost_lines(log: Log) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        log.report_lost_lines();
    }
}

/// Opens the log file and that of the audit log anew.
fn reopen_logs(handle: &Handle, log: &Log) {
    log.reopen();
    handle.audit().reopen();
}

/// The longest time over which connections are closed at the end of a drain.
const SPREAD: Duration = Duration::from_secs(5);
/// How often a process that drains reports what it has left.
const REPORTS: Duration = Duration::from_millis(500);
/// For so long the last report waits for a reader, before the process ends.
const LAST_REPORT: Duration = Duration::from_millis(500);
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
