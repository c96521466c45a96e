//! The controller: the one task that changes what runs. Everybody else sends it commands and reads what serves.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::administration::{self, Administered, Administration, NotFound, Request, StateFile, Target};
use super::background_tasks::BackgroundTasks;
use super::certificate_files::{CheckSchedule, CheckedFiles};
use super::command::{Command, Reply};
use super::command_error::CommandError;
use super::desired::Discovered;
use super::handle::Handle;
use super::handover::{Inheritance, Step, Upgrade, greeting};
use super::listeners::{self, CannotListen, InheritedSocket, OpenSockets, Sockets};
use super::phase::Phase;
use super::reload::{PrepareInput, PrepareResult, Reload, ReloadQueue, Running};
use super::supervisor::panic_message;
use super::system_state::{ListeningSockets, SystemState};
use crate::handover::{self, HandedSocket, Parcel, Predecessor, ProcessFacts, Program, ReportSender};
use crate::model::{MemberKey, Model, Name};
use crate::net::until;
use crate::proxy::{Lifecycle, Listener};
use crate::reading::os_reason;

/// Whether something was kept for the next start.
type Kept = oneshot::Receiver<Result<(), String>>;

/// Owns what runs, and changes it on command.
#[derive(Debug)]
pub struct Controller {
    file: PathBuf,
    lifecycle: Lifecycle,
    state: Arc<SystemState>,
    commands: mpsc::Receiver<Command>,
    discovered: watch::Receiver<Discovered>,
    running: Running,
    reloads: ReloadQueue,
    certificate_checks: CheckSchedule,
    state_file: StateFile,
    /// Where this program is, for an upgrade.
    program: Program,
    upgrade: Upgrade,
    /// The process to take over from, until that is done.
    predecessor: Option<Arc<Predecessor>>,
    /// Sockets that listened before this process, until its first configuration is in force; those that the service
    /// manager holds as well for good.
    inherited: Vec<InheritedSocket>,
    _background: BackgroundTasks,
}

