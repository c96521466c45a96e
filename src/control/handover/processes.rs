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
    /// Since when this process serves in its place, or in that of its successor.
    pub since: Instant,
    /// When it last reported, or this process began to serve.
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
    /// None until this process serves.
    task: Option<AbortOnDropHandle<()>>,
}

impl DrainingProcesses {
    /// Adds a process, whose reports are read once this one [serves](Self::serve), on the current runtime. Until then the
    /// process that hands over reads them.
    pub(in crate::control) fn add(&self, facts: ProcessFacts, reports: OwnedFd) {
        let pid = facts.pid;
        let reports = match ReportReceiver::new(reports) {
            Ok(reports) => Arc::new(reports),
            Err(error) => {
                tracing::warn!(pid, %error, "cannot follow a process that drains");
                return;
            }
        };
        let (now, held) = (Instant::now(), Arc::default());
        let process = DrainingProcess { facts, report: None, since: now, heard: now };
        self.0.followed.lock().push(Followed { process, held, reports, task: None });
    }

    /// Follows those that were added: this process has taken over.
    pub(in crate::control) fn serve(&self) {
        for followed in self.0.followed.lock().iter_mut().filter(|followed| followed.task.is_none()) {
            let now = Instant::now();
            (followed.process.since, followed.process.heard) = (now, now);
            let own = Arc::clone(&followed.reports);
            let task = tokio::spawn(self.clone().follow(followed.process.facts.pid, own));
            followed.task = Some(AbortOnDropHandle::new(task));
        }
    }

    /// Follows a process by its reports until it ends.
    async fn follow(self, pid: u32, reports: Arc<ReportReceiver>) {
        while let Some(received) = reports.next().await {
            self.take(&reports, received);
        }
        tracing::info!(pid, "the process that handed over has ended");
        self.0.followed.lock().retain(|followed| !Arc::ptr_eq(&followed.reports, &reports));
        self.0.changed.notify_one();
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
        all.add(ProcessFacts { pid: 7, version: String::new() }, receiver);
        let told = [HeldInProcess { pid: 7, held: held(3) }, HeldInProcess { pid: 8, held: held(5) }];
        let has = || all.held().into_iter().map(|(pid, held)| (pid, Held::clone(&held))).collect::<Vec<_>>();
        all.begin_with(&told);
        assert_eq!(has(), [(7, held(3))]);
        let added = all.all()[0].since;
        all.serve();
        assert!(all.all()[0].since > added, "however long this process prepares");
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

    /// Who hands over may go on, and knows what was reported then.
    #[tokio::test]
    async fn process_that_prepares_leaves_reports_to_the_one_that_serves() {
        let (sender, receiver) = reports().unwrap();
        let [serving, preparing] = [(); 2].map(|()| DrainingProcesses::default());
        serving.add(ProcessFacts { pid: 7, version: String::new() }, receiver);
        serving.serve();
        serving.descriptors().unwrap().into_iter().for_each(|(facts, reports)| preparing.add(facts, reports));
        for connections in 1..100 {
            sender.send(Report { connections, seconds_left: 1 }, held(connections as u32));
            serving.changed().await;
            assert_eq!(*serving.held()[0].1, held(connections as u32));
        }
        assert!(preparing.all()[0].report.is_none());
        preparing.serve();
        serving.leave();
        sender.send(Report { connections: 0, seconds_left: 1 }, Held::default());
        drop(sender);
        preparing.changed().await;
        assert!(preparing.all().is_empty());
    }
}
