//! The processes that drain after they have handed over, as this one follows them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::handover::{ProcessFacts, Report, ReportReceiver};

/// A process that drains after it has handed over.
#[derive(Clone, Debug)]
pub struct DrainingProcess {
    pub facts: ProcessFacts,
    /// None until it reports for the first time.
    pub report: Option<Report>,
    /// When it was handed over to this process.
    pub since: Instant,
    /// When it last reported, or was handed over to this process.
    pub heard: Instant,
}

impl DrainingProcess {
    /// Returns for how long it has not reported, if that is longer than a process takes that goes on.
    pub fn silent_for(&self) -> Option<Duration> {
        Some(self.heard.elapsed()).filter(|silent| *silent >= SILENT)
    }
}

/// The processes that drain, until each has ended.
#[derive(Clone, Debug, Default)]
pub(in crate::control) struct DrainingProcesses(Arc<Mutex<Vec<Followed>>>);

#[derive(Debug)]
struct Followed {
    process: DrainingProcess,
    reports: Arc<ReportReceiver>,
    _task: AbortOnDropHandle<()>,
}

impl DrainingProcesses {
    /// Follows a process by its reports, on the current runtime.
    pub(in crate::control) fn follow(&self, facts: ProcessFacts, reports: OwnedFd) {
        let pid = facts.pid;
        let reports = match ReportReceiver::new(reports) {
            Ok(reports) => Arc::new(reports),
            Err(error) => {
                tracing::warn!(pid, %error, "cannot follow a process that drains");
                return;
            }
        };
        let (all, own) = (self.clone(), Arc::clone(&reports));
        let task = tokio::spawn(async move {
            while let Some(report) = own.next().await {
                let mut all = all.0.lock();
                if let Some(followed) = all.iter_mut().find(|followed| Arc::ptr_eq(&followed.reports, &own)) {
                    followed.process.report = Some(report);
                    followed.process.heard = Instant::now();
                }
            }
            tracing::info!(pid, "the process that handed over has ended");
            all.0.lock().retain(|followed| !Arc::ptr_eq(&followed.reports, &own));
        });
        let now = Instant::now();
        let process = DrainingProcess { facts, report: None, since: now, heard: now };
        self.0.lock().push(Followed { process, reports, _task: AbortOnDropHandle::new(task) });
    }

    /// Returns them, the oldest first.
    pub(in crate::control) fn all(&self) -> Vec<DrainingProcess> {
        self.0.lock().iter().map(|followed| followed.process.clone()).collect()
    }

    /// Returns where their reports are read, for the process that takes over from this one.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub(in crate::control) fn descriptors(&self) -> io::Result<Vec<(ProcessFacts, OwnedFd)>> {
        let of =
            |followed: &Followed| Ok((followed.process.facts.clone(), followed.reports.as_fd().try_clone_to_owned()?));
        self.0.lock().iter().map(of).collect()
    }

    /// Leaves them to the process that has taken over.
    pub(in crate::control) fn leave(&self) {
        self.0.lock().clear();
    }
}

/// A process that goes on reports several times within this time, however busy the machine is.
const SILENT: Duration = Duration::from_secs(5);
