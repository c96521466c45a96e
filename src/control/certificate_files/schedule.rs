//! When certificate files are checked for replacements, and the check under way.

use std::future::pending;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::changed::{CertificateFiles, CheckedFiles, check};
use crate::control::built_profiles::BuiltProfiles;
use crate::control::supervisor::join_error_message;
use crate::model::Model;

/// The next check, or the one under way.
#[derive(Debug, Default)]
pub(in crate::control) struct CheckSchedule {
    /// When the next check begins; none while one is under way, and before the first configuration.
    next: Option<Instant>,
    current: Option<Check>,
    /// Whether a check has applied files while a configuration was prepared, which may hold older ones.
    outran_reload: bool,
}

/// A check under way.
#[derive(Debug)]
struct Check {
    task: AbortOnDropHandle<CheckedFiles>,
    since: Instant,
    /// When the log says next that it takes long.
    warns_at: Instant,
}

impl CheckSchedule {
    /// Returns when the next check begins.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Starts a check on a thread that may block.
    pub(crate) fn start(&mut self, model: Model, profiles: BuiltProfiles, files: CertificateFiles) {
        let task = AbortOnDropHandle::new(spawn_blocking(move || check(&model, profiles, files)));
        let now = Instant::now();
        self.next = None;
        self.current = Some(Check { task, since: now, warns_at: now + SLOW });
    }

    /// Waits until the check under way has ended, and takes it out; forever without one.
    pub(crate) async fn ended(&mut self) -> Result<CheckedFiles, String> {
        let Some(current) = &mut self.current else { return pending().await };
        let checked = (&mut current.task).await.map_err(join_error_message);
        self.current = None;
        checked
    }

    /// Schedules the next check after one has ended, `during_reload` or not.
    pub(crate) fn after_check(&mut self, every: Option<Duration>, during_reload: bool) {
        *self = Self { next: after(every), current: None, outran_reload: during_reload };
    }

    /// Schedules the next check after a reload. A check under way, which may hang, is given up: the reload has read the
    /// files. If a check has applied files while the reload read older ones, the next is due at once.
    pub(crate) fn after_reload(&mut self, every: Option<Duration>) {
        let next = after(every).map(|next| if self.outran_reload { Instant::now() } else { next });
        *self = Self { next, current: None, outran_reload: false };
    }

    /// Logs that a check takes long, less and less often.
    pub(crate) fn warn_if_slow(&mut self, now: Instant) {
        let Some(current) = self.current.as_mut().filter(|current| current.warns_at <= now) else { return };
        let lasted = now - current.since;
        current.warns_at = now + lasted;
        tracing::warn!(
            seconds = lasted.as_secs(),
            "checking certificate files for changes takes long: a file that a profile names may be on a disk that does \
             not answer"
        );
    }
}

fn after(every: Option<Duration>) -> Option<Instant> {
    every.and_then(|every| Instant::now().checked_add(every))
}

/// A check that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(10);
