//! `pronk completions`: completions for a shell, on standard output.

use std::process::ExitCode;

use clap_complete::Shell;

use super::screen::out;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk completions bash > /etc/bash_completion.d/pronk")]
pub(super) struct Args {
    shell: Shell,
}

impl Args {
    pub(super) fn execute(self, mut pronk: clap::Command) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut pronk, "pronk", &mut script);
        out!("{}", String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
