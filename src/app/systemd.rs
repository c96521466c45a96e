//! Notifying systemd, where it runs pronk (sd_notify(3)).

use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::control::Phase;

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
