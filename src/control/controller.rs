//! The one task that changes what runs. Everybody else sends it commands and reads what serves.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::certificate_files::{self, CheckedFiles};
use super::command::{Command, CommandError, Handle, SystemState};
use super::desired::Discovered;
use super::supervisor::{panic_message, reason};

use super::background_tasks::BackgroundTasks;
use super::phase::Phase;
use super::reload::{PrepareInput, PrepareResult, Reload, ReloadQueue, Running};
use crate::model::{MemberKey, Name};
use crate::proxy::{Lifecycle, Listener};

/// Owns what runs, and changes it on command.
#[derive(Debug)]
pub struct Controller {
    file: PathBuf,
    lifecycle: Lifecycle,
    shared: Arc<SystemState>,
    commands: mpsc::Receiver<Command>,
    found: watch::Receiver<Discovered>,
    running: Running,
    loads: ReloadQueue,
    look: Look,
    _background: BackgroundTasks,
}

/// Looking at the files of what runs, for replacements.
#[derive(Debug, Default)]
struct Look {
    /// When files are looked at again; never before the first configuration.
    at: Option<Instant>,
    task: Option<AbortOnDropHandle<CheckedFiles>>,
    /// When the one under way began, and when the log says next that it takes long.
    since: Option<(Instant, Instant)>,
    /// Whether one has put files in force while a configuration was made ready, which may hold older ones.
    outran_load: bool,
}

