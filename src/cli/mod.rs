//! The commands, one file each.

mod admin;
mod admin_client;
mod administer;
mod cert;
mod check;
mod completions;
mod config;
mod exit_code;
mod explain;
mod init;
mod lint;
mod man;
mod member;
mod metrics;
mod persistence;
mod reload;
mod run;
mod screen;
mod show;
mod stats;
mod table;
mod upgrade;
mod values;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::model::AdminState;
use exit_code::USAGE;

/// A full-proxy, TLS-terminating load balancer for Apache Impala.
#[derive(Debug, Parser)]
#[command(name = "pronk", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Whether messages and reports have colours.
    #[arg(long, global = true, value_enum, default_value_t = screen::Color::Auto, value_name = "WHEN", help_heading = "Output")]
    color: screen::Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve what a configuration file describes, until SIGTERM.
    Run(run::Args),
    /// Write a first configuration file, and make its certificate.
    Init(init::Args),
    /// Tell everything that is wrong with a configuration file, its certificates and keys, and what would not work.
    Check(check::Args),
    /// Prove that a configuration works: names, ports, members, certificates and Kerberos, as clients meet them.
    Verify(Box<verify::Args>),
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
    /// Reset the statistics of a running pronk.
    #[command(subcommand)]
    Stats(stats::Command),
    /// Print the catalogue of metrics.
    #[command(hide = true)]
    Metrics(metrics::Args),
    /// Have a running pronk take its configuration file anew.
    Reload(reload::Args),
    /// Have a new process take over from a running pronk, without refusing a client; the old one drains.
    Upgrade(upgrade::Args),
    /// Let a node, a member or a virtual server of a running pronk take connections.
    #[command(after_help = "Example:\n  pronk enable member impalad-1:21050")]
    Enable(administer::Args),
    /// Let only clients with a persistence record connect; open connections go on.
    #[command(after_help = "Example:\n  pronk disable node impalad-1 --reason maintenance")]
    Disable(administer::Args),
    /// Let nobody connect; open connections go on.
    #[command(after_help = "Example:\n  pronk offline member pool-impala-21050/impalad-1:21050 --until-restart")]
    Offline(administer::Args),
    /// Set the ratio of a node or a member of a running pronk.
    SetRatio(administer::RatioArgs),
    /// What administrators set while pronk runs, over the configuration file.
    #[command(subcommand)]
    State(administer::StateCommand),
    /// Act on a member of a running pronk.
    #[command(subcommand)]
    Member(member::Command),
    /// Look at and delete the persistence records of a running pronk.
    #[command(subcommand)]
    Persistence(persistence::Command),
    /// Tell step by step why a running pronk would send a client to a member, or sent it there.
    Explain(explain::Args),
    /// Let others administer pronk over the network: tokens, and the reference of the admin API.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Write manual pages, one for each command.
    Man(man::Args),
}

/// Does what the arguments of the process ask for. Exit codes: 0 done, 1 something is wrong, 2 usage; of `lint` and
/// `cert check` also 3, unreadable input.
///
/// # Errors
/// Why it cannot be done.
pub fn run() -> anyhow::Result<ExitCode> {
    if completions::complete(Cli::command)? {
        return Ok(ExitCode::SUCCESS);
    }
    match Cli::try_parse() {
        Ok(cli) => cli.execute(),
        Err(usage) if usage.use_stderr() => {
            let text = usage.render();
            let color = screen::has_color(&std::io::stderr());
            screen::print_error(&if color { text.ansi().to_string() } else { text.to_string() });
            Ok(ExitCode::from(USAGE))
        }
        Err(help) => {
            let text = help.render();
            let color = screen::has_color(&std::io::stdout());
            screen::print(&if color { text.ansi().to_string() } else { text.to_string() })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Cli {
    fn execute(self) -> anyhow::Result<ExitCode> {
        self.color.choose();
        match self.command {
            Command::Run(args) => args.execute(),
            Command::Init(args) => args.execute(),
            Command::Check(args) => args.execute(),
            Command::Verify(args) => args.execute(),
            Command::Lint(args) => args.execute(),
            Command::Cert(command) => command.execute(),
            Command::Config(command) => command.execute(),
            Command::Show(command) => command.execute(),
            Command::Stats(command) => command.execute(),
            Command::Metrics(args) => args.execute(),
            Command::Reload(args) => args.execute(),
            Command::Upgrade(args) => args.execute(),
            Command::Enable(args) => args.execute(AdminState::Enabled),
            Command::Disable(args) => args.execute(AdminState::Disabled),
            Command::Offline(args) => args.execute(AdminState::ForcedOffline),
            Command::SetRatio(args) => args.execute(),
            Command::State(command) => command.execute(),
            Command::Member(command) => command.execute(),
            Command::Persistence(command) => command.execute(),
            Command::Explain(args) => args.execute(),
            Command::Admin(command) => command.execute(),
            Command::Completions(args) => args.execute(),
            Command::Man(args) => args.execute(Self::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the commands without further ones below them.
    fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
        if command.has_subcommands() { command.get_subcommands().flat_map(leaves).collect() } else { vec![command] }
    }

    #[test]
    fn commands_are_declared_without_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_that_it_takes() {
        let mut pronk = Cli::command().disable_help_subcommand(true);
        pronk.build();
        for command in leaves(&pronk) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let path = command.get_bin_name().unwrap_or_default();
            let (_, examples) = help.split_once("Example:\n").unwrap_or_else(|| panic!("{path} has no example"));
            for example in examples.lines().map(str::trim) {
                assert!(example.starts_with(path), "{path}: {example}");
                let words = example.split(" > ").next().unwrap_or_default().split(' ');
                Cli::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
        }
    }

    #[test]
    fn long_helps_are_grouped() {
        let mut pronk = Cli::command();
        pronk.build();
        for command in leaves(&pronk) {
            let options =
                command.get_arguments().filter(|argument| !argument.is_positional() && !argument.is_hide_set());
            let plain = options.filter(|option| option.get_help_heading().is_none()).count();
            assert!(plain <= 7, "{}: {plain} options without a heading", command.get_bin_name().unwrap_or_default());
        }
    }
}
