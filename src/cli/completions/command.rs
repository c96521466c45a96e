//! `pronk completions`: the completions for a shell, on standard output; and what it answers when the shell calls it.

use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use clap_complete::CompleteEnv;
use clap_complete::env::{EnvCompleter, Fish, Shells};

use super::bash::Bash;
use super::zsh::Zsh;
use crate::cli::screen::out;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk completions bash > /etc/bash_completion.d/pronk")]
pub(in crate::cli) struct Args {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Args {
    pub(in crate::cli) fn execute(self) -> anyhow::Result<ExitCode> {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
        };
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "pronk", "pronk", "pronk", &mut script)?;
        out!("{}", String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Answers a shell that asks what fits. Returns whether one did.
///
/// # Errors
/// The answer cannot be written.
pub(in crate::cli) fn complete(pronk: impl Fn() -> clap::Command) -> anyhow::Result<bool> {
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(pronk).var(VARIABLE).bin("pronk").shells(SHELLS);
    asked.try_complete(std::env::args_os(), folder.as_deref()).context("cannot complete")
}

const SHELLS: Shells<'static> = Shells(&[&Bash, &Zsh, &Fish]);
/// Set by the script of the shell that calls.
const VARIABLE: &str = "PRONK_COMPLETE";
