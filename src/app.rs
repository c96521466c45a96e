//! The running system: everything put together, signals, and the end.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::control::Reloader;
use crate::proxy::Lifecycle;
use crate::{admin, net};

/// The longest time over which connections are closed at the end of a drain.
const SPREAD: Duration = Duration::from_secs(5);

/// How to run.
#[derive(Debug)]
pub struct Options {
    pub file: PathBuf,
    /// Worker threads; the cores that the process may use unless told.
    pub threads: Option<NonZeroUsize>,
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
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), threads, open_files, "starting");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let (mut hangup, mut terminate, mut interrupt) =
        (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let spread = SPREAD.min(options.drain_timeout);
    let lifecycle = Lifecycle::new(spread);
    let reloader = Arc::new(Reloader::new(options.file.clone(), lifecycle.clone()));
    let report = reloader.reload(false).await.map_err(|wrong| anyhow::anyhow!("{}", wrong.render(false)))?;
    report.log_notes();

    let certificates = Arc::clone(reloader.certificates());
    let watching = tokio::spawn(async move { certificates.run().await });
    let refreshed = Arc::clone(&reloader);
    let refreshing = tokio::spawn(async move { refreshed.keep_fresh().await });

    let discovering = Arc::clone(&reloader);
    let discovering = tokio::spawn(async move { discovering.keep_discovering().await });
    let drained = Arc::clone(&reloader);
    let ending = tokio::spawn(async move { drained.end_removed().await });

    let path = &options.admin_socket;
    let socket = admin::bind(path).with_context(|| format!("cannot make the admin socket {}", path.display()))?;
    let serving_admin = tokio::spawn(admin::serve(socket, Arc::clone(&reloader)));
    tracing::info!(admin_socket = %path.display(), "serving");
    notify(&[NotifyState::Ready]);

    loop {
        tokio::select! {
            _ = hangup.recv() => reload(&reloader).await,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    notify(&[NotifyState::Stopping]);
    // Replacements are for connections to come.
    refreshing.abort();
    watching.abort();
    ending.abort();
    discovering.abort();
    reloader.stop_listening().await;
    drain(&lifecycle, options.drain_timeout, spread, [&mut terminate, &mut interrupt]).await;
    serving_admin.abort();
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, admin_socket = %path.display(), "cannot remove the admin socket");
    }
    tracing::info!("stopped");
    Ok(())
}

async fn reload(reloader: &Reloader) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
    // What is wrong was logged, and nothing has changed.
    let _ = reloader.reload_and_log().await;
    notify(&[NotifyState::Ready]);
}

/// Lets connections end by themselves, then closes the rest, each at a moment of its own. A second signal hurries.
async fn drain(lifecycle: &Lifecycle, limit: Duration, spread: Duration, signals: [&mut Signal; 2]) {
    let open = lifecycle.connections.len();
    tracing::info!(connections = open, limit_s = limit.as_secs(), "draining");
    lifecycle.connections.close();
    let [terminate, interrupt] = signals;
    tokio::select! {
        () = lifecycle.connections.wait() => return,
        () = tokio::time::sleep(limit - spread) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!(connections = lifecycle.connections.len(), "closing what is left");
    lifecycle.cut();
    // Peers that read nothing must not keep us; the rest ends with the process.
    let _ = tokio::time::timeout(spread + SPREAD, lifecycle.connections.wait()).await;
}

/// Tells systemd, where there is one.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}
