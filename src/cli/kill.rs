//! `pronk kill`: ends open connections.

use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why};
use super::pending;
use super::selection::Selection;
use super::waiting::connections;
use crate::admin::connections::Killed;
use crate::cli::screen::{self, outln};

#[derive(Debug, clap::Args)]
#[command(after_help = "Both sides are reset, and the log has the close code `killed`.\n\nExample:\n  \
                  pronk kill --client 10.17.80.5 --member impalad-1:21050 --reason stuck\n  \
                  pronk kill --connection 4711")]
pub(super) struct Args {
    #[command(flatten)]
    which: Selection,
    /// Only tell how many it would end.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        if self.which.is_all() {
            anyhow::bail!("name the connections: --client, --member, --node, --pool, --virtual-server or --connection");
        }
        let (which, dry_run) = (self.which.query(), self.dry_run);
        let killed: Killed = self.admin.post(&format!("/v1/connections/kill?dry_run={dry_run}{which}"), &self.why)?;
        let (count, shares) = (connections(killed.connections), pending::shares(&killed.processes));
        if dry_run {
            outln!("{count} would be ended{shares}")?;
        } else {
            outln!("{count} ended{shares}")?;
        }
        let unreached = pending::unreached(&killed.processes);
        unreached.iter().for_each(|line| screen::print_error(&format!("error: {line}\n")));
        Ok(if unreached.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
