//! The processes that drain after they have handed over, as this one follows them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use crate::handover::{Held, HeldInProcess, ProcessFacts, Received, Report, ReportReceiver};

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
pub(in crate::control) struct DrainingProcesses(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    followed: Mutex<Vec<Followed>>,
    /// Notified when what they have may be something else.
    changed: Notify,
}

#[derive(Debug)]
struct Followed {
    process: DrainingProcess,
    /// How many connections it has, of what.
    held: Arc<Held>,
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
            while let Some(received) = own.next().await {
                all.take(&own, received);
            }
            tracing::info!(pid, "the process that handed over has ended");
            all.0.followed.lock().retain(|followed| !Arc::ptr_eq(&followed.reports, &own));
            all.0.changed.notify_one();
        });
        let (now, held) = (Instant::now(), Arc::default());
        let process = DrainingProcess { facts, report: None, since: now, heard: now };
        self.0.followed.lock().push(Followed { process, held, reports, _task: AbortOnDropHandle::new(task) });
    }

    /// Takes what a process reports.
    fn take(&self, reports: &Arc<ReportReceiver>, received: Received) {
        let mut followed = self.0.followed.lock();
        let Some(of) = followed.iter_mut().find(|followed| Arc::ptr_eq(&followed.reports, reports)) else { return };
        of.process.report = Some(received.report);
        of.process.heard = Instant::now();
        if let Some(held) = received.held.filter(|held| *held != *of.held) {
            of.held = Arc::new(held);
            self.0.changed.notify_one();
        }
    }

    /// Takes what processes have by the account of the one that handed over, until they report themselves.
    pub(in crate::control) fn begin_with(&self, processes: &[HeldInProcess]) {
        for followed in &mut *self.0.followed.lock() {
            let known = processes.iter().find(|it| it.pid == followed.process.facts.pid);
            if let Some(known) = known.filter(|_| *followed.held == Held::default()) {
                followed.held = Arc::new(known.held.clone());
            }
        }
    }

    /// Returns them, the oldest first.
    pub(in crate::control) fn all(&self) -> Vec<DrainingProcess> {
        self.0.followed.lock().iter().map(|followed| followed.process.clone()).collect()
    }

    /// Returns how many connections each has, of what.
    pub(in crate::control) fn held(&self) -> Vec<(u32, Arc<Held>)> {
        let followed = self.0.followed.lock();
        followed.iter().map(|it| (it.process.facts.pid, Arc::clone(&it.held))).collect()
    }

    /// Waits until what they have may be something else.
    pub(in crate::control) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Returns where their reports are read, for the process that takes over from this one.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub(in crate::control) fn descriptors(&self) -> io::Result<Vec<(ProcessFacts, OwnedFd)>> {
        let of =
            |followed: &Followed| Ok((followed.process.facts.clone(), followed.reports.as_fd().try_clone_to_owned()?));
        self.0.followed.lock().iter().map(of).collect()
    }

    /// Leaves them to the process that has taken over.
    pub(in crate::control) fn leave(&self) {
        self.0.followed.lock().clear();
        self.0.changed.notify_one();
    }
}

/// A process that goes on reports several times within this time, however busy the machine is.
const SILENT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handover::{HeldByMember, reports};

    fn held(connections: u32) -> Held {
        let member = HeldByMember { pool: "p".into(), node: "n".into(), port: 1, connections, persisted: 0 };
        Held { members: vec![member], virtual_servers: Vec::new() }
    }

    #[tokio::test]
    async fn connections_of_a_process_count_from_the_start_until_it_ends() {
        let (sender, receiver) = reports().unwrap();
        let all = DrainingProcesses::default();
        all.follow(ProcessFacts { pid: 7, version: String::new() }, receiver);
        let told = [HeldInProcess { pid: 7, held: held(3) }, HeldInProcess { pid: 8, held: held(5) }];
        let has = || all.held().into_iter().map(|(pid, held)| (pid, Held::clone(&held))).collect::<Vec<_>>();
        all.begin_with(&told);
        assert_eq!(has(), [(7, held(3))]);
        sender.send(Report { connections: 2, seconds_left: 1 }, held(2));
        all.changed().await;
        assert_eq!(has(), [(7, held(2))]);
        all.begin_with(&told);
        assert_eq!(has(), [(7, held(2))], "what it reports itself is newer");
        assert_eq!(all.all()[0].report.map(|report| report.connections), Some(2));
        drop(sender);
        all.changed().await;
        assert!(has().is_empty());
    }
}
