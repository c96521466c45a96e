use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::screen::outln;
use crate::config::{self, Diagnostics, Loaded};
use crate::control;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    file: PathBuf,
}

impl Args {
    pub(super) fn execute(self) -> ExitCode {
        let color = std::io::stderr().is_terminal();
        let loaded = match config::load(&self.file) {
            Ok(loaded) => loaded,
            Err(wrong) => return refused(&wrong, color),
        };
        if !loaded.notes.is_empty() {
            eprintln!("{}", loaded.notes.render(color));
        }
        if let Err(wrong) = control::check(&loaded) {
            return refused(&wrong, color);
        }
        outln!("{}: ok ({})", self.file.display(), contents(&loaded));
        ExitCode::SUCCESS
    }
}

fn refused(wrong: &Diagnostics, color: bool) -> ExitCode {
    eprintln!("{}", wrong.render(color));
    ExitCode::FAILURE
}

fn contents(loaded: &Loaded) -> String {
    let model = &loaded.model;
    let counts =
        [(model.virtual_servers.len(), "virtual server"), (model.pools.len(), "pool"), (model.nodes.len(), "node")];
    let counts = counts.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    counts.join(", ")
}
