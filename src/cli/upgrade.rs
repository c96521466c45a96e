//! `pronk upgrade`: has a new process take over from the running pronk.

use std::process::ExitCode;
use std::time::Duration;

use super::admin_client::{AdminAddress, Why};
use super::values;
use crate::admin::answers::TakenOver;
use crate::cli::screen::outln;

/// The program that is started is the one that the running pronk was started from, as it is there by now, with the same
/// arguments. It reads the configuration file. If it does not start, nothing changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk upgrade --drain-timeout 2h")]
pub(super) struct Args {
    /// How long connections of the old process may go on, such as 30 (seconds) or 2h; by default as long as it was started
    /// with (--upgrade-drain-timeout).
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    drain_timeout: Option<Duration>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let limit = self.drain_timeout.map(|limit| format!("?drain_timeout={}", limit.as_secs())).unwrap_or_default();
        let TakenOver { pid, version, draining_pid } = self.admin.post(&format!("/v1/upgrade{limit}"), &self.why)?;
        outln!(
            "process {pid} (pronk {version}) has taken over; process {draining_pid} drains its connections and ends"
        )?;
        outln!("`pronk show map` tells how many are left")?;
        Ok(ExitCode::SUCCESS)
    }
}
