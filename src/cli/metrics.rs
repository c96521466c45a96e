//! `pronk metrics`: the catalogue of metrics, for the documentation.

use std::process::ExitCode;

use crate::admin::metrics::catalogue_page;
use crate::cli::screen::out;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk metrics --catalogue")]
pub(super) struct Args {
    /// Print all metrics with their types, labels and meanings, in Markdown.
    #[arg(long, required = true)]
    catalogue: bool,
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        out!("{}", catalogue_page())?;
        Ok(ExitCode::SUCCESS)
    }
}
