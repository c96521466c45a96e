//! `pronk check`: what is wrong with a configuration file, its certificates and keys.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::screen::{self, outln};
use crate::config::{self, Loaded};
use crate::control;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk check pronk.yaml")]
pub(super) struct Args {
    /// The configuration files; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for file in &self.files {
            match config::load_with(file, control::check) {
                Ok((loaded, warnings)) => {
                    for told in [&loaded.notes, &warnings].into_iter().filter(|it| !it.is_empty()) {
                        screen::diagnostics(told);
                    }
                    outln!("{}: ok ({})", config::file_name(file), contents(&loaded))?;
                }
                Err(wrong) => {
                    screen::diagnostics(&wrong);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

fn contents(loaded: &Loaded) -> String {
    let model = &loaded.model;
    let counts =
        [(model.virtual_servers.len(), "virtual server"), (model.pools.len(), "pool"), (model.nodes.len(), "node")];
    let counts = counts.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    counts.join(", ")
}
