//! The service manager, where systemd runs pronk: telling it of phases (sd_notify(3)), having it keep the listening sockets
//! over a restart (FDSTORE), and answering its watchdog.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::{interval, sleep, timeout};

use crate::control::{Handle, ListeningSockets, Phase};
use crate::proxy::Lifecycle;

/// Notifies systemd of each phase.
pub(super) async fn notify_phases(mut phases: watch::Receiver<Phase>) {
    loop {
        let phase = *phases.borrow_and_update();
        notify(&[NotifyState::Status(phase.as_str())]);
        if phases.changed().await.is_err() {
            return;
        }
    }
}

/// Notifies systemd, if it runs pronk.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}

/// Notifies systemd that a reload begins.
pub(super) fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Has systemd keep the sockets that listen, so that after a restart they listen still, as long as the unit allows it
/// (FileDescriptorStoreMax). While pronk is not there, clients wait in their queues. `kept` are the names of those that it
/// keeps already; those that nobody listens at any more it forgets, so that clients are refused there.
pub(super) async fn keep_sockets(
    mut listening: watch::Receiver<ListeningSockets>,
    phases: watch::Receiver<Phase>,
    mut kept: Vec<String>,
) {
    let mut stored: Vec<String> = Vec::new();
    loop {
        let sockets = listening.borrow_and_update().clone();
        if *phases.borrow() > Phase::Serving {
            // They are for the next process, or another has them.
            return;
        }
        // A socket with port 0 has another port each time.
        let wanted = sockets.iter().filter(|((destination, _), _)| destination.port() != 0);
        let wanted: Vec<_> =
            wanted.filter_map(|((destination, _), socket)| Some((kept_name(destination), socket.upgrade()?))).collect();
        for gone in kept.extract_if(.., |name| !wanted.iter().any(|(wanted, _)| wanted == name)) {
            notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(&gone)]);
        }
        stored.retain(|name| kept.contains(name));
        for (name, socket) in wanted {
            if !stored.contains(&name) {
                // One that it has already, it takes for the same.
                let states = [NotifyState::FdStore, NotifyState::FdName(&name)];
                if let Err(error) = sd_notify::notify_with_fds(&states, &[socket.as_fd()]) {
                    tracing::debug!(%error, "cannot give the service manager a socket to keep");
                }
                stored.push(name.clone());
            }
            if !kept.contains(&name) {
                kept.push(name);
            }
        }
        if listening.changed().await.is_err() {
            return;
        }
    }
}

/// Returns the name under which systemd keeps a socket. It may have no colon.
pub(super) fn kept_name(destination: &SocketAddr) -> String {
    format!("{KEPT}{destination}").replace(':', "_")
}

/// Returns whether a socket of this name is one that pronk had systemd keep.
pub(super) fn is_kept(name: &str) -> bool {
    name.starts_with(KEPT)
}

/// Answers systemd's watchdog (WatchdogSec) as long as the control plane and the workers go on.
pub(super) async fn answer_watchdog(handle: Handle, lifecycle: Lifecycle) -> Infallible {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut times = interval((limit / 3).max(Duration::from_millis(1)));
    loop {
        times.tick().await;
        // A controller that has ended answers nobody, and the process ends.
        let _ = handle.ping().await;
        // Nothing but an instant of every worker's time.
        let answered = lifecycle.workers().spawn(async {}).await;
        if answered.is_ok() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Waits until the processes that have handed over have ended, for a time at most, where a service manager runs pronk: it
/// ends what is left of a service once its main process has ended.
pub(super) async fn wait_for_processes(handle: &Handle, limit: Duration) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let ended = async {
        while !handle.draining_processes().is_empty() {
            sleep(LOOK_EVERY).await;
        }
    };
    // Those that take longer are ended by the service manager.
    let _ = timeout(limit, ended).await;
}

/// How often it is looked whether other processes have ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The beginning of the names of sockets that systemd keeps.
const KEPT: &str = "pronk-listens-";
