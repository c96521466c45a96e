//! What can be asked of the controller, by whom it is answered, and in which phase.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::phase::Phase;
use super::serving::{ReloadReport, Serving};
use super::supervisor::Restarts;
use crate::config::Diagnostics;
use crate::inventory::Inventory;
use crate::model::{MemberKey, Name};
use crate::pool::Registry;

/// A request to the one task that may change what runs.
#[derive(Debug)]
pub(super) enum Command {
    /// Takes the first configuration into force.
    Start(Reply<ReloadReport>),
    /// Takes the file into force, or only tells what would change.
    Reload { dry_run: bool, reply: Reply<ReloadReport> },
    /// Lets a member that a monitor holds down come up again.
    Resume { pool: Name, member: MemberKey, reply: Reply<()> },
    /// Stops listening everywhere.
    Stop(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

impl Command {
    /// What it asks for, in words that fit "… is refused".
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Start(_) => "a start",
            Self::Reload { dry_run: true, .. } => "a dry run",
            Self::Reload { dry_run: false, .. } => "a reload",
            Self::Resume { .. } => "a resume",
            Self::Stop(_) => "a stop",
        }
    }

    /// Whether it may be carried out in `phase`.
    pub fn is_allowed(&self, phase: Phase) -> bool {
        match self {
            Self::Start(_) => phase == Phase::Starting,
            Self::Reload { .. } => phase == Phase::Serving,
            Self::Resume { .. } => matches!(phase, Phase::Serving | Phase::Draining),
            Self::Stop(_) => matches!(phase, Phase::Starting | Phase::Serving),
        }
    }

    pub fn refuse(self, why: CommandError) {
        // Nobody may wait for the answer.
        match self {
            Self::Start(reply) | Self::Reload { reply, .. } => drop(reply.send(Err(why))),
            Self::Resume { reply, .. } | Self::Stop(reply) => drop(reply.send(Err(why))),
        }
    }
}

/// Why a command changed nothing.
#[derive(Clone, Debug)]
pub enum CommandError {
    /// The process is in a phase in which this is not done.
    WrongPhase { what: &'static str, phase: Phase },
    /// Everything that is wrong with the file, its certificates or its destinations.
    Configuration(Diagnostics),
    /// There is nothing of that name.
    Unknown(String),
    /// It took too long.
    TimedOut(&'static str),
    /// A fault of pronk's own; nothing has changed.
    Internal(String),
    /// A fault of pronk's own in the midst of a change.
    PartlyApplied(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPhase { what, phase: Phase::Draining | Phase::Stopped } => {
                write!(f, "{what} is refused: pronk was told to stop and drains its connections; start it again")
            }
            Self::WrongPhase { what, phase } => {
                write!(f, "{what} is refused: pronk is {}; ask again in a moment", phase.as_str())
            }
            Self::Configuration(wrong) => f.write_str(&wrong.render(false)),
            Self::Unknown(what) => f.write_str(what),
            Self::TimedOut(why) => write!(f, "given up: {why}; nothing changed"),
            Self::Internal(what) => write!(f, "a fault of pronk's own: {what}; nothing changed"),
            Self::PartlyApplied(what) => {
                write!(f, "a fault of pronk's own: {what}; the change is in force in part: reload, or restart pronk")
            }
        }
    }
}

/// What everybody may read of the running system without asking for it.
#[derive(Debug, Default)]
pub(super) struct SystemState {
    pub serving: ArcSwap<Serving>,
    pub registry: Registry,
    pub certificates: Arc<Inventory>,
    pub phase: watch::Sender<Phase>,
    /// Notified when members may have been removed.
    pub removed: Notify,
    pub restarts: Restarts,
    /// Since when a file is being made ready.
    pub loading: watch::Sender<Option<Instant>>,
}

/// Reads what runs, and sends commands to the task that may change it.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shared: Arc<SystemState>,
}

impl Handle {
    /// What runs.
    pub fn serving(&self) -> Arc<Serving> {
        self.shared.serving.load_full()
    }

    /// What outlives configurations.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// What is known of the certificates in use.
    pub fn certificates(&self) -> &Arc<Inventory> {
        &self.shared.certificates
    }

    pub fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    /// Follows the phases.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.shared.phase.subscribe()
    }

    /// For how long a configuration has been made ready, if one is.
    pub fn loading(&self) -> Option<Duration> {
        self.shared.loading.borrow().map(|since| since.elapsed())
    }

    /// How often tasks of the control plane had to be started again.
    pub fn restarts(&self) -> &Restarts {
        &self.shared.restarts
    }

    /// Takes the first configuration into force.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn start(&self) -> Result<ReloadReport, CommandError> {
        self.ask(Command::Start).await
    }

    /// Reads the file and takes it into force; with `dry_run` only tells what would change. It goes on when the caller
    /// does not wait for the end.
    ///
    /// # Errors
    /// Why it is refused. Nothing has changed then.
    pub async fn reload(&self, dry_run: bool) -> Result<ReloadReport, CommandError> {
        self.ask(|reply| Command::Reload { dry_run, reply }).await
    }

    /// Lets a member that a monitor holds down (`manual-resume`) come up again.
    ///
    /// # Errors
    /// That there is no such member, or that no monitor watches it.
    pub async fn resume(&self, pool: &Name, member: &MemberKey) -> Result<(), CommandError> {
        let (pool, member) = (pool.clone(), member.clone());
        self.ask(|reply| Command::Resume { pool, member, reply }).await
    }

    /// Stops listening everywhere, and returns when every listener has accepted what the kernel had taken. Connections
    /// go on.
    ///
    /// # Errors
    /// That it has been told so already.
    pub async fn stop(&self) -> Result<(), CommandError> {
        self.ask(Command::Stop).await
    }

    /// Enters the last phase, after the drain.
    pub fn stopped(&self) {
        Phase::advance(&self.shared.phase, Phase::Stopped);
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        let gone = || CommandError::Internal("the controller has ended".to_owned());
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Vec<Command> {
        let (pool, member) = (Name::from("p"), MemberKey { node: Name::from("n"), port: 1 });
        vec![
            Command::Start(oneshot::channel().0),
            Command::Reload { dry_run: false, reply: oneshot::channel().0 },
            Command::Reload { dry_run: true, reply: oneshot::channel().0 },
            Command::Resume { pool, member, reply: oneshot::channel().0 },
            Command::Stop(oneshot::channel().0),
        ]
    }

    #[test]
    fn each_command_is_carried_out_in_its_phases_alone() {
        // Starting, serving, draining, stopped.
        let table = [
            ("a start", [true, false, false, false]),
            ("a reload", [false, true, false, false]),
            ("a dry run", [false, true, false, false]),
            ("a resume", [false, true, true, false]),
            ("a stop", [true, true, false, false]),
        ];
        for (command, (what, expected)) in commands().iter().zip(table) {
            assert_eq!((command.as_str(), Phase::ALL.map(|phase| command.is_allowed(phase))), (what, expected));
        }
    }

    #[test]
    fn a_refusal_says_what_is_refused_and_why() {
        let refused = CommandError::WrongPhase { what: "a reload", phase: Phase::Draining };
        let text = "a reload is refused: pronk was told to stop and drains its connections; start it again";
        assert_eq!(refused.to_string(), text);
    }
}
