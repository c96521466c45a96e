//! `pronk lint`.

mod live;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use crate::cert::lint::{Levels, Linter, Role, Severity, Trust, gather};
use crate::config;
use crate::model::Host;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files and folders.
    paths: Vec<PathBuf>,
    /// A live TLS port; may be given again. The port is 21050 unless given.
    #[arg(long, value_name = "HOST[:PORT]")]
    connect: Vec<String>,
    /// Lint what a configuration file names: the certificates that pronk serves and those of its members.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A name that clients connect to; may be given again.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Host::parse(text))]
    hostname: Vec<Host>,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let role = Role { front_ends: self.hostname, ..Role::default() };
        let mut gathered = gather(&self.paths, &role, None);
        let mut live = live::connect(&self.connect, &role)?;
        if let Some(path) = &self.config {
            match config::load(path) {
                Ok(loaded) => live.extend(live::from_config(&loaded)?),
                Err(wrong) => {
                    eprintln!("{}", wrong.render(std::io::stderr().is_terminal()));
                    return Ok(ExitCode::from(3));
                }
            }
        }
        if !live.notes.is_empty() {
            eprintln!("{}", live.notes.render(std::io::stderr().is_terminal()));
        }
        gathered.subjects.extend(live.subjects);
        gathered.anchors.extend(live.anchors);
        gathered.unreadable.extend(live.unreadable);
        let linter = Linter {
            now: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() as i64,
            expiry_days: 28,
            trust: Trust { anchors: Arc::from(gathered.anchors), given: false },
            revocation_lists: gathered.revocation_lists,
            levels: Levels::default(),
        };
        let mut findings = linter.judge(live.findings);
        findings.extend(linter.lint(&gathered.subjects));
        for finding in &findings.findings {
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
