//! The commands of the controller, and the phases in which each is allowed.

use std::time::Duration;

use tokio::sync::oneshot;

use super::administration::{Administered, Request};
use super::command_error::CommandError;
use super::phase::Phase;
use super::reload_report::ReloadReport;
use crate::handover::ProcessFacts;
use crate::model::{MemberKey, Name};

/// A request to the controller, with the channel for its answer.
#[derive(Debug)]
pub(super) enum Command {
    /// Applies the first configuration.
    Start(Reply<ReloadReport>),
    /// Reads the file and applies it, or only reports what would change.
    Reload { dry_run: bool, reply: Reply<ReloadReport> },
    /// Lets a member that a monitor with manual-resume holds down come up again.
    Resume { pool: Name, member: MemberKey, reply: Reply<()> },
    /// Sets the state or the ratio of something over the file, or forgets that.
    Administer { request: Request, reply: Reply<Administered> },
    /// Has a new process take over, after which this one drains for so long.
    Upgrade { drain_timeout: Option<Duration>, reply: Reply<ProcessFacts> },
    /// Only answers.
    Ping(Reply<()>),
    /// Stops listening everywhere.
    Stop(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

impl Command {
    /// Returns what is requested, in words that fit "… is refused".
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Start(_) => "a start",
            Self::Reload { dry_run: true, .. } => "a dry run",
            Self::Reload { dry_run: false, .. } => "a reload",
            Self::Resume { .. } => "a resume",
            Self::Administer { .. } => "an administrative change",
            Self::Upgrade { .. } => "an upgrade",
            Self::Ping(_) => "a question whether it goes on",
            Self::Stop(_) => "a stop",
        }
    }

    /// Returns whether it may be carried out in `phase`.
    pub(super) fn is_allowed(&self, phase: Phase) -> bool {
        match self {
            Self::Start(_) => phase == Phase::Starting,
            Self::Reload { .. } | Self::Upgrade { .. } => phase == Phase::Serving,
            // While it drains, connections go on, and some of them wait for a member.
            Self::Resume { .. } | Self::Administer { .. } => matches!(phase, Phase::Serving | Phase::Draining),
            Self::Ping(_) => true,
            Self::Stop(_) => matches!(phase, Phase::Starting | Phase::Serving),
        }
    }

    /// Returns whether it may be carried out while another process is to take over, which knows nothing of it.
    pub(super) fn is_allowed_during_upgrade(&self) -> bool {
        matches!(self, Self::Reload { dry_run: true, .. } | Self::Ping(_) | Self::Stop(_))
    }

    /// Answers with an error.
    pub(super) fn refuse(self, why: CommandError) {
        // The caller may not wait for the answer.
        match self {
            Self::Start(reply) | Self::Reload { reply, .. } => drop(reply.send(Err(why))),
            Self::Administer { reply, .. } => drop(reply.send(Err(why))),
            Self::Upgrade { reply, .. } => drop(reply.send(Err(why))),
            Self::Resume { reply, .. } | Self::Ping(reply) | Self::Stop(reply) => drop(reply.send(Err(why))),
        }
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
            Command::Administer {
                request: Request::Clear { target: None, who: "somebody".into() },
                reply: oneshot::channel().0,
            },
            Command::Upgrade { drain_timeout: None, reply: oneshot::channel().0 },
            Command::Ping(oneshot::channel().0),
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
            ("an administrative change", [false, true, true, false]),
            ("an upgrade", [false, true, false, false]),
            ("a question whether it goes on", [true; 4]),
            ("a stop", [true, true, false, false]),
        ];
        for (command, (what, expected)) in commands().iter().zip(table) {
            assert_eq!((command.as_str(), Phase::ALL.map(|phase| command.is_allowed(phase))), (what, expected));
        }
    }
}
