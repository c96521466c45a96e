//! `pronk check`: what is wrong with a configuration file, its certificates and keys.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::screen::{self, outln};
use crate::config::{self, Loaded};
use crate::control;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk check pronk.yaml")]
pub(super) struct Args {
    /// The configuration file.
    file: PathBuf,
}

impl Args {
    pub(super) fn execute(self) -> ExitCode {
        let (loaded, warnings) = match config::load_with(&self.file, control::check) {
            Ok(checked) => checked,
            Err(wrong) => {
                screen::diagnostics(&wrong);
                return ExitCode::FAILURE;
            }
        };
        if !loaded.notes.is_empty() {
            screen::diagnostics(&loaded.notes);
        }
        if !warnings.is_empty() {
            screen::diagnostics(&warnings);
        }
        outln!("{}: ok ({})", self.file.display(), contents(&loaded));
        ExitCode::SUCCESS
    }
}

fn contents(loaded: &Loaded) -> String {
    let model = &loaded.model;
    let counts =
        [(model.virtual_servers.len(), "virtual server"), (model.pools.len(), "pool"), (model.nodes.len(), "node")];
    let counts = counts.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    counts.join(", ")
}
