//! `pronk check`: what is wrong with a configuration file, its certificates and keys, or will not work.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::screen::{self, outln};
use crate::config::{self, Loaded, Severity};
use crate::control;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk check pronk.yaml\n  pronk check --strict pronk.yaml")]
pub(super) struct Args {
    /// The configuration files; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Warnings count as errors: exit code 1.
    #[arg(long)]
    strict: bool,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for file in &self.files {
            match config::load_with(file, control::check) {
                Ok((loaded, warnings)) => {
                    let mut told = loaded.notes.clone();
                    told.absorb(warnings);
                    if !told.is_empty() {
                        screen::diagnostics(&told);
                    }
                    let warnings = told.iter().filter(|it| it.severity == Severity::Warning).count();
                    let (name, contents) = (config::file_name(file), contents(&loaded));
                    match warnings {
                        0 => outln!("{name}: ok ({contents})")?,
                        _ => outln!("{name}: ok, with {} ({contents})", count(warnings, "warning"))?,
                    }
                    if self.strict && warnings > 0 {
                        code = ExitCode::FAILURE;
                    }
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
    counts.map(|(number, what)| count(number, what)).join(", ")
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
