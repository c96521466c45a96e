//! Signals: SIGHUP reloads, SIGUSR1 reopens the log file, SIGUSR2 upgrades, SIGTERM and SIGINT stop.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::systemd;
use crate::audit::{Outcome, Record, Source};
use crate::control::{CommandError, Handle};

/// Makes writing to a log file that has reached `ulimit -f` an error, instead of the end of the process.
pub(super) fn ignore_file_size_limit() -> std::io::Result<()> {
    // The signal stays caught, though nothing waits for it.
    signal(SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}

/// What a signal requests.
pub(super) enum Request {
    Reload,
    /// Reopen the log file.
    ReopenLog,
    /// Have a new process take over.
    Upgrade,
    /// The name of the signal.
    Stop(&'static str),
}

/// The signals that pronk handles.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    user: [Signal; 2],
}

impl Signals {
    /// Catches the signals.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Request {
        let [user1, user2] = &mut self.user;
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Request::Stop("SIGINT"),
            _ = self.hangup.recv() => Request::Reload,
            _ = user1.recv() => Request::ReopenLog,
            _ = user2.recv() => Request::Upgrade,
        }
    }

    /// Waits for a signal to stop.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Carries out the reloads that SIGHUP requests, and notifies systemd of them.
pub(super) struct ReloadRequests {
    requested: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl ReloadRequests {
    /// Starts carrying out reloads, until it is dropped. A reload that hangs does not keep others from being requested.
    pub(super) fn start(handle: &Handle) -> Self {
        let (requested, handle) = (Arc::new(Notify::new()), handle.clone());
        let hangup = Arc::clone(&requested);
        let task = tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            loop {
                tokio::select! {
                    () = hangup.notified() => {
                        if under_way.is_empty() {
                            systemd::notify_reloading();
                        }
                        let handle = handle.clone();
                        under_way.spawn(async move { reload(&handle).await });
                    }
                    Some(_) = under_way.join_next() => if under_way.is_empty() {
                        systemd::notify(&[NotifyState::Ready]);
                    },
                }
            }
        });
        Self { requested, _task: AbortOnDropHandle::new(task) }
    }

    /// Requests a reload.
    pub(super) fn request(&self) {
        self.requested.notify_one();
    }
}

/// Reloads the configuration, as SIGHUP requests. If it is refused, the log says why, and nothing has changed.
pub(super) async fn reload(handle: &Handle) {
    let refused = handle.reload(false).await.err();
    record(handle, "SIGHUP", "reload", refused.as_ref());
}

/// Has a new process take over, as SIGUSR2 requests. If it is refused or fails, the log says why, and nothing has changed.
pub(super) async fn upgrade(handle: &Handle) {
    let refused = handle.upgrade(None).await.err();
    record(handle, "SIGUSR2", "upgrade", refused.as_ref());
}

/// Records what a signal requested, and what came of it. Who sent it the system does not say.
pub(super) fn record(handle: &Handle, signal: &str, what: &str, error: Option<&CommandError>) {
    let outcome = match error {
        None => Outcome::Done,
        Some(CommandError::Internal(_) | CommandError::PartlyApplied(_)) => Outcome::Failed,
        Some(_) => Outcome::Refused,
    };
    let error = error.map(ToString::to_string);
    handle.audit().record(Record::new(signal, Source::Signal, what).ended(outcome, error.as_deref()));
}
