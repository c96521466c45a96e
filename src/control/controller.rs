//! The one task that changes what runs. Everybody else sends it commands and reads what serves.

use std::collections::VecDeque;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::children::{panic_message, reason};
use super::command::{Command, Handle, Refused, Reply, Shared};
use super::commit::Running;
use super::desired::Found;
use super::files::{self, Looked};
use super::phase::Phase;
use super::prepare::{self, Basis, Prepared};
use super::serving::Report;
use super::upkeep::Upkeep;
use crate::config::Diagnostics;
use crate::model::{MemberKey, Name};
use crate::proxy::{Lifecycle, Listener};

/// Owns what runs, and changes it on command.
#[derive(Debug)]
pub struct Controller {
    file: PathBuf,
    lifecycle: Lifecycle,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    found: watch::Receiver<Found>,
    running: Running,
    /// What is being made ready.
    job: Option<Job>,
    /// Reloads that wait for that.
    waiting: VecDeque<Load>,
    /// When files are looked at for replacements again; never before the first configuration.
    look: Option<Instant>,
    _upkeep: Upkeep,
}

/// A file to be taken into force.
#[derive(Debug)]
struct Load {
    dry_run: bool,
    /// Whether it is the first.
    starts: bool,
    reply: Reply<Report>,
}

/// Work on threads that may block; one at a time, as each is based on what runs.
#[derive(Debug)]
struct Job {
    task: AbortOnDropHandle<Work>,
    /// Who waits for it: nobody when files are looked at.
    load: Option<Load>,
}

#[derive(Debug)]
enum Work {
    Load(Result<(Report, Option<Box<Prepared>>), Diagnostics>),
    Look(Looked),
}

