use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::systemd;
use crate::control::Handle;

/// Has a log file that has reached `ulimit -f` be an error of writing, and not the end of the process.
pub(super) fn survive_file_size_limit() -> std::io::Result<()> {
    // The signal stays caught though nobody waits for it.
    signal(SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}

/// What a signal asks for.
pub(super) enum Request {
    Reload,
    /// To open the log file anew.
    ReopenLog,
    /// SIGUSR2 is reserved, and must not end the process.
    Ignored,
    Stop,
}

/// The signals that the process answers.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    user: [Signal; 2],
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    pub async fn next(&mut self) -> Request {
        let [user1, user2] = &mut self.user;
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hangup.recv() => Request::Reload,
            _ = user1.recv() => Request::ReopenLog,
            _ = user2.recv() => Request::Ignored,
        }
    }

    /// Waits for a signal to stop.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Reloads for SIGHUP, with what systemd is to know of them.
pub(super) struct ReloadRequests {
    asked: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl ReloadRequests {
    /// Until this is dropped. A reload that hangs keeps no other from being asked for.
    pub fn start(handle: &Handle) -> Self {
        let (asked, handle) = (Arc::new(Notify::new()), handle.clone());
        let hangup = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            loop {
                tokio::select! {
                    () = hangup.notified() => {
                        if under_way.is_empty() {
                            systemd::notify_reloading();
                        }
                        let handle = handle.clone();
                        // What is wrong is in the log, and nothing has changed then.
                        under_way.spawn(async move { drop(handle.reload(false).await) });
                    }
                    Some(_) = under_way.join_next() => if under_way.is_empty() {
                        systemd::notify(&[NotifyState::Ready]);
                    },
                }
            }
        });
        Self { asked, _task: AbortOnDropHandle::new(task) }
    }

    pub fn ask(&self) {
        self.asked.notify_one();
    }
}
