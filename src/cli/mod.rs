//! The commands, one file each.

mod admin_client;
mod cert;
mod check;
mod completions;
mod config;
mod explain;
mod lint;
mod member;
mod persistence;
mod reload;
mod run;
mod screen;
mod show;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A full-proxy, TLS-terminating load balancer for Apache Impala.
#[derive(Debug, Parser)]
#[command(name = "pronk", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve what a configuration file describes, until SIGTERM.
    Run(run::Args),
    /// Tell everything that is wrong with a configuration file, its certificates and keys.
    Check(check::Args),
    /// Tell what is wrong with certificates behind a load balancer, for whom, and what to do.
    Lint(Box<lint::Args>),
    /// Keep certificates and keys: make, request, import, renew, show and remove them.
    #[command(subcommand)]
    Cert(cert::Command),
    /// Show configuration: what is in force, its schema for editors, its reference.
    #[command(subcommand)]
    Config(config::Command),
    /// Show what a running pronk does.
    #[command(subcommand)]
    Show(show::Command),
    /// Have a running pronk take its configuration file anew.
    Reload(reload::Args),
    /// Act on a member of a running pronk.
    #[command(subcommand)]
    Member(member::Command),
    /// Look at and delete the persistence records of a running pronk.
    #[command(subcommand)]
    Persistence(persistence::Command),
    /// Tell step by step why a running pronk would send a client to a member, or sent it there.
    Explain(explain::Args),
    /// Print completions for a shell.
    Completions(completions::Args),
}

impl Cli {
    /// Does what was asked. Exit codes: 0 done, 1 something is wrong, 2 usage; of `lint` and
    /// `cert check` also 3, unreadable input.
    pub fn execute(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(args) => args.execute(),
            Command::Check(args) => Ok(args.execute()),
            Command::Lint(args) => args.execute(),
            Command::Cert(command) => command.execute(),
            Command::Config(command) => command.execute(),
            Command::Show(command) => command.execute(),
            Command::Reload(args) => args.execute(),
            Command::Member(command) => command.execute(),
            Command::Persistence(command) => command.execute(),
            Command::Explain(args) => args.execute(),
            Command::Completions(args) => Ok(args.execute(Self::command())),
        }
    }
}
