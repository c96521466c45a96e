//! `pronk stop`: stops a running pronk, and waits for its end.

use std::process::ExitCode;
use std::time::Duration;

use super::admin_client::{AdminAddress, Why};
use super::exit_code::INTERRUPTED;
use super::pending;
use super::screen::{self, outln};
use super::values;
use super::waiting::{Waiting, connections, span};
use crate::admin::answers::AskedProcess;
use crate::admin::drains::StopProgress;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk stop --drain-timeout 10m")]
pub(super) struct Args {
    /// How long connections may go on, from now; by default as pronk was started with, or as it drains already. 0 ends them
    /// at once.
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    drain_timeout: Option<Duration>,
    /// Do not wait for the end of the process.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut waiting = Waiting::start()?;
        let timeout = self.drain_timeout.map(|time| format!("?drain_timeout={}", time.as_secs())).unwrap_or_default();
        let begun: StopProgress = self.admin.post(&format!("/v1/stop{timeout}"), &self.why)?;
        let pid = begun.pid;
        outln!("pronk (process {pid}) stops, with {} left", connections(begun.left.connections))?;
        for AskedProcess { pid, connections: left, .. } in begun.processes.iter().filter(|it| it.error.is_none()) {
            let left = left.map(|count| format!(", with {} left", connections(count as usize))).unwrap_or_default();
            outln!("process {pid}, which drains, stops too{left}")?;
        }
        let unreached = pending::unreached(&begun.processes);
        unreached.iter().for_each(|line| screen::print_error(&format!("error: {line}\n")));
        let ended = if unreached.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.no_wait {
            return Ok(ended);
        }
        let mut others: Vec<_> = begun.processes.iter().filter(|it| it.error.is_none()).map(|it| it.pid).collect();
        let is_elsewhere = self.admin.is_elsewhere();
        loop {
            match waiting.ask::<StopProgress>(&self.admin, "/v1/stop") {
                Ok(Some(StopProgress { pid: answers, phase, left, .. })) if answers == pid => {
                    let times = format!("; the oldest is {} old", span(left.oldest));
                    waiting.show(&format!("{phase}: {} left", connections(left.connections)), &times)?;
                }
                // The socket ends shortly before the process.
                _ if !is_elsewhere && has_ended(pid) => {
                    others.retain(|other| !has_ended(*other));
                    let Some(other) = others.first() else {
                        waiting.end_line()?;
                        outln!("pronk (process {pid}) has ended")?;
                        return Ok(ended);
                    };
                    waiting.show(&format!("pronk (process {pid}) has ended, and process {other} drains"), "")?;
                }
                Ok(_) => {}
                // Whether a process of another host has ended cannot be seen.
                Err(_) if is_elsewhere => {
                    outln!("pronk (process {pid}) does not answer any more")?;
                    return Ok(ended);
                }
                Err(error) => return Err(error),
            }
            if waiting.pause() {
                waiting.end_line()?;
                match others.iter().find(|other| !is_elsewhere && has_ended(pid) && !has_ended(**other)) {
                    Some(other) => outln!(
                        "process {other} goes on draining; `pronk stop --drain-timeout 0 --admin-socket {}` ends its \
                         connections at once",
                        self.admin.draining_socket(*other).display()
                    )?,
                    None => outln!(
                        "pronk (process {pid}) goes on stopping; `pronk stop --drain-timeout 0` ends its connections at once"
                    )?,
                }
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
    }
}

/// Returns whether a process has ended. One that nobody has waited for yet has.
fn has_ended(pid: u32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    // The state comes after the name, which is in parentheses and may have some.
    status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}
