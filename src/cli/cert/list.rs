//! `pronk cert list`.

use std::process::ExitCode;

use super::args::{StoreArgs, now};
use super::table::aligned;
use super::usage::Usage;
use crate::cli::screen::{out, outln};
use crate::store::{EntryView, Stored};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert list")]
pub(in crate::cli) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let location = self.store.locate()?;
        let with_usage = location.config.is_some();
        let usage = location.config.map(|(_, loaded)| Usage::of(&loaded, &location.folder)).unwrap_or_default();
        let now = now()?;
        let entries = Stored::all(&location.folder)?;
        let views: Vec<_> = entries.iter().map(|entry| EntryView::new(entry, usage.by(&entry.name), now)).collect();
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&views)?)?;
        } else if views.is_empty() {
            outln!("{} has no entries; make one with: pronk cert create NAME --dns HOST", location.folder.display())?;
        } else {
            out!("{}", table(&views, with_usage))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(views: &[EntryView], with_usage: bool) -> String {
    let mut heads = vec!["NAME", "COMMON NAME", "NAMES", "ISSUER", "EXPIRES", "KEY"];
    heads.extend(with_usage.then_some("USED BY"));
    let mut rows = vec![heads.into_iter().map(str::to_owned).collect()];
    rows.extend(views.iter().map(|view| row(view, with_usage)));
    aligned(&rows)
}

fn row(view: &EntryView, with_usage: bool) -> Vec<String> {
    let mut row = vec![view.name.clone()];
    match &view.certificate {
        Some(certificate) => {
            let issuer = if certificate.issuer == certificate.subject { "itself" } else { &certificate.issuer };
            let names: Vec<_> = certificate.dns.iter().chain(&certificate.ip).map(String::as_str).collect();
            let day = certificate.not_after.split(' ').next().unwrap_or_default();
            let days = match certificate.days_left {
                left if left < 0 => "expired".to_owned(),
                left => format!("{left} days"),
            };
            row.extend([
                certificate.common_name.clone().unwrap_or_else(|| "-".into()),
                shortened(&names),
                issuer.to_owned(),
                format!("{day} ({days})"),
                certificate.key.clone(),
            ]);
        }
        None if view.problems.is_empty() => {
            row.extend(["-", "-", "requested", "-", "-"].map(str::to_owned));
        }
        None => row.extend(["unreadable", "-", "-", "-", "-"].map(str::to_owned)),
    }
    if with_usage {
        row.push(if view.used_by.is_empty() { "-".into() } else { view.used_by.join(", ") });
    }
    row
}

/// Returns the first two names, and how many more there are.
fn shortened(names: &[&str]) -> String {
    match names {
        [] => "-".into(),
        [first, second, rest @ ..] if !rest.is_empty() => format!("{first}, {second} and {} more", rest.len()),
        few => few.join(", "),
    }
}