impl Controller {
    /// Of the configuration in `file`, whose connections run on the lifecycle's workers. Nothing runs until it is told to
    /// start.
    pub fn new(file: PathBuf, lifecycle: Lifecycle) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(WAITING_COMMANDS);
        let shared = Arc::new(Shared::default());
        let handle = Handle { commands: sender, shared: Arc::clone(&shared) };
        let running = Running::default();
        let controller = Self {
            file,
            lifecycle,
            commands,
            found: running.assignments.found(),
            running,
            job: None,
            waiting: VecDeque::new(),
            look: None,
            _upkeep: Upkeep::start(&shared),
            shared,
        };
        (controller, handle)
    }

    /// Carries out commands until every handle is gone.
    pub async fn run(mut self) {
        let mut tick = interval(TICK);
        loop {
            self.begin_next();
            let closing = self.running.listeners.next_close().map(Instant::from_std);
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => return,
                },
                work = ended(&mut self.job) => {
                    let load = self.job.take().and_then(|job| job.load);
                    self.finish(load, work).await;
                }
                changed = self.found.changed() => if changed.is_ok() { self.take_found().await },
                () = until(closing) => stop(self.running.listeners.close(Instant::now().into_std())).await,
                () = until(self.look), if self.job.is_none() && self.phase() == Phase::Serving => self.begin_look(),
                _ = tick.tick() => self.running.listeners.revive(),
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    async fn take(&mut self, command: Command) {
        let phase = self.phase();
        if !command.is_allowed(phase) {
            let why = Refused::Phase { what: command.as_str(), phase };
            tracing::warn!("{why}");
            return command.refuse(why);
        }
        match command {
            Command::Start(reply) => self.waiting.push_back(Load { dry_run: false, starts: true, reply }),
            Command::Reload { dry_run, reply } => self.waiting.push_back(Load { dry_run, starts: false, reply }),
            Command::Resume { pool, member, reply } => {
                let answer = match self.running.assignments.resume(&pool, &member) {
                    0 => Err(Refused::Unknown(self.unwatched(&pool, &member))),
                    _ => Ok(()),
                };
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            }
            Command::Stop(reply) => {
                Phase::advance(&self.shared.phase, Phase::Draining);
                self.lifecycle.stop_listening();
                stop(self.running.listeners.take()).await;
                self.give_up_loads();
                let _ = reply.send(Ok(()));
            }
        }
    }

    /// Refuses the reloads that are being made ready or wait.
    fn give_up_loads(&mut self) {
        let begun = self.job.take().and_then(|job| job.load);
        for load in begun.into_iter().chain(self.waiting.drain(..)) {
            let what = if load.dry_run { "a dry run" } else { "a reload" };
            let _ = load.reply.send(Err(Refused::Phase { what, phase: Phase::Draining }));
        }
    }

    fn unwatched(&self, pool: &Name, member: &MemberKey) -> String {
        match self.running.model.pools.get(pool) {
            None => format!("there is no pool {pool}"),
            Some(known) if known.member(member).is_none() => format!("pool {pool} has no member {member}"),
            Some(_) => format!("no monitor watches member {member} of pool {pool}"),
        }
    }

    /// Begins to make ready the next file that waits.
    fn begin_next(&mut self) {
        if self.job.is_some() {
            return;
        }
        let Some(load) = self.waiting.pop_front() else { return };
        let basis = Basis {
            file: self.file.clone(),
            dry_run: load.dry_run,
            written: self.running.desired.written.clone(),
            found: self.running.desired.found.clone(),
            tls: self.running.tls.clone(),
            open: self.running.listeners.sockets(),
            shared: Arc::clone(&self.shared),
            workers: self.lifecycle.workers().clone(),
        };
        let task = tokio::spawn(async move { Work::Load(prepare::prepare(basis).await) });
        self.job = Some(Job { task: AbortOnDropHandle::new(task), load: Some(load) });
    }

    fn begin_look(&mut self) {
        self.look = None;
        let Running { model, tls, replacements, .. } = &self.running;
        let (model, tls, replacements) = (model.clone(), tls.clone(), replacements.clone());
        let task = spawn_blocking(move || Work::Look(files::look(&model, tls, replacements)));
        self.job = Some(Job { task: AbortOnDropHandle::new(task), load: None });
    }

    async fn finish(&mut self, load: Option<Load>, work: Result<Work, JoinError>) {
        match (load, work) {
            (Some(load), Ok(Work::Load(prepared))) => self.finish_load(load, prepared).await,
            (Some(load), Err(ended)) => self.finish_load(load, Err(prepare::fault(&reason(ended)))).await,
            (None, Ok(Work::Look(looked))) => {
                let Self { running, shared, .. } = self;
                // A fault has been logged.
                let _ = guarded(|| running.take_files(looked, shared));
            }
            (None, Err(ended)) => tracing::error!(reason = reason(ended), "cannot look for replaced certificates"),
            (_, Ok(_)) => {}
        }
        self.look = self.running.model.certificate_refresh.and_then(|every| Instant::now().checked_add(every));
    }

    async fn finish_load(&mut self, load: Load, prepared: Result<(Report, Option<Box<Prepared>>), Diagnostics>) {
        let Load { dry_run, starts, reply } = load;
        let answer = match prepared {
            Ok((report, None)) => Ok(report),
            Ok((report, Some(prepared))) => {
                let Self { running, shared, lifecycle, .. } = self;
                match guarded(|| running.commit(*prepared, shared, lifecycle)) {
                    Ok(gone) => {
                        stop(gone).await;
                        Ok(report)
                    }
                    Err(reason) => Err(Refused::Fault(reason)),
                }
            }
            Err(wrong) => Err(Refused::File(wrong)),
        };
        match &answer {
            Ok(report) if starts => {
                report.log_notes();
                Phase::advance(&self.shared.phase, Phase::Serving);
            }
            Ok(report) if !dry_run => {
                report.log_notes();
                tracing::info!(changes = report.changes.len(), "configuration reloaded");
                report.changes.iter().for_each(|change| tracing::info!(%change, "changed"));
            }
            Err(wrong) if !dry_run && !starts => tracing::error!(error = %wrong, "reload refused; nothing changed"),
            Ok(_) | Err(_) => {}
        }
        // Whoever asked may have gone; what was done holds all the same.
        let _ = reply.send(answer);
    }

    async fn take_found(&mut self) {
        let found = self.found.borrow_and_update().clone();
        if self.phase() == Phase::Starting {
            return;
        }
        let Self { running, shared, lifecycle, .. } = self;
        let gone = guarded(|| running.take_found(found, shared, lifecycle)).unwrap_or_default();
        stop(gone).await;
    }
}

async fn ended(job: &mut Option<Job>) -> Result<Work, JoinError> {
    match job {
        Some(job) => (&mut job.task).await,
        None => pending().await,
    }
}

/// Runs what cannot fail; should it panic all the same, the process goes on with what serves, and the fault is logged.
fn guarded<T>(change: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(change)).map_err(|panic| {
        let reason = panic_message(&*panic);
        tracing::error!(%reason, "a fault of pronk's own: a change is in force in part; reload to put it in order");
        reason
    })
}

/// Stops listeners that nobody wants, and waits until they have accepted what the kernel had taken.
async fn stop(listeners: Vec<Listener>) {
    let mut stopping: JoinSet<()> = listeners.into_iter().map(Listener::stop).collect();
    let all = async { while stopping.join_next().await.is_some() {} };
    // One that takes longer goes on by itself.
    let _ = timeout(STOP_AT_MOST, all).await;
    stopping.detach_all();
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// Commands that may wait before whoever asks has to.
const WAITING_COMMANDS: usize = 64;
const STOP_AT_MOST: Duration = Duration::from_secs(1);
/// How often listeners are looked after.
const TICK: Duration = Duration::from_secs(1);
