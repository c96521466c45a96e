//! `pronk reload`: has a running pronk read its configuration file again.

use std::process::ExitCode;

use super::admin_client::{AdminAddress, Why};
use crate::admin::answers::Reloaded;
use crate::cli::screen::{errln, outln};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk reload --dry-run")]
pub(super) struct Args {
    /// Only tell what would change.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    admin: AdminAddress,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let reloaded: Reloaded = self.admin.post(&format!("/v1/reload?dry_run={}", self.dry_run), &self.why)?;
        if !reloaded.notes.is_empty() {
            errln!("{}", reloaded.notes);
        }
        if reloaded.changes.is_empty() {
            outln!("no change")?;
        }
        for change in &reloaded.changes {
            outln!("{change}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