impl Controller {
    /// Makes the controller of the configuration in `file`. Connections run on the lifecycle's workers. Nothing runs
    /// before [`Handle::start`].
    pub fn new(file: PathBuf, lifecycle: Lifecycle) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(WAITING_COMMANDS);
        let shared = Arc::new(SystemState::default());
        let handle = Handle { commands: sender, shared: Arc::clone(&shared) };
        let running = Running::default();
        let controller = Self {
            file,
            lifecycle,
            commands,
            found: running.assignments.found(),
            running,
            loads: ReloadQueue::default(),
            look: Look::default(),
            _background: BackgroundTasks::start(&shared),
            shared,
        };
        (controller, handle)
    }

    /// Carries out commands until every handle is gone.
    pub async fn run(mut self) {
        let mut tick = interval(TICK);
        loop {
            self.start_next_reload();
            self.publish_loading();
            let closing = self.running.listeners.next_close().map(Instant::from_std);
            let may_look = self.look.task.is_none() && self.phase() == Phase::Serving;
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => return,
                },
                (load, made) = self.loads.ended() => self.finish_reload(load, made).await,
                looked = ended(&mut self.look.task) => self.finish_file_check(looked),
                changed = self.found.changed() => if changed.is_ok() { self.apply_discovery().await },
                () = until(closing) => {
                    let closing = self.running.listeners.close(Instant::now().into_std());
                    self.stop(closing).await;
                }
                () = until(self.look.at), if may_look => self.start_file_check(),
                _ = tick.tick() => self.every_second(),
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    async fn take(&mut self, command: Command) {
        let phase = self.phase();
        if !command.is_allowed(phase) {
            let why = CommandError::WrongPhase { what: command.as_str(), phase };
            tracing::warn!("{why}");
            return command.refuse(why);
        }
        match command {
            Command::Start(reply) => self.loads.add(Reload { dry_run: false, starts: true, replies: vec![reply] }),
            Command::Reload { dry_run, reply } => {
                self.loads.add(Reload { dry_run, starts: false, replies: vec![reply] });
            }
            Command::Resume { pool, member, reply } => {
                let answer = match self.running.assignments.resume(&pool, &member) {
                    0 => Err(CommandError::Unknown(self.unwatched(&pool, &member))),
                    _ => Ok(()),
                };
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            }
            Command::Stop(reply) => {
                Phase::advance(&self.shared.phase, Phase::Draining);
                self.lifecycle.stop_listening();
                let all = self.running.listeners.take();
                self.stop(all).await;
                self.loads.refuse_all(Phase::Draining);
                let _ = reply.send(Ok(()));
            }
        }
    }

    fn unwatched(&self, pool: &Name, member: &MemberKey) -> String {
        match self.running.model.pools.get(pool) {
            None => format!("there is no pool {pool}"),
            Some(known) if known.member(member).is_none() => format!("pool {pool} has no member {member}"),
            Some(_) => format!("no monitor watches member {member} of pool {pool}"),
        }
    }

    /// Begins to make ready the next file that waits, if one may begin.
    fn start_next_reload(&mut self) {
        let Some(load) = self.loads.next(Instant::now()) else { return };
        let basis = PrepareInput {
            file: self.file.clone(),
            dry_run: load.dry_run,
            written: self.running.desired.written.clone(),
            found: self.running.desired.found.clone(),
            tls: self.running.tls.clone(),
            open: self.running.listeners.sockets(),
            shared: Arc::clone(&self.shared),
            lifecycle: self.lifecycle.clone(),
        };
        self.loads.begin(load, basis, Instant::now());
    }

    fn publish_loading(&self) {
        let since = self.loads.since().map(Instant::into_std);
        self.shared.loading.send_if_modified(|known| std::mem::replace(known, since) != since);
    }

    async fn finish_reload(&mut self, load: Reload, made: PrepareResult) {
        let answer = match made {
            Ok((report, None)) => Ok(report),
            Ok((report, Some(prepared))) => {
                let Self { running, shared, lifecycle, .. } = self;
                let committed = catch_fault(|| running.commit(*prepared, shared, lifecycle));
                self.check_after_reload();
                match committed {
                    Ok(gone) => {
                        self.stop(gone).await;
                        Ok(report)
                    }
                    Err(reason) => Err(CommandError::PartlyApplied(reason)),
                }
            }
            Err(wrong) => Err(CommandError::Configuration(wrong)),
        };
        match &answer {
            Ok(report) if load.starts => {
                report.log_notes();
                Phase::advance(&self.shared.phase, Phase::Serving);
            }
            Ok(report) if !load.dry_run => {
                report.log_notes();
                tracing::info!(changes = report.changes.len(), "configuration reloaded");
                report.changes.iter().for_each(|change| tracing::info!(%change, "changed"));
            }
            Err(CommandError::Configuration(wrong)) if !load.dry_run && !load.starts => {
                tracing::error!(error = %wrong, "reload refused; nothing changed");
            }
            Ok(_) | Err(_) => {}
        }
        load.answer(&answer);
    }

    fn start_file_check(&mut self) {
        let Running { model, tls, replacements, .. } = &self.running;
        let (model, tls, replacements) = (model.clone(), tls.clone(), replacements.clone());
        let looking = spawn_blocking(move || certificate_files::look(&model, tls, replacements));
        let now = Instant::now();
        // What an earlier look has put in force may still be undone by the configuration that is being made ready.
        let outran_load = self.look.outran_load;
        let task = Some(AbortOnDropHandle::new(looking));
        self.look = Look { at: None, task, since: Some((now, now + LONG)), outran_load };
    }

    fn finish_file_check(&mut self, looked: Result<CheckedFiles, String>) {
        self.look = Look { outran_load: self.loads.since().is_some(), ..Look::default() };
        match looked {
            Ok(looked) => {
                let Self { running, shared, .. } = self;
                // A fault has been logged.
                let _ = catch_fault(|| running.apply_certificate_files(looked, shared));
            }
            Err(reason) => tracing::error!(%reason, "a fault of pronk's own: cannot look for replaced certificates"),
        }
        self.schedule_check();
    }

    /// A configuration that was made ready has read the files, so a look under way, which may hang, is of no more use.
    fn check_after_reload(&mut self) {
        let outran_load = self.look.outran_load;
        self.look = Look::default();
        self.schedule_check();
        if outran_load && self.look.at.is_some() {
            self.look.at = Some(Instant::now());
        }
    }

    fn schedule_check(&mut self) {
        self.look.at = self.running.model.certificate_refresh.and_then(|every| Instant::now().checked_add(every));
    }

    /// Logs that a look takes long, ever less often.
    fn warn_of_look(&mut self, now: Instant) {
        let Some((since, warns)) = self.look.since.as_mut().filter(|(_, warns)| *warns <= now) else { return };
        let seconds = (now - *since).as_secs();
        *warns = now + (now - *since);
        tracing::warn!(
            seconds,
            "looking for replaced certificates takes long: a file that a profile names may be on a disk that does not answer"
        );
    }

    async fn apply_discovery(&mut self) {
        let found = self.found.borrow_and_update().clone();
        if self.phase() == Phase::Starting {
            return;
        }
        let Self { running, shared, lifecycle, .. } = self;
        let stopping = catch_fault(|| running.apply_discovery(found, shared, lifecycle)).unwrap_or_default();
        self.stop(stopping).await;
    }

    fn every_second(&mut self) {
        self.running.listeners.revive(&self.shared.restarts);
        let now = Instant::now();
        self.loads.warn(now);
        self.warn_of_look(now);
    }

    /// Stops listeners that nobody wants, and waits until they have accepted what the kernel had taken. They end on the
    /// workers, so that a socket is closed as soon as the last client is accepted.
    async fn stop(&self, listeners: Vec<Listener>) {
        let mut stopping = JoinSet::new();
        for listener in listeners {
            stopping.spawn_on(listener.stop(), self.lifecycle.workers());
        }
        let all = async { while stopping.join_next().await.is_some() {} };
        // One that takes longer goes on by itself.
        let _ = timeout(STOP_AT_MOST, all).await;
        stopping.detach_all();
    }
}

async fn ended(look: &mut Option<AbortOnDropHandle<CheckedFiles>>) -> Result<CheckedFiles, String> {
    match look {
        Some(task) => task.await.map_err(reason),
        None => pending().await,
    }
}

/// Runs what cannot fail; should it panic all the same, the process goes on with what serves, and the fault is logged.
fn catch_fault<T>(change: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(change)).map_err(|panic| {
        let reason = panic_message(&*panic);
        tracing::error!(%reason, "a fault of pronk's own: a change is in force in part; reload, or restart pronk");
        reason
    })
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
/// A look that takes longer is worth a line in the log.
const LONG: Duration = Duration::from_secs(10);
/// How often listeners and reloads are looked after.
const TICK: Duration = Duration::from_secs(1);
