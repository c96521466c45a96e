//! The options for how findings are written.

use clap::ValueEnum;

use super::levels;
use crate::cli::screen;
use crate::lint::ClusterView;
use crate::lint::clients::{self, Matrix};
use crate::lint::report::{Report, github, human, json, junit, sarif};
use crate::lint::{Linter, Severity, Use};

/// How findings are shown, and which of them count.
#[derive(Debug, clap::Args)]
pub(super) struct OutputOptions {
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Human, help_heading = "Output")]
    format: Format,
    /// The least severity that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = levels::HEADING)]
    fail_on: FailOn,
    /// Print a table of all servers, however many; without it up to 50 are shown.
    #[arg(long, help_heading = "Output")]
    cluster: bool,
    /// Tell which clients accept which certificate for the names that are looked for.
    #[arg(long, help_heading = "Output")]
    clients: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// JSON with a version; `--print-schema` tells its form.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit's XML.
    Junit,
    /// GitHub's workflow commands.
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl OutputOptions {
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn print(&self, report: &Report<'_>, linter: &Linter) -> anyhow::Result<()> {
        screen::print(&match self.format {
            Format::Human => self.for_people(report, linter),
            Format::Json => {
                let matrix = self.clients.then(|| Matrix::of(linter, report.subjects));
                return screen::write(|out| json(report, matrix, out));
            }
            Format::Sarif => sarif(report),
            Format::Junit => junit(report),
            Format::Github => github(report),
        })?;
        // The other formats have a place for them.
        if matches!(self.format, Format::Human) {
            screen::unreadable(report.unreadable);
        }
        Ok(())
    }

    /// Returns the least severity that makes the exit code 1.
    pub(super) fn fail_on(&self) -> Option<Severity> {
        match self.fail_on {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }

    fn for_people(&self, report: &Report<'_>, linter: &Linter) -> String {
        let mut text = human(report, screen::has_color(&std::io::stdout()));
        let servers = report.subjects.iter().filter(|subject| subject.role.usage != Use::Authority).count();
        if self.cluster || (2..=FEW).contains(&servers) {
            text.push('\n');
            text += &ClusterView::of(report.subjects, report.findings, report.now).render();
        }
        if self.clients {
            text.push('\n');
            text += &clients::render(&Matrix::of(linter, report.subjects));
        }
        text
    }
}

/// Servers that a table shows unasked.
const FEW: usize = 50;