impl Controller {
    /// Creates the controller of the configuration in `file`. What administrators set is kept in `state_file`, and what
    /// they set before is in force again. Connections run on the lifecycle's workers. Nothing runs
    /// before [`Handle::start`], which goes on with what the process inherits.
    pub fn new(
        file: PathBuf,
        state_file: Option<PathBuf>,
        lifecycle: Lifecycle,
        inheritance: Inheritance,
    ) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(COMMAND_QUEUE);
        let state = Arc::new(SystemState { open: Arc::clone(&lifecycle.open), ..SystemState::default() });
        let handle = Handle { commands: sender, state: Arc::clone(&state) };
        let mut running = Running::default();
        let Inheritance { predecessor, sockets, processes } = inheritance;
        running.desired.administration = match &predecessor {
            Some(predecessor) => administration::import(&predecessor.greeting().settings),
            None => state_file.as_deref().map(read_state).unwrap_or_default(),
        };
        for (facts, reports) in processes {
            state.draining_processes.add(facts, reports);
        }
        let inherited = {
            // Sockets belong to the runtime that accepts from them.
            let _workers = lifecycle.workers().enter();
            sockets.into_iter().filter_map(listeners::inherit).collect()
        };
        state.administration.store(Arc::new(running.desired.administration.clone()));
        let controller = Self {
            file,
            lifecycle,
            commands,
            discovered: running.assignments.discovered(),
            running,
            reloads: ReloadQueue::default(),
            certificate_checks: CheckSchedule::default(),
            state_file: StateFile::start(state_file),
            program: Program::own(),
            upgrade: Upgrade::default(),
            predecessor,
            inherited,
            _background: BackgroundTasks::start(&state),
            state,
        };
        (controller, handle)
    }

    /// Carries out commands until every handle is dropped.
    pub async fn run(mut self) {
        let mut tick = interval(TICK);
        loop {
            self.start_next_reload();
            self.publish();
            let closing = self.running.listeners.next_close().map(Instant::from_std);
            let check_at = self.certificate_checks.next().filter(|_| self.phase() == Phase::Serving);
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.execute(command).await,
                    None => return,
                },
                (reload, prepared) = self.reloads.ended() => self.finish_reload(reload, prepared).await,
                checked = self.certificate_checks.ended() => self.finish_certificate_check(checked),
                changed = self.discovered.changed() => if changed.is_ok() { self.apply_discovery().await },
                () = until(closing) => {
                    let closing = self.running.listeners.take_due(Instant::now().into_std());
                    self.stop(closing).await;
                }
                step = self.upgrade.next() => self.continue_upgrade(step).await,
                () = until(check_at) => self.start_certificate_check(),
                _ = tick.tick() => self.every_second(),
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.state.phase.borrow()
    }

    async fn execute(&mut self, command: Command) {
        let phase = self.phase();
        if !command.is_allowed(phase) {
            let error = CommandError::WrongPhase { what: command.as_str(), phase };
            tracing::warn!("{error}");
            return command.refuse(error);
        }
        if self.upgrade.is_under_way() && !command.is_allowed_during_upgrade() {
            let error = format!("{} is refused: an upgrade is under way; ask again in a moment", command.as_str());
            tracing::warn!("{error}");
            return command.refuse(CommandError::Refused(error));
        }
        match command {
            Command::Start(reply) => self.reloads.add(Reload { dry_run: false, is_start: true, replies: vec![reply] }),
            Command::Reload { dry_run, reply } => {
                self.reloads.add(Reload { dry_run, is_start: false, replies: vec![reply] });
            }
            Command::Resume { pool, member, reply } => {
                let answer = match self.running.assignments.resume(&pool, &member) {
                    0 => Err(CommandError::Unknown(self.why_not_resumed(&pool, &member))),
                    _ => Ok(()),
                };
                // The caller may have left.
                let _ = reply.send(answer);
            }
            Command::Administer { request, reply } => match self.administer(request).await {
                Ok((targets, kept)) => drop(tokio::spawn(async move {
                    let kept = kept.await.unwrap_or_else(|_| Err("too many changes at once".to_owned()));
                    let _ = reply.send(Ok(Administered { targets, not_kept: kept.err() }));
                })),
                Err(why) => drop(reply.send(Err(why))),
            },
            // The caller may have left.
            Command::Ping(reply) => drop(reply.send(Ok(()))),
            Command::Upgrade { drain_timeout, reply } => self.start_upgrade(drain_timeout, reply),
            Command::Stop(reply) => {
                // A process that may accept connections already is waited for, and not ended.
                if self.upgrade.is_handing_over()
                    && let Ok(step) = timeout(HAND_OVER_LIMIT, self.upgrade.next()).await
                {
                    self.continue_upgrade(step).await;
                }
                if self.phase() == Phase::Draining {
                    // Another process has taken over at this moment.
                    return drop(reply.send(Ok(())));
                }
                self.upgrade.fail("pronk was told to stop");
                Phase::advance(&self.state.phase, Phase::Draining);
                // Clients that wait in the queues of paused sockets are served.
                self.running.listeners.resume();
                self.lifecycle.stop_listening();
                let all = self.running.listeners.take_all();
                self.stop(all).await;
                self.reloads.refuse_all(Phase::Draining);
                let _ = reply.send(Ok(()));
            }
        }
    }

    /// Starts the process that is to take over from this one.
    fn start_upgrade(&mut self, drain_timeout: Option<Duration>, reply: Reply<ProcessFacts>) {
        let why_not = match (self.reloads.since(), std::process::id()) {
            (Some(_), _) => Some("a configuration is being prepared; ask again in a moment"),
            (None, 1) => Some("pronk is process 1 of a container, which would end with it; restart the container"),
            (None, _) => None,
        };
        if let Some(why_not) = why_not {
            let error = format!("an upgrade is refused: {why_not}");
            tracing::warn!("{error}");
            // The caller may have left.
            return drop(reply.send(Err(CommandError::Refused(error))));
        }
        match self.parcel() {
            Ok((parcel, reports)) => {
                let (program, state) = (self.program.clone(), Arc::clone(&self.state));
                self.upgrade.start(program, parcel, reports, drain_timeout, reply, state);
            }
            Err(error) => {
                let error = format!("the upgrade failed, and nothing has changed: {}", os_reason(&error));
                tracing::error!("{error}");
                let _ = reply.send(Err(CommandError::Refused(error)));
            }
        }
    }

    /// Returns what goes to the process that is to take over, and where this one will report to it.
    fn parcel(&self) -> io::Result<(Parcel, ReportSender)> {
        let (sender, reports) = handover::reports()?;
        let mut processes = self.state.draining_processes.descriptors()?;
        processes.push((handover::own_facts(), reports));
        let admin_socket = self.state.admin_socket.lock().as_ref().map(OwnedFd::try_clone).transpose()?;
        let greeting = greeting(&self.running.desired, &self.running.profiles);
        let mut sockets = self.running.listeners.descriptors(&self.inherited)?;
        if let Some(api) = &*self.state.network_api.borrow() {
            let known = |name: &HandedSocket| sockets.iter().any(|(other, _)| other == name);
            sockets.extend(api.descriptor()?.filter(|(name, _)| !known(name)));
        }
        Ok((Parcel { sockets, admin_socket, processes, greeting }, sender))
    }

    async fn continue_upgrade(&mut self, step: Step) {
        match step {
            Step::Prepared(successor, told) => {
                // Whoever connects from here on is served by the new process, or by this one if that fails.
                self.running.listeners.pause().await;
                self.upgrade.hand_over(successor, told, Arc::clone(&self.state));
            }
            Step::Serving(successor) => {
                let Some(handed_over) = self.upgrade.complete(&successor) else { return };
                tracing::info!(
                    pid = handed_over.process.pid,
                    version = handed_over.process.version,
                    "the new process serves; this one drains"
                );
                Phase::advance(&self.state.phase, Phase::Draining);
                // The clients in the queues of sockets that the new process has no use for are served by this one.
                self.running.listeners.resume_but(successor.served());
                self.lifecycle.stop_listening();
                let all = self.running.listeners.take_all();
                self.inherited.clear();
                *self.state.admin_socket.lock() = None;
                self.stop(all).await;
                self.state.draining_processes.leave();
                // The new process accepts there from here on.
                self.state.network_api.send_modify(|api| *api = api.as_ref().map(|api| Arc::new(api.handed_over())));
                self.state.handed_over.send_replace(Some(Arc::new(handed_over)));
            }
            Step::Failed(reason) => {
                self.upgrade.fail(&reason);
                self.running.listeners.resume();
            }
        }
    }

    /// Applies what an administrator asks for. Returns what was changed, and whether it was kept for the next start, once
    /// that is known.
    async fn administer(&mut self, request: Request) -> Result<(Vec<Target>, Kept), CommandError> {
        let configured = self.running.desired.configured();
        let mut administration = self.running.desired.administration.clone();
        // What the process that has taken over is asked for, it asks this one: a pool may have another name there.
        let every_pool = self.state.handed_over.borrow().is_some();
        let changed = administration.change(request.clone(), &configured, every_pool);
        let targets = changed.map_err(|why| match why {
            NotFound::Missing(why) => CommandError::Unknown(why),
            NotFound::Unclear(why) => CommandError::Unclear(why),
        })?;
        let model = administration.apply(configured);
        let listens = self.phase() == Phase::Serving;
        let sockets = if listens { self.listen(&model)? } else { Sockets::new() };
        let Self { running, state, lifecycle, .. } = self;
        let set = administration.clone();
        let removed = catch_panic(|| running.apply_administration(set, sockets, state, lifecycle))
            .map_err(CommandError::PartlyApplied)?;
        self.state.drains.follow(&request, &targets, Instant::now().into_std());
        if listens && matches!(targets[..], [Target::VirtualServer(_), ..]) {
            self.warn_of_unused();
        }
        self.stop(removed).await;
        if self.state.handed_over.borrow().is_some() {
            // The process that has taken over keeps what is set.
            return Ok((targets, kept()));
        }
        Ok((targets, self.state_file.write(administration)))
    }

    /// Listens for the virtual servers of a configuration that do not listen yet.
    fn listen(&self, model: &Model) -> Result<Sockets, CommandError> {
        let refused = |wrong: Vec<CannotListen>| {
            let lines: Vec<_> = wrong.iter().map(|wrong| format!("{wrong}; {}", wrong.help())).collect();
            CommandError::Refused(lines.join("\n"))
        };
        let bound = listeners::bind(model, &self.open_sockets()).map_err(refused)?;
        // Sockets belong to the runtime that accepts from them.
        let _workers = self.lifecycle.workers().enter();
        bound.listen().map_err(refused)
    }

    /// Returns the sockets that are open, with those that listened before this process.
    fn open_sockets(&self) -> OpenSockets {
        let mut open = self.running.listeners.sockets();
        for InheritedSocket { place, socket, .. } in &self.inherited {
            if !open.iter().any(|(known, _)| known == place) {
                open.push((place.clone(), Arc::downgrade(socket)));
            }
        }
        open
    }

    /// Logs which sockets the service manager holds for nobody: clients that connect there wait for ever.
    fn warn_of_unused(&self) {
        let open = self.running.listeners.sockets();
        let of_api = self.running.desired.written.admin.as_ref().and_then(|admin| admin.listen);
        for InheritedSocket { place, .. } in &self.inherited {
            if !open.iter().any(|(known, _)| known == place) && of_api != Some(place.destination) {
                tracing::warn!(address = %place.destination,
                    "the service manager passes a socket at which no virtual server listens: clients that connect there are \
                     not answered; change the socket unit or a destination");
            }
        }
    }

    fn why_not_resumed(&self, pool: &Name, member: &MemberKey) -> String {
        match self.running.model.pools.get(pool) {
            None => format!("there is no pool {pool}"),
            Some(known) if known.member(member).is_none() => format!("pool {pool} has no member {member}"),
            Some(_) => format!("no monitor watches member {member} of pool {pool}"),
        }
    }

    /// Starts preparing the next reload, if there is one and none is under way.
    fn start_next_reload(&mut self) {
        let Some(reload) = self.reloads.next(Instant::now()) else { return };
        let input = PrepareInput {
            file: self.file.clone(),
            dry_run: reload.dry_run,
            written: self.running.desired.written.clone(),
            discovered: self.running.desired.discovered.clone(),
            administration: self.running.desired.administration.clone(),
            profiles: self.running.profiles.clone(),
            open: self.open_sockets(),
            state: Arc::clone(&self.state),
            lifecycle: self.lifecycle.clone(),
            predecessor: self.predecessor.clone(),
        };
        self.reloads.start(reload, input, Instant::now());
    }

    /// Publishes what the controller alone knows.
    fn publish(&self) {
        let listening = self.running.listeners.sockets().into_iter();
        let listening = listening.map(|(at, socket)| ((at.destination, at.owner), socket));
        let api = self.state.network_api.borrow().clone();
        let of_api = api.and_then(|api| Some(((api.config.listen?, None), Arc::downgrade(api.listener.as_ref()?))));
        let listening: ListeningSockets = listening.chain(of_api).collect();
        let is_same = |known: &ListeningSockets| {
            known.len() == listening.len()
                && known.iter().zip(&listening).all(|(one, other)| one.0 == other.0 && one.1.ptr_eq(&other.1))
        };
        self.state.listening.send_if_modified(|known| {
            let is_new = !is_same(known);
            if is_new {
                known.clone_from(&listening);
            }
            is_new
        });
        let since = self.reloads.since().map(Instant::into_std);
        self.state.preparing.send_if_modified(|known| std::mem::replace(known, since) != since);
    }

    /// Commits a reload that was prepared, and answers it.
    async fn finish_reload(&mut self, reload: Reload, prepared: PrepareResult) {
        if let Ok((_, Some(prepared))) = &prepared
            && self.running.lacks_sockets(prepared)
        {
            // Once more, with what an administrator has enabled meanwhile.
            return self.reloads.add(reload);
        }
        let answer = match prepared {
            Ok((report, None)) => Ok(report),
            Ok((report, Some(prepared))) => {
                let Self { running, state, lifecycle, .. } = self;
                let committed = catch_panic(|| running.commit(*prepared, state, lifecycle));
                self.predecessor = None;
                // The one before leaves their reports to this process.
                self.state.draining_processes.serve();
                self.inherited.retain(|inherited| inherited.is_held);
                self.warn_of_unused();
                self.certificate_checks.after_reload(self.running.model.certificate_refresh);
                match committed {
                    Ok(removed) => {
                        self.stop(removed).await;
                        Ok(report)
                    }
                    Err(reason) => Err(CommandError::PartlyApplied(reason)),
                }
            }
            Err(wrong) => Err(CommandError::Configuration(wrong)),
        };
        match &answer {
            Ok(report) if !reload.dry_run => self.state.reloads.take_applied(report, reload.is_start),
            Err(_) if !reload.dry_run => self.state.reloads.take_failed(),
            Ok(_) | Err(_) => {}
        }
        match &answer {
            Ok(report) if reload.is_start => {
                report.log_notes();
                Phase::advance(&self.state.phase, Phase::Serving);
            }
            Ok(report) if !reload.dry_run => {
                report.log_notes();
                tracing::info!(changes = report.changes.len(), "configuration reloaded");
                report.changes.iter().for_each(|change| tracing::info!(%change, "changed"));
            }
            Err(CommandError::Configuration(wrong)) if !reload.dry_run && !reload.is_start => {
                let text = wrong.render(false);
                tracing::error!(
                    error = text.strip_prefix("error: ").unwrap_or(&text).trim_end(),
                    "reload refused; nothing changed"
                );
            }
            Ok(_) | Err(_) => {}
        }
        reload.answer(&answer);
    }

    fn start_certificate_check(&mut self) {
        let Running { model, profiles, certificate_files, .. } = &self.running;
        self.certificate_checks.start(model.clone(), profiles.clone(), certificate_files.clone());
    }

    fn finish_certificate_check(&mut self, checked: Result<CheckedFiles, String>) {
        match checked {
            Ok(checked) => {
                let Self { running, state, .. } = self;
                // A panic is logged by it.
                let _ = catch_panic(|| running.apply_certificate_files(checked, state));
            }
            Err(reason) => tracing::error!(%reason, "internal error: cannot check certificate files for changes"),
        }
        let during_reload = self.reloads.since().is_some();
        self.certificate_checks.after_check(self.running.model.certificate_refresh, during_reload);
    }

    async fn apply_discovery(&mut self) {
        let discovered = self.discovered.borrow_and_update().clone();
        if self.phase() == Phase::Starting {
            return;
        }
        let Self { running, state, lifecycle, .. } = self;
        let removed = catch_panic(|| running.apply_discovery(discovered, state, lifecycle)).unwrap_or_default();
        self.stop(removed).await;
    }

    fn every_second(&mut self) {
        self.running.listeners.restart_panicked(&self.state.restarts);
        let now = Instant::now();
        self.reloads.warn_if_slow(now);
        self.certificate_checks.warn_if_slow(now);
    }

    /// Stops listeners, and waits until they have accepted the connections that the kernel had accepted. They end on
    /// the workers, so that a socket is closed as soon as its last client is accepted.
    async fn stop(&self, listeners: Vec<Listener>) {
        let mut stopping = JoinSet::new();
        for listener in listeners {
            stopping.spawn_on(listener.stop(), self.lifecycle.workers());
        }
        let all = async { while stopping.join_next().await.is_some() {} };
        // One that takes longer goes on by itself.
        let _ = timeout(STOP_LIMIT, all).await;
        stopping.detach_all();
    }
}

/// Returns that there is nothing more to keep.
fn kept() -> Kept {
    let (done, kept) = oneshot::channel();
    let _ = done.send(Ok(()));
    kept
}

/// Reads what was set before. A file that cannot be read must not keep pronk from starting.
fn read_state(path: &Path) -> Administration {
    administration::read(path).unwrap_or_else(|reason| {
        tracing::warn!(state_file = %path.display(), %reason,
            "cannot read what administrators set before; everything is as the configuration says");
        Administration::default()
    })
}

/// Makes a change that cannot fail. If it panics all the same, the process goes on, and the panic is logged.
fn catch_panic<T>(change: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(change)).map_err(|panic| {
        let reason = panic_message(&*panic);
        tracing::error!(%reason, "internal error: a change is partly in force; reload or restart pronk");
        reason
    })
}

/// Commands that may wait in the channel.
const COMMAND_QUEUE: usize = 64;
const STOP_LIMIT: Duration = Duration::from_secs(1);
/// How long a stop waits for a process that is about to take over.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(3);
/// How often listeners and slow reloads are checked.
const TICK: Duration = Duration::from_secs(1);
