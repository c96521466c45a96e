//! `pronk lint`.

mod live;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use crate::cert::clients::{self, Matrix, MatrixView};
use crate::cert::lint::{Levels, Linter, Role, Severity, Trust, gather};
use crate::model::Host;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files and folders.
    paths: Vec<PathBuf>,
    /// A live TLS port; may be given again.
    #[arg(long, value_name = "HOST:PORT")]
    connect: Vec<String>,
    /// Lint what a configuration file names: the certificates that pronk serves and those of its members.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A name that clients connect to; may be given again.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Host::parse(text))]
    hostname: Vec<Host>,
    /// Show which clients accept which certificate for which name, instead of findings.
    #[arg(long, requires = "hostname")]
    clients: bool,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let role = Role { front_ends: self.hostname, ..Role::default() };
        let mut gathered = gather(&self.paths, &role, None);
        let live = live::connect(&self.connect, &role)?;
        gathered.subjects.extend(live.subjects);
        if self.clients {
            show_clients(&Matrix::of(&gathered.subjects), self.format)?;
            gathered.unreadable.iter().for_each(|error| eprintln!("error: {error}"));
            return Ok(if gathered.unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) });
        }
        let linter = Linter {
            now: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() as i64,
            expiry_days: 28,
            trust: Trust { anchors: Arc::from(gathered.anchors), given: false },
            revocation_lists: gathered.revocation_lists,
            levels: Levels::default(),
        };
        let findings = linter.lint(&gathered.subjects);
        for finding in live.findings.iter().chain(&findings.findings) {
            println!("{}[{}]: {}: {}", finding.severity.as_str(), finding.check.id, finding.origin, finding.message);
        }
        gathered.unreadable.iter().for_each(|error| eprintln!("error: {error}"));
        Ok(match findings.worst() {
            _ if !gathered.unreadable.is_empty() => ExitCode::from(3),
            Some(Severity::Error) => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    }
}

fn show_clients(matrix: &Matrix, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Human => print!("{}", clients::render(matrix)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&MatrixView::from(matrix))?),
    }
    Ok(())
}
