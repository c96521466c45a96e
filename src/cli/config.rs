use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::screen::{out, outln};
use crate::config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the configuration of a file.
    Show {
        file: PathBuf,
        /// Add inherited and default values, and where each comes from.
        #[arg(long)]
        resolved: bool,
    },
    /// Print a JSON Schema of the file for editors.
    Schema,
    /// Print the reference of every key in Markdown.
    Reference,
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show { file, resolved } => match config::load(&file) {
                Ok(loaded) => out!("{}", config::show(&loaded, resolved)),
                Err(wrong) => {
                    eprintln!("{}", wrong.render(std::io::stderr().is_terminal()));
                    return Ok(ExitCode::FAILURE);
                }
            },
            Self::Schema => outln!("{}", serde_json::to_string_pretty(&config::json_schema())?),
            Self::Reference => out!("{}", config::reference()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
