//! The handle of the controller: how signals and the admin socket send commands and read what runs.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::administration::{Administered, Administration, Request, Target, TargetKind};
use super::command::{Command, Reply};
use super::command_error::CommandError;
use super::drains::{Drain, Drained};
use super::handover::{DrainingProcess, HandedOver, held};
use super::network_api::NetworkApi;
use super::phase::Phase;
use super::reload_counts::ReloadCounts;
use super::reload_report::ReloadReport;
use super::serving::Serving;
use super::stop_request::StopRequest;
use super::supervisor::Restarts;
use super::system_state::{ListeningSockets, SystemState};
use crate::audit::AuditLog;
use crate::handover::{Held, ProcessFacts};
use crate::inventory::Inventory;
use crate::model::{MemberKey, Name};
use crate::pool::Registry;
use crate::proxy::OpenConnections;

/// Sends commands to the controller, and reads the state of the running system.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) state: Arc<SystemState>,
}

impl Handle {
    /// Returns the virtual servers and pools that serve.
    pub fn serving(&self) -> Arc<Serving> {
        self.state.serving.load_full()
    }

    /// Returns the state that outlives configurations.
    pub fn registry(&self) -> &Registry {
        &self.state.registry
    }

    /// Returns the inventory of certificates in use.
    pub fn certificates(&self) -> &Arc<Inventory> {
        &self.state.certificates
    }

    /// Returns the phase of the process.
    pub fn phase(&self) -> Phase {
        *self.state.phase.borrow()
    }

    /// Subscribes to changes of the phase.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.state.phase.subscribe()
    }

    /// Returns for how long a configuration has been prepared, if one is.
    pub fn preparing_for(&self) -> Option<Duration> {
        self.state.preparing.borrow().map(|since| since.elapsed())
    }

    /// Returns how often tasks of the control plane were restarted.
    pub fn restarts(&self) -> &Restarts {
        &self.state.restarts
    }

    /// Returns how reloads went.
    pub fn reloads(&self) -> &ReloadCounts {
        &self.state.reloads
    }

    /// Waits until the controller answers, which shows that it takes commands.
    ///
    /// # Errors
    /// It has ended.
    pub async fn ping(&self) -> Result<(), CommandError> {
        self.ask(Command::Ping).await
    }

    /// Applies the first configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn start(&self) -> Result<ReloadReport, CommandError> {
        self.ask(Command::Start).await
    }

    /// Reads the file and applies it; with `dry_run` only reports what would change. A reload goes on if the caller
    /// does not wait for its end.
    ///
    /// # Errors
    /// Why it is refused; nothing has changed then.
    pub async fn reload(&self, dry_run: bool) -> Result<ReloadReport, CommandError> {
        self.ask(|reply| Command::Reload { dry_run, reply }).await
    }

    /// Lets a member that a monitor with manual-resume holds down come up again.
    ///
    /// # Errors
    /// There is no such member, or no monitor watches it.
    pub async fn resume(&self, pool: &Name, member: &MemberKey) -> Result<(), CommandError> {
        let (pool, member) = (pool.clone(), member.clone());
        self.ask(|reply| Command::Resume { pool, member, reply }).await
    }

    /// Sets the state or the ratio of something over the file, or forgets that. Returns when it is in force, and kept for
    /// the next start.
    ///
    /// # Errors
    /// There is nothing of that name, or nothing can listen on a destination.
    pub async fn administer(&self, request: Request) -> Result<Administered, CommandError> {
        self.ask(|reply| Command::Administer { request, reply }).await
    }

    /// Returns what administrators set.
    pub fn administration(&self) -> Arc<Administration> {
        self.state.administration.load_full()
    }

    /// Returns what the admin API is served with over the network, if it is.
    pub fn network_api(&self) -> Option<Arc<NetworkApi>> {
        self.state.network_api.borrow().clone()
    }

    /// Subscribes to changes of what the admin API is served with over the network.
    pub fn network_apis(&self) -> watch::Receiver<Option<Arc<NetworkApi>>> {
        self.state.network_api.subscribe()
    }

    /// Returns the audit log.
    pub fn audit(&self) -> &AuditLog {
        &self.state.audit
    }

    /// Returns the open connections.
    pub fn open_connections(&self) -> &Arc<OpenConnections> {
        &self.state.open
    }

    /// Returns what is being drained.
    pub fn drains(&self) -> Vec<(Target, Drain)> {
        self.state.drains.pending()
    }

    /// Returns how far the drain of something is.
    pub fn drained(&self, target: Target) -> Drained {
        self.state.drains.look(target, &self.serving(), &self.state.open)
    }

    /// Returns what `kind` and `name` are written for: a member without its pool is that of each pool that has it.
    pub fn named(&self, kind: TargetKind, name: &str) -> Vec<Target> {
        if let Some(target) = Target::parse(kind, name) {
            return vec![target];
        }
        let Some(member) = MemberKey::parse(name) else { return Vec::new() };
        let all = self.state.registry.members().into_iter().filter(|(_, known, _)| *known == member);
        all.map(|(pool, member, _)| Target::Member { pool, member }).collect()
    }

    /// Asks the process to stop, as SIGTERM does.
    pub fn request_stop(&self, request: StopRequest) {
        self.state.stops.add(request);
    }

    /// Waits until somebody asks the process to stop.
    pub async fn stop_requested(&self) -> StopRequest {
        self.state.stops.next().await
    }

    /// Has a new process of the program that is in the place of this one by now take over the sockets that listen, the
    /// state and the admin socket. Returns when it serves; this process then drains.
    ///
    /// # Errors
    /// Why it does not take over; nothing has changed then.
    pub async fn upgrade(&self, drain_timeout: Option<Duration>) -> Result<ProcessFacts, CommandError> {
        self.ask(|reply| Command::Upgrade { drain_timeout, reply }).await
    }

    /// Returns the process that has taken over, once one has.
    pub fn handed_over(&self) -> watch::Receiver<Option<Arc<HandedOver>>> {
        self.state.handed_over.subscribe()
    }

    /// Returns the processes that drain after they have handed over to this one, the oldest first.
    pub fn draining_processes(&self) -> Vec<DrainingProcess> {
        self.state.draining_processes.all()
    }

    /// Waits until one of the processes that drain has ended. It is for one task alone.
    pub async fn draining_process_ended(&self) {
        self.state.draining_processes.ended().await;
    }

    /// Returns how many connections this process has, of members, virtual servers and clients.
    pub fn held(&self) -> Held {
        held(&self.state)
    }

    /// Sets the descriptor of the admin socket, which goes to the process that takes over.
    pub fn set_admin_socket(&self, descriptor: OwnedFd) {
        *self.state.admin_socket.lock() = Some(descriptor);
    }

    /// Returns the sockets that listen, each with its name.
    pub fn listening(&self) -> watch::Receiver<ListeningSockets> {
        self.state.listening.subscribe()
    }

    /// Stops listening, and returns when every listener has accepted the connections that the kernel had accepted.
    /// Connections go on.
    ///
    /// # Errors
    /// The process is draining already.
    pub async fn stop(&self) -> Result<(), CommandError> {
        self.ask(Command::Stop).await
    }

    /// Enters the last phase, after the drain.
    pub fn set_stopped(&self) {
        Phase::advance(&self.state.phase, Phase::Stopped);
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        let gone = || CommandError::Internal("the controller has ended".to_owned());
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
