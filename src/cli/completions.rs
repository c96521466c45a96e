use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    shell: Shell,
}

impl Args {
    pub(super) fn execute(self) -> ExitCode {
        clap_complete::generate(self.shell, &mut super::Cli::command(), "pronk", &mut std::io::stdout());
        ExitCode::SUCCESS
    }
}
