//! The options of `pronk init`, and its run: what is missing is asked for, then the certificate is made, and the file
//! written.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::certificate::{self, CertificateOption};
use super::plan::{Daemon, Mode, Plan, Ports, daemon, front_end, ports};
use super::questions::{ask, ask_certificate, ask_mode, ask_several, ask_yes, can_ask};
use crate::cli::screen::{self, errln, out, outln};
use crate::config;
use crate::control;
use crate::reading::os_reason;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  pronk init
  pronk init --mode offload --front-end impala.example.com --daemon node1.example.com --certificate self-signed")]
pub(in crate::cli) struct Args {
    /// The file to write, which must not exist; `-` is standard output.
    #[arg(default_value = "pronk.yaml")]
    file: PathBuf,
    /// Where TLS begins and ends.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The name that clients connect to.
    #[arg(long, value_name = "NAME", value_parser = front_end)]
    front_end: Option<String>,
    /// A host with an Impala coordinator: its name, its address, or NAME=ADDRESS; may be given again.
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = daemon)]
    daemon: Vec<Daemon>,
    /// A port for clients; LISTEN:MEMBER where the impalads have another. May be given again.
    #[arg(long, value_name = "PORT", value_delimiter = ',', value_parser = ports)]
    port: Vec<Ports>,
    /// Hue connects through it: its requests go back to the same coordinator.
    #[arg(long)]
    hue: bool,
    /// The authorities of the impalads' certificates, for re-encrypt.
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    ca_file: Option<String>,
    /// Makes the certificate that clients see, in the certificate store beside the file.
    #[arg(long, value_enum, help_heading = "Certificates")]
    certificate: Option<CertificateOption>,
}

impl Args {
    pub(in crate::cli) fn execute(self) -> anyhow::Result<ExitCode> {
        let (file, is_printed) = (self.file.clone(), self.file == Path::new("-"));
        if !is_printed && file.exists() {
            anyhow::bail!("{} exists, and is not overwritten; give another name", file.display());
        }
        let store = store_of(&file);
        let needs_authorities = self.mode == Some(Mode::ReEncrypt) && self.ca_file.is_none();
        let is_missing = self.mode.is_none() || self.front_end.is_none() || self.daemon.is_empty() || needs_authorities;
        let asks = can_ask() && is_missing;
        let (mut plan, mut made) = if asks { self.asked()? } else { self.given()? };
        if let Some(mistake) = plan.mistake() {
            anyhow::bail!("{mistake}");
        }
        if let Some(ca_file) = plan.ca_file.as_ref().filter(|it| !is_printed && !Path::new(it).is_file()) {
            anyhow::bail!("there is no file {ca_file}: give that of the cluster's authorities");
        }
        if made.is_some() && !plan.mode.has_certificate() {
            anyhow::bail!("--certificate is for offload and re-encrypt: in the other modes pronk shows none");
        }
        if made.is_some() && is_printed {
            anyhow::bail!("--certificate makes files, and `-` only prints: leave --certificate out, or name a file");
        }
        plan.ca_file = plan.ca_file.map(|ca_file| seen_from(&file, &ca_file)).transpose()?;
        let text = plan.text(&if is_printed { "pronk.yaml".to_owned() } else { config::file_name(&file) });
        if let Err(wrong) = config::parse("what would be written", &text, beside(&file)) {
            screen::diagnostics(&wrong);
            anyhow::bail!("nothing is written: pronk would not take such a file");
        }
        if is_printed {
            out!("{text}")?;
            return Ok(ExitCode::SUCCESS);
        }
        let entry = plan.entry();
        if made.is_some() && certificate::is_there(&store, entry) {
            let (store, name) = (store.display(), &plan.front_end);
            if !certificate::is_for(&store_of(&file), entry, name) {
                anyhow::bail!(
                    "the certificate store {store} has an entry {entry} for another name than {name}: name a file in \
                     another folder, or see to the entry: pronk cert list --store {store}"
                );
            }
            outln!("the certificate {entry} is in {store} already, and is used as it is")?;
            made = None;
        }
        if plan.mode.has_certificate() && !certificate::is_there(&store, entry) {
            if made.is_none() && can_ask() {
                made = Some(ask_certificate(&plan.front_end)?);
            }
            let Some(made) = made else {
                anyhow::bail!(
                    "a certificate for {} is needed: give --certificate self-signed or csr, or first import yours with: \
                     pronk cert import {entry} --cert FILE --key FILE --store {}",
                    plan.front_end,
                    store.display()
                );
            };
            made.make(&store, entry, &plan.front_end)?;
        }
        write_new(&file, &text)?;
        outln!("wrote {}", file.display())?;
        check(&file, made == Some(CertificateOption::Csr))
    }

