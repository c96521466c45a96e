//! `pronk run`: serves what a configuration file describes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::screen;
use crate::admin::{SocketAccess, default_path};
use crate::app::{self, Options};
use crate::cli::values;
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
        value_parser = values::threads,
        help_heading = "Connections"
    )]
    threads: Option<u16>,
    /// The admin socket; by default pronk.sock in the runtime directory of the service or the user, for root
    /// /run/pronk/pronk.sock. Commands look there by themselves.
    #[arg(long, env = "PRONK_ADMIN_SOCKET", value_name = "PATH", help_heading = "Administration")]
    admin_socket: Option<PathBuf>,
    /// Who may use the admin socket, and so administer pronk: 0600 is the user that pronk runs as (and root), 0660 also the
    /// socket's group.
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = values::socket_mode, help_heading = "Administration")]
    admin_socket_mode: u32,
    /// The group of the admin socket, by name or number; by default that of the process.
    #[arg(long, value_name = "GROUP", value_parser = values::group, help_heading = "Administration")]
    admin_socket_group: Option<u32>,
    /// How long connections may go on after SIGTERM, such as 30 (seconds) or 1h30m; the rest is then closed, spread over
    /// up to 5 s.
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = values::duration, help_heading = "Connections")]
    drain_timeout: Duration,
    /// How long connections may go on after another process has taken over (`pronk upgrade`, SIGUSR2).
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = values::duration, help_heading = "Connections")]
    upgrade_drain_timeout: Duration,
    /// Where states that administrators set while pronk runs are kept for the next start; by default in the state
    /// directory of the service or the user, one for each configuration file.
    #[arg(long, env = "PRONK_STATE_FILE", value_name = "PATH", help_heading = "Administration")]
    state_file: Option<PathBuf>,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT", help_heading = "Logs")]
    log_format: LogFormat,
    /// Which log lines are written, such as `info` or `pronk=debug`.
    #[arg(long, env = "PRONK_LOG", default_value = "info", value_name = "FILTER", value_parser = filter, help_heading = "Logs")]
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

/// Returns where the state of a configuration file is kept, if there is a place.
fn default_state_file(configuration: &Path) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY") {
        return Some(Path::new(&folder).join("state.json"));
    }
    let folder = match std::env::var_os("XDG_STATE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None if rustix::process::getuid().is_root() => PathBuf::from("/var/lib"),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".local/state"),
    };
    let path = std::path::absolute(configuration).ok()?;
    let name = path.to_string_lossy().trim_start_matches('/').replace('/', "-");
    Some(folder.join("pronk").join(format!("{name}.json")))
}

/// Returns a filter that can be used; one that is parsed cannot be cloned.
fn filter(text: &str) -> Result<String, &'static str> {
    let wrong =
        "a filter is a level (error, warn, info, debug, trace), or targets with levels, such as info,pronk=debug";
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| wrong)
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        if self.file == Path::new("-") {
            anyhow::bail!("pronk reads its configuration again at each reload, so it cannot come from standard input");
        }
        let state_file = default_state_file(&self.file);
        let (log, _guard) = log::start(log::Options {
            format: match self.log_format {
                LogFormat::Text => log::Format::Text,
                LogFormat::Json => log::Format::Json,
            },
            filter: EnvFilter::try_new(&self.log)?,
            color: self.log_file.is_none() && screen::has_color(&std::io::stderr()),
            target: self.log_file.map_or(Target::Stderr, Target::File),
        })?;
        app::run(&Options {
            file: self.file,
            threads: self.threads,
            admin_socket: self.admin_socket.unwrap_or_else(default_path),
            admin_socket_access: SocketAccess { mode: self.admin_socket_mode, group: self.admin_socket_group },
            state_file: self.state_file.or(state_file),
            drain_timeout: self.drain_timeout,
            upgrade_drain_timeout: self.upgrade_drain_timeout,
            log,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
