//! `pronk run`: serves what a configuration file describes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::admin_client::AdminSocket;
use super::screen::Color;
use crate::app::{self, Options};
use crate::log::{self, Target};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk run /etc/pronk/pronk.yaml --log-format json --log-file /var/log/pronk.log")]
pub(super) struct Args {
    /// The configuration file.
    file: PathBuf,
    /// Threads that carry connections; by default the cores that the process may use.
    #[arg(
        long,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u16).range(1..=1024),
        help_heading = "Connections"
    )]
    threads: Option<u16>,
    #[command(flatten)]
    admin: AdminSocket,
    /// Seconds that connections may go on after SIGTERM; the rest is then closed, spread over up to 5 s.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", help_heading = "Connections")]
    drain_timeout: u64,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT", help_heading = "Logs")]
    log_format: LogFormat,
    /// Which log lines are written, such as `info` or `pronk=debug`.
    #[arg(long, env = "PRONK_LOG", default_value = "info", value_name = "FILTER", help_heading = "Logs")]
    log: String,
    /// Append log lines to this file; by default they go to standard error. SIGUSR1 has it opened anew.
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    log_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let (log, _guard) = log::start(log::Options {
            format: match self.log_format {
                LogFormat::Text => log::Format::Text,
                LogFormat::Json => log::Format::Json,
            },
            filter: EnvFilter::try_new(&self.log)?,
            color: self.log_file.is_none() && Color::Auto.on(&std::io::stderr()),
            target: self.log_file.map_or(Target::Stderr, Target::File),
        })?;
        app::run(&Options {
            file: self.file,
            threads: self.threads,
            admin_socket: self.admin.path(),
            drain_timeout: Duration::from_secs(self.drain_timeout),
            log,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
