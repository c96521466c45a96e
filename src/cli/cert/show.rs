//! `pronk cert show`.

use std::process::ExitCode;

use super::args::{StoreArgs, now};
use super::usage::Usage;
use crate::cert::{Certificate, date, text};
use crate::cli::screen::{errln, outln};
use crate::cli::values;
use crate::store::{EntryView, Stored};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert show lb")]
pub(in crate::cli) struct Args {
    /// The name of the entry.
    #[arg(value_parser = values::entry)]
    name: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let location = self.store.locate()?;
        let usage = location.config.map(|(_, loaded)| Usage::of(&loaded, &location.folder)).unwrap_or_default();
        let stored = Stored::read(&location.folder, &self.name, None).map_err(crate::store::StoreError::from)?;
        let now = now()?;
        let view = EntryView::new(&stored, usage.by(&self.name), now);
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&view)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        outln!("{}", stored.folder.display())?;
        match &stored.leaf {
            Some(leaf) => print_certificate(leaf, now)?,
            None if stored.pending => outln!("  waits for the certificate of the request in csr.pem")?,
            None => {}
        }
        for (at, above) in stored.chain.iter().enumerate() {
            let (title, day) = (above.title(), date::day(above.not_after));
            outln!("  Chain {}: {}, until {day}", at + 1, title.escape_debug())?;
        }
        if stored.leaf.is_some() && stored.pending {
            outln!("  A request is pending in csr.pem.")?;
        }
        outln!("  Files:")?;
        for file in &view.files {
            let encrypted = if file.name == "key.pem" && view.key_encrypted == Some(true) { ", encrypted" } else { "" };
            outln!("    {:<14} {}{encrypted}", file.name, file.mode)?;
        }
        for by in &view.used_by {
            outln!("  Used by {by}")?;
        }
        stored.problems.iter().for_each(|problem| errln!("error: {problem}"));
        Ok(if stored.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print_certificate(leaf: &Certificate, now: i64) -> anyhow::Result<()> {
    for (field, line) in text::lines(leaf, usize::MAX) {
        outln!("  {}: {line}", field.as_str())?;
    }
    outln!("  SHA-256 Fingerprint: {}", leaf.fingerprint())?;
    outln!("  Days left: {}", leaf.days_left(now))
}
