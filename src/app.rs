//! The process: two runtimes, the log, signals, the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::runtime::{Builder, Handle as RuntimeHandle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::admin::{self, AdminSocket};
use crate::control::{self, Child, Controller, Handle, Phase};
use crate::net;
use crate::proxy::Lifecycle;

/// How to run.
#[derive(Debug)]
pub struct Options {
    pub file: PathBuf,
    /// Threads that carry connections; the cores that the process may use unless told.
    pub threads: Option<u16>,
    pub admin_socket: PathBuf,
    /// How long connections may go on after SIGTERM.
    pub drain_timeout: Duration,
}

/// Runs until SIGTERM or SIGINT, and then until connections have ended or the drain time is over.
///
/// # Errors
/// What keeps it from starting.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let open_files = net::raise_open_files();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads = options.threads.map_or_else(cores, usize::from);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), threads, open_files, "starting");
    let workers = workers(threads)?;
    // Everything but connections: nothing that it does holds up a byte.
    let control = Builder::new_current_thread().enable_all().on_thread_start(net::yield_to_connections).build()?;
    let outcome = control.block_on(serve(options, workers.handle().clone()));
    // What hangs, such as a file on a network disk that is gone, must not keep the process.
    control.shutdown_background();
    workers.shutdown_background();
    outcome
}

/// The runtime that carries connections.
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
    let (controller, handle) = Controller::new(options.file.clone(), lifecycle.clone());
    let mut controlling = AbortOnDropHandle::new(tokio::spawn(controller.run()));
    tokio::spawn(notify_phases(handle.phases()));
    let path = &options.admin_socket;
    let socket = AdminSocket::bind(path).with_context(|| format!("cannot make the admin socket {}", path.display()))?;
    let socket = Arc::new(socket);
    let answering = admin_child(&socket, &handle);

    tokio::select! {
        biased;
        started = handle.start() => drop(started.map_err(|why| anyhow::anyhow!("{why}"))?),
        () = signals.stop() => {
            tracing::info!("stopped before it served");
            return Ok(());
        }
    }
    tracing::info!(admin_socket = %path.display(), "serving");
    notify(&[NotifyState::Ready]);
    let reloads = Reloads::start(&handle);
    let orderly = loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => break true,
                asked => answer(&asked, &reloads),
            },
            _ = &mut controlling => break false,
        }
    };
    notify(&[NotifyState::Stopping]);
    if orderly {
        // It is told once only, as nobody else does.
        let _ = handle.stop().await;
    } else {
        tracing::error!("a fault of pronk's own: the controller has ended; connections drain, and the process ends");
        lifecycle.stop_listening();
    }
    let mut draining = pin!(control::drain(&lifecycle, options.drain_timeout));
    loop {
        tokio::select! {
            () = &mut draining => break,
            asked = signals.next() => match asked {
                Asked::Stop => lifecycle.cut_at_once(),
                asked => answer(&asked, &reloads),
            },
        }
    }
    handle.stopped();
    notify(&[NotifyState::Status(Phase::Stopped.as_str())]);
    drop((answering, socket));
    tracing::info!("stopped");
    if orderly { Ok(()) } else { anyhow::bail!("the controller ended by a fault of pronk's own; the log says which") }
}

/// Answers a signal that does not stop the process.
fn answer(asked: &Asked, reloads: &Reloads) {
    match asked {
        Asked::Reload => reloads.asked.notify_one(),
        Asked::Reopen => tracing::info!("SIGUSR1: the log is not a file, so there is nothing to open anew"),
        Asked::Nothing => tracing::warn!("SIGUSR2 is reserved, and does nothing"),
        Asked::Stop => {}
    }
}

/// Reloads for SIGHUP, one after the other, with what systemd is to know of each.
struct Reloads {
    asked: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Reloads {
    fn start(handle: &Handle) -> Self {
        let asked = Arc::new(Notify::new());
        let (handle, hangup) = (handle.clone(), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                hangup.notified().await;
                if handle.phase() == Phase::Serving {
                    notify_reloading();
                }
                // What is wrong was logged, and nothing has changed.
                let _ = handle.reload(false).await;
                if handle.phase() == Phase::Serving {
                    notify(&[NotifyState::Ready]);
                }
            }
        });
        Self { asked, _task: AbortOnDropHandle::new(task) }
    }
}

fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

fn admin_child(socket: &Arc<AdminSocket>, handle: &Handle) -> Child {
    let (socket, answered) = (Arc::clone(socket), handle.clone());
    let make = move || admin::serve(Arc::clone(&socket), answered.clone());
    Child::start("admin socket".to_owned(), handle.restarts(), || (), make)
}

/// What a signal asks for.
enum Asked {
    Reload,
    /// To open the log file anew.
    Reopen,
    /// SIGUSR2 is reserved, and must not end the process.
    Nothing,
    Stop,
}

/// The signals that the process answers.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    user: [Signal; 2],
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    async fn next(&mut self) -> Asked {
        let [user1, user2] = &mut self.user;
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
            _ = user1.recv() => Asked::Reopen,
            _ = user2.recv() => Asked::Nothing,
        }
    }

    /// Waits for a signal to stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells systemd of each phase, where there is one.
async fn notify_phases(mut phases: watch::Receiver<Phase>) {
    loop {
        let phase = *phases.borrow_and_update();
        notify(&[NotifyState::Status(phase.as_str())]);
        if phases.changed().await.is_err() {
            return;
        }
    }
}

/// Tells systemd, where there is one.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}

/// The longest time over which connections are closed at the end of a drain.
const SPREAD: Duration = Duration::from_secs(5);
