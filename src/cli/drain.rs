//! `pronk drain`: takes a member, a node or a virtual server out of service, and waits until its connections have ended.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::admin_client::{AdminAddress, encoded};
use super::administer::{How, Kind};
use super::completions;
use super::exit_code::INTERRUPTED;
use super::pending;
use super::screen::{self, outln};
use super::values;
use super::waiting::{Waiting, connections, span};
use crate::admin::drains::{DrainProgress, PendingDrain};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "It is forced offline, and stays so when it is drained: `pronk enable` puts it back into service. \
                  pronk itself ends connections that are due, whether this command waits or not.\n\nExample:\n  \
                  pronk drain member impalad-1:21050 --deadline 1h --reason upgrade\n  \
                  pronk drain node impalad-1 --idle-only --idle-for 5m"
)]
pub(super) struct Args {
    #[arg(value_enum)]
    kind: Kind,
    /// Its name; of a member `node:port`, or `pool/node:port` where several pools have it.
    #[arg(add = completions::named())]
    name: String,
    /// End what is left after this time, such as 1h.
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    deadline: Option<Duration>,
    /// End connections as soon as they are idle: nothing passes, and no answer is owed. Busy ones are left.
    #[arg(long)]
    idle_only: bool,
    /// For how long a connection must be idle.
    #[arg(long, value_name = "DURATION", value_parser = values::duration, default_value = "60s", requires = "idle_only")]
    idle_for: Duration,
    /// Do not wait.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        // Before anything is changed, so that Ctrl-C always tells what was.
        let mut waiting = Waiting::start()?;
        let mut progress = self.begin()?;
        let target = format!("{} {}", progress.kind, progress.name);
        if let Some(reason) = &progress.not_kept {
            screen::print_error(&format!("warning: it is not kept for the next start of pronk: {reason}\n"));
        }
        outln!("{target} is forced-offline")?;
        if self.no_wait {
            outln!("{}", left(&progress).concat())?;
            pending::unreached(&progress.processes).iter().try_for_each(|line| outln!("{line}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        // Other processes may have the member in a pool of another name.
        let asked = if self.name == progress.name { String::new() } else { format!("&asked={}", encoded(&self.name)) };
        let uri = format!("/v1/drain?kind={}&name={}{asked}", progress.kind, encoded(&progress.name));
        // Since when a process was not reached.
        let mut unreached_since = None;
        loop {
            if progress.state == "enabled" {
                waiting.end_line()?;
                anyhow::bail!("{target} is in service again: somebody has enabled it, and it is not drained any more");
            }
            let unreached = pending::unreached(&progress.processes);
            if unreached.is_empty() {
                unreached_since = None;
            }
            let is_over = progress.pending.is_none() && progress.left.connections == 0;
            if is_over && unreached.is_empty() {
                waiting.end_line()?;
                outln!("{target} is drained: no connection is left")?;
                return Ok(ExitCode::SUCCESS);
            }
            // One that is only slow answers within this time.
            if is_over && unreached_since.get_or_insert_with(Instant::now).elapsed() > UNREACHED {
                waiting.end_line()?;
                outln!("{target} is drained as far as is known: no other process has a connection left")?;
                unreached.iter().try_for_each(|line| outln!("{line}"))?;
                return Ok(ExitCode::FAILURE);
            }
            let [what, times] = left(&progress);
            waiting.show(&what, &times)?;
            progress = loop {
                if waiting.pause() {
                    waiting.end_line()?;
                    self.interrupted(&progress)?;
                    return Ok(ExitCode::from(INTERRUPTED));
                }
                if let Some(newer) = waiting.ask(&self.admin, &uri)? {
                    break newer;
                }
            };
        }
    }

    fn begin(&self) -> anyhow::Result<DrainProgress> {
        let what = format!("kind={}&name={}", self.kind.as_str(), encoded(&self.name));
        let deadline = self.deadline.map(|time| format!("&deadline={}", rounded_up(time))).unwrap_or_default();
        let idle = if self.idle_only { format!("&idle_for={}", rounded_up(self.idle_for)) } else { String::new() };
        self.admin.post(&format!("/v1/drain?{what}{deadline}{idle}{}", self.how.query()), &self.how.why)
    }

    /// Tells what goes on without this command, and how to undo it.
    fn interrupted(&self, progress: &DrainProgress) -> anyhow::Result<()> {
        let DrainProgress { kind, name, left, pending, .. } = progress;
        let goes_on = match pending.as_ref().map(|pending| (pending.deadline_in, pending.idle_for)) {
            Some((Some(seconds), _)) => format!("pronk ends them in {}", span(seconds)),
            Some((None, Some(seconds))) => format!("pronk ends each once it is idle for {seconds}s"),
            _ => "they go on until they end".to_owned(),
        };
        let left = connections(left.connections);
        outln!("{kind} {name} stays forced offline with {left} left; {goes_on}")?;
        outln!("  to wait on:              pronk drain {kind} {name}{}{}", plan(pending.as_ref()), self.how.options())?;
        outln!("  to see them:             pronk show connections --{kind} {name}")?;
        outln!("  to end them now:         pronk kill --{kind} {name}")?;
        outln!("  to put it into service:  pronk enable {kind} {name}")
    }
}

/// Returns the options that ask for what is pending.
fn plan(pending: Option<&PendingDrain>) -> String {
    let deadline = pending.and_then(|pending| pending.deadline_in).map(|left| format!(" --deadline {}s", left.ceil()));
    let idle = pending.and_then(|pending| pending.idle_for).map(|time| format!(" --idle-only --idle-for {time}s"));
    deadline.unwrap_or_default() + &idle.unwrap_or_default()
}

/// Returns what is left, and its times.
fn left(progress: &DrainProgress) -> [String; 2] {
    let left = &progress.left;
    let count = connections(left.connections);
    let busy = if left.awaiting_answer > 0 {
        format!(", {} of them in a request", left.awaiting_answer)
    } else {
        String::new()
    };
    let shares = pending::shares(&progress.processes);
    let (oldest, idle) = (span(left.oldest), span(left.longest_idle));
    let deadline = progress.pending.as_ref().and_then(|pending| pending.deadline_in);
    let ends = deadline.map(|seconds| format!("; ended in {}", span(seconds))).unwrap_or_default();
    [format!("{count} left{busy}{shares}"), format!("; the oldest is {oldest} old, the longest idle {idle}{ends}")]
}

/// Returns whole seconds.
fn rounded_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// For how long a process may be out of reach until the command ends.
const UNREACHED: Duration = Duration::from_secs(5);