    /// Returns what the command line says.
    fn given(self) -> anyhow::Result<(Plan, Option<CertificateOption>)> {
        let missing: Vec<_> = [
            (self.mode.is_none(), "--mode"),
            (self.front_end.is_none(), "--front-end"),
            (self.daemon.is_empty(), "--daemon"),
        ]
        .into_iter()
        .filter_map(|(is_missing, option)| is_missing.then_some(option))
        .collect();
        let (Some(mode), Some(front_end), false) = (self.mode, self.front_end, self.daemon.is_empty()) else {
            anyhow::bail!("give {}, or run this on a terminal, which asks", missing.join(", "));
        };
        let ports = if self.port.is_empty() { vec![HIVESERVER2] } else { self.port };
        let plan =
            Plan { front_end, mode, daemons: resolved(self.daemon), ports, hue: self.hue, ca_file: self.ca_file };
        Ok((plan, self.certificate))
    }

    /// Asks for what the command line does not say.
    fn asked(self) -> anyhow::Result<(Plan, Option<CertificateOption>)> {
        let front_end = match self.front_end {
            Some(front_end) => front_end,
            None => ask("Name that clients connect to, such as impala.example.com", None, front_end)?,
        };
        let daemons = if self.daemon.is_empty() {
            ask_several("Hosts with an Impala coordinator (NAME, or NAME=ADDRESS), with blanks between", None, daemon)?
        } else {
            self.daemon
        };
        let mode = self.mode.map_or_else(ask_mode, Ok)?;
        let ports = if self.port.is_empty() {
            ask_several("Ports", Some("21050"), |answer| ports(answer).map_err(str::to_owned))?
        } else {
            self.port
        };
        let hue = self.hue || ask_yes("Does Hue connect through it? yes or no")?;
        let ca_file = match self.ca_file {
            None if mode == Mode::ReEncrypt => {
                let there = |answer: &str| {
                    let is_there = Path::new(answer).is_file();
                    is_there.then(|| answer.to_owned()).ok_or_else(|| format!("there is no file {answer}"))
                };
                Some(ask("File of the cluster's authorities (PEM)", None, there)?)
            }
            given => given,
        };
        let plan = Plan { front_end, mode, daemons: resolved(daemons), ports, hue, ca_file };
        Ok((plan, self.certificate))
    }
}

/// Returns the folder from which paths in a configuration file lead.
fn beside(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new(""))
}

/// Returns the certificate store of a file.
fn store_of(file: &Path) -> PathBuf {
    file.with_file_name(STORE)
}

/// Returns how a configuration file writes a path of the command line, which leads from the working folder.
fn seen_from(file: &Path, path: &str) -> anyhow::Result<String> {
    let folder = beside(file);
    if folder == Path::new("") || Path::new(path).is_absolute() {
        return Ok(path.to_owned());
    }
    let (folder, path) = (std::path::absolute(folder)?, std::path::absolute(path)?);
    Ok(path.strip_prefix(folder).unwrap_or(&path).display().to_string())
}

fn resolved(mut daemons: Vec<Daemon>) -> Vec<Daemon> {
    daemons.iter_mut().for_each(Daemon::resolve);
    daemons
}

/// Writes a file that does not exist.
fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut open| {
        open.write_all(text.as_bytes())?;
        open.sync_all()
    });
    written.map_err(|error| anyhow::anyhow!("cannot write {}: {}", file.display(), os_reason(&error)))
}

/// Checks what was written, and tells the next step.
fn check(file: &Path, waits: bool) -> anyhow::Result<ExitCode> {
    let name = file.display();
    if waits {
        outln!("once the certificate is signed and imported: pronk check {name}")?;
        return Ok(ExitCode::SUCCESS);
    }
    match config::load_with(file, control::check) {
        Ok((loaded, warnings)) => {
            let mut told = loaded.notes;
            told.absorb(warnings);
            if !told.is_empty() {
                screen::diagnostics(&told);
            }
            outln!("next: pronk run {name}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(wrong) => {
            screen::diagnostics(&wrong);
            errln!("{name} needs what is told above before it can be run");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The default folder of the certificate store.
const STORE: &str = "certs";
/// The port of JDBC, ODBC, Hue and impala-shell.
const HIVESERVER2: Ports = Ports { listen: 21050, member: 21050 };
