//! The admin socket of the process, which goes to the process that takes over.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parking_lot::Mutex;

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
}

struct Serving {
    socket: Arc<AdminSocket>,
    _task: SupervisedTask,
}

impl AdminListener {
    pub(super) fn new(path: &Path, access: SocketAccess, handle: &Handle, api: &Api) -> Self {
        let (handle, api) = (handle.clone(), api.clone());
        Self { path: path.to_owned(), access, handle, api, serving: Mutex::default() }
    }

    /// Serves the API on a socket that listens already, or on a new one.
    ///
    /// # Errors
    /// Why there can be no socket.
    pub(super) fn start(&self, inherited: Option<OwnedFd>) -> anyhow::Result<()> {
        let socket = match inherited {
            Some(descriptor) => AdminSocket::inherit(descriptor, &self.path),
            None => AdminSocket::bind(&self.path, self.access),
        };
        let socket = socket.with_context(|| format!("cannot make the admin socket {}", self.path.display()))?;
        if let Ok(descriptor) = socket.descriptor() {
            self.handle.set_admin_socket(descriptor);
        }
        self.serve(socket);
        Ok(())
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

/// How long answers may take at the end of the process.
const ANSWERS: Duration = Duration::from_secs(2);
