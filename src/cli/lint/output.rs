use std::io::IsTerminal;

use clap::ValueEnum;

use crate::cert::clients::{self, Matrix, MatrixView};
use crate::cert::cluster::ClusterView;
use crate::cert::lint::{Severity, Use};
use crate::cert::report::{Report, github, human, json, junit, sarif};

/// How findings are shown, and which of them count.
#[derive(Debug, clap::Args)]
pub(super) struct OutputOptions {
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Whether the report for people has colours.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// The least severity that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// Print a table of all servers, however many; without it up to 50 are shown.
    #[arg(long)]
    cluster: bool,
    /// Tell which clients accept which certificate for the names that are looked for.
    #[arg(long)]
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
enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl OutputOptions {
    pub(super) fn print(&self, report: &Report<'_>) {
        match self.format {
            Format::Human => self.print_for_people(report),
            Format::Json => {
                let matrix = self.clients.then(|| Matrix::of(report.subjects));
                let view = matrix.map(|matrix| serde_json::to_value(MatrixView::from(&matrix)).unwrap_or_default());
                print!("{}", json(report, view.map(|view| ("clients", view))));
            }
            Format::Sarif => print!("{}", sarif(report)),
            Format::Junit => print!("{}", junit(report)),
            Format::Github => print!("{}", github(report)),
        }
    }

    /// Whether a finding of this severity makes the exit code 1.
    pub(super) fn fails(&self, severity: Severity) -> bool {
        match self.fail_on {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Info => true,
            FailOn::Never => false,
        }
    }

    fn print_for_people(&self, report: &Report<'_>) {
        let color = match self.color {
            Color::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
            }
            Color::Always => true,
            Color::Never => false,
        };
        print!("{}", human(report, color));
        let servers = report.subjects.iter().filter(|subject| subject.role.usage != Use::Authority).count();
        if self.cluster || (2..=FEW).contains(&servers) {
            print!("\n{}", ClusterView::of(report.subjects, report.findings, report.now).render());
        }
        if self.clients {
            print!("\n{}", clients::render(&Matrix::of(report.subjects)));
        }
        for error in report.unreadable {
            eprintln!("error: {error}");
            if let Some(help) = error.help() {
                eprintln!("  = help: {help}");
            }
        }
    }
}

/// Servers that a table shows unasked.
const FEW: usize = 50;
