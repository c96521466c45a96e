//! The admin socket of the process, which goes to the process that takes over.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parking_lot::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::admin::{self, AdminSocket, Api, SocketAccess};
use crate::control::{Handle, SupervisedTask};
use crate::reading::os_reason;

/// The admin socket and the task that serves it.
pub(super) struct AdminListener {
    path: PathBuf,
    access: SocketAccess,
    handle: Handle,
    api: Api,
    serving: Mutex<Option<Serving>>,
    _cleaning: AbortOnDropHandle<()>,
}

struct Serving {
    socket: Arc<AdminSocket>,
    _task: SupervisedTask,
}

impl AdminListener {
    pub(super) fn new(path: &Path, access: SocketAccess, handle: &Handle, api: &Api) -> Self {
        let (handle, api) = (handle.clone(), api.clone());
        let cleaning = AbortOnDropHandle::new(tokio::spawn(remove_sockets_of_killed(handle.clone(), path.to_owned())));
        Self { path: path.to_owned(), access, handle, api, serving: Mutex::default(), _cleaning: cleaning }
    }

    /// Serves the API on a socket that listens already, or on a new one.
    ///
    /// # Errors
    /// Why there can be no socket.
    pub(super) fn start(&self, inherited: Option<OwnedFd>) -> anyhow::Result<()> {
        let is_inherited = inherited.is_some();
        let socket = match inherited {
            Some(descriptor) => AdminSocket::inherit(descriptor, &self.path),
            None => AdminSocket::bind(&self.path, self.access),
        };
        let socket = socket.with_context(|| format!("cannot make the admin socket {}", self.path.display()))?;
        if let Ok(descriptor) = socket.descriptor() {
            self.handle.set_admin_socket(descriptor);
        }
        if !is_inherited {
            self.warn_of_draining();
        }
        self.serve(socket);
        Ok(())
    }

    /// Warns of processes that drain and that this one did not take over from.
    fn warn_of_draining(&self) {
        let path = self.path.clone();
        let followed: Vec<_> = self.handle.draining_processes().iter().map(|process| process.facts.pid).collect();
        // Nothing waits for it: the folder may be a very full one.
        drop(spawn_blocking(move || {
            for pid in AdminSocket::draining_beside(&path).into_iter().filter(|pid| !followed.contains(pid)) {
                tracing::warn!(
                    pid,
                    admin_socket = %admin::draining_path(&path, pid).display(),
                    "a pronk that was upgraded still drains, and this process did not take over from it: its connections \
                     are in no list and no limit of this process; ask it at its own admin socket"
                );
            }
        }));
    }

    /// Leaves the socket to the process that has taken over, and serves this one at a path of its own: with the number of
    /// the process behind it.
    pub(super) async fn move_aside(&self) {
        let serving = self.serving.lock().take();
        serving.iter().for_each(|serving| serving.socket.leave());
        drop(serving);
        // The task that accepts ends when the runtime comes to it.
        tokio::task::yield_now().await;
        let path = admin::draining_path(&self.path, std::process::id());
        match AdminSocket::bind(&path, self.access) {
            Ok(socket) => {
                tracing::info!(admin_socket = %path.display(), "while it drains, this process is asked here");
                self.serve(socket);
            }
            Err(error) => {
                tracing::warn!(admin_socket = %path.display(), error = %os_reason(&error),
                    "cannot make another admin socket: this process cannot be asked while it drains");
            }
        }
    }

    /// Ends administration: requests that are under way are answered.
    pub(super) async fn end(&self) {
        self.api.finish(ANSWERS).await;
        drop(self.serving.lock().take());
    }

    fn serve(&self, socket: AdminSocket) {
        let socket = Arc::new(socket);
        let (served, api) = (Arc::clone(&socket), self.api.clone());
        let make = move || admin::serve_socket(Arc::clone(&served), api.clone());
        let task = SupervisedTask::start("admin socket".to_owned(), self.handle.restarts(), || (), make);
        *self.serving.lock() = Some(Serving { socket, _task: task });
    }
}

/// Removes the admin sockets of processes that drained and were killed, which could not do so themselves.
async fn remove_sockets_of_killed(handle: Handle, path: PathBuf) {
    let running = || handle.draining_processes().into_iter().map(|process| process.facts.pid).collect::<Vec<_>>();
    let mut known = running();
    while !known.is_empty() {
        handle.draining_process_ended().await;
        sleep(ENDS).await;
        let running = running();
        for pid in known.iter().filter(|pid| !running.contains(pid)) {
            let path = admin::draining_path(&path, *pid);
            // It fails only if the process ends.
            let _ = spawn_blocking(move || AdminSocket::remove_left(&path)).await;
        }
        known = running;
    }
}

/// A process that is killed closes its reports before its admin socket, or after it.
const ENDS: Duration = Duration::from_millis(500);
/// How long answers may take at the end of the process.
const ANSWERS: Duration = Duration::from_secs(2);
