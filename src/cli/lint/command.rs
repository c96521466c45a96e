//! The options of `pronk lint`, and its run: sources are gathered, linted and reported.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use clap::ValueEnum;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::levels::{self, LevelOptions};
use super::live;
use super::output::OutputOptions;
use crate::cert::bundle::{self, read_revocation_lists};
use crate::cert::{Instead, MaterialError, Passphrase};
use crate::cli::exit_code::{UNREADABLE, USAGE};
use crate::cli::screen::{self, errln};
use crate::cli::values;
use crate::config;
use crate::control::lint_levels;
use crate::inventory::trust;
use crate::lint::WeakKeys;
use crate::lint::report::{Report, catalogue_page, explain, json_schema};
use crate::lint::{
    Check, EXPIRY_DAYS, Findings, Gathered, Levels, Linter, Role, Trust, Use, catalogue, gather, gather_bundle,
};
use crate::model::{Host, profile};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk lint certs/ --hostname lb.example.com --ca-file corporate-ca.pem")]
pub(in crate::cli) struct Args {
    /// Files, folders (with all below them), or `-` for standard input: PEM, DER, PKCS#7, PKCS#12. Keys beside them are
    /// found.
    #[arg(required_unless_present_any = ["connect", "config", "explain", "list_checks", "catalogue", "print_schema"])]
    paths: Vec<PathBuf>,
    /// A live TLS port; may be given again. The port is 21050 unless given.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = live::Port::parse, help_heading = "What is linted")]
    connect: Vec<live::Port>,
    /// Lint what a configuration file names: the certificates that pronk serves and those of its members.
    #[arg(long, value_name = "FILE", help_heading = "What is linted")]
    config: Option<PathBuf>,
    /// A name that clients connect to; may be given again.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Host::parse_asked(text), help_heading = "What they are for")]
    hostname: Vec<Host>,
    /// The name of the host that has the certificates given as paths.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| Host::parse_asked(text), help_heading = "What they are for")]
    node: Option<Host>,
    /// How the load balancer treats TLS to the hosts given with PATHS and --connect.
    #[arg(long, value_enum, help_heading = "What they are for")]
    mode: Option<ModeOption>,
    /// Authorities that chains have to lead to; without it the system's, and those among the paths. May be given again.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    ca_file: Vec<PathBuf>,
    /// Revocation lists; may be given again.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    crl: Vec<PathBuf>,
    /// A file whose first line opens encrypted keys and keystores.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_env", help_heading = "Passphrase")]
    passphrase_file: Option<PathBuf>,
    /// An environment variable that opens encrypted keys and keystores.
    #[arg(long, value_name = "VARIABLE", help_heading = "Passphrase")]
    passphrase_env: Option<String>,
    /// Lists of keys that others have, in openssl-blacklist's format; those that are installed are used in any case.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    weak_keys: Vec<PathBuf>,
    /// A certificate that ends within so many days is soon to expire.
    #[arg(long, value_name = "DAYS", default_value_t = EXPIRY_DAYS, value_parser = values::days_or_none, help_heading = levels::HEADING)]
    expiry_days: u32,
    #[command(flatten)]
    levels: LevelOptions,
    #[command(flatten)]
    output: OutputOptions,
    /// Tell everything about a check.
    #[arg(long, value_name = "ID", value_parser = levels::known, exclusive = true, help_heading = "About the checks")]
    explain: Option<String>,
    /// List every check with its severity.
    #[arg(long, exclusive = true, help_heading = "About the checks")]
    list_checks: bool,
    /// Print every check at length, in Markdown.
    #[arg(long, exclusive = true, help_heading = "About the checks")]
    catalogue: bool,
    /// Print a JSON Schema of what --format json prints.
    #[arg(long, exclusive = true, help_heading = "About the checks")]
    print_schema: bool,
    /// Judge as if it were so many seconds since 1970.
    #[arg(long, hide = true)]
    now: Option<i64>,
}

/// Who shows the certificates to whom.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeOption {
    /// Members show them to clients.
    Passthrough,
    /// pronk shows them to clients.
    Offload,
    /// Members show them to pronk.
    ReEncrypt,
}

impl Args {
    pub(in crate::cli) fn execute(self) -> anyhow::Result<ExitCode> {
        if let Some(text) = self.about() {
            screen::print(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        // What is misspelled is told before anything is read.
        let given = match WeakKeys::read(&self.weak_keys) {
            Ok(given) => given,
            Err(wrong) => {
                errln!("error: {wrong}");
                return Ok(ExitCode::from(USAGE));
            }
        };
        let weak_keys = given.with(WeakKeys::installed());
        let usage = match self.mode {
            None => Use::Server,
            Some(ModeOption::Passthrough) => Use::Passthrough,
            Some(ModeOption::Offload) => Use::FrontEnd,
            Some(ModeOption::ReEncrypt) => Use::ReEncrypt,
        };
        let role = Role { usage, front_ends: self.hostname.clone(), node: self.node.clone() };
        let (passphrase, wrong) = self.passphrase().map_or_else(|error| (None, Some(error)), |read| (read, None));
        let mut gathered = gather(&self.paths, &role, passphrase.as_ref());
        gathered.unreadable.extend(wrong);
        let mut live = live::connect(&self.connect, &role)?;
        let mut levels = Levels::default();
        if let Some(path) = &self.config {
            let loaded = config::load_with(path, lint_levels);
            match loaded {
                Ok((loaded, configured)) => {
                    levels = configured;
                    live.extend(live::from_config(&loaded, self.now()?, self.expiry_days)?);
                }
                Err(wrong) => {
                    screen::diagnostics(&wrong);
                    return Ok(ExitCode::from(UNREADABLE));
                }
            }
        }
        if !live.notes.is_empty() {
            screen::diagnostics(&live.notes);
        }
        gathered.subjects.extend(live.subjects);
        gathered.anchors.extend(live.anchors);
        gathered.unreadable.extend(live.unreadable);
        self.levels.apply(&mut levels);
        let given = self.given_anchors(&mut gathered, passphrase.as_ref());
        let nothing = gathered.subjects.is_empty() && gathered.unreadable.is_empty() && live.findings.is_empty();
        if nothing && self.config.is_none() {
            gathered.unreadable.extend(
                self.paths
                    .first()
                    .map(|path| MaterialError::NoCertificate { path: path.clone(), instead: Instead::default() }),
            );
        }
        let linter = Linter { weak_keys, ..self.linter(&mut gathered, given, levels)? };
        let mut findings = linter.judge(live.findings);
        findings.extend(linter.lint(&gathered.subjects));
        self.report(&gathered, &findings, &linter)
    }

    /// Returns what needs no certificates, if that was asked for.
    fn about(&self) -> Option<String> {
        if let Some(check) = self.explain.as_deref().and_then(crate::lint::check) {
            return Some(explain(check));
        }
        let line = |check: &Check| format!("{:<36} {:<8} {}\n", check.id, check.severity.as_str(), check.title);
        match () {
            () if self.list_checks => Some(catalogue().map(line).collect()),
            () if self.catalogue => Some(catalogue_page()),
            () if self.print_schema => Some(format!("{:#}\n", json_schema())),
            () => None,
        }
    }

    fn passphrase(&self) -> Result<Option<Passphrase>, MaterialError> {
        let file = self.passphrase_file.clone().map(profile::Passphrase::File);
        let source = file.or_else(|| self.passphrase_env.clone().map(profile::Passphrase::Environment));
        source.map(|source| Passphrase::read(&source)).transpose()
    }

    /// Reads the authorities that are given, each file once, as it may be a pipe. They are linted too.
    fn given_anchors(&self, gathered: &mut Gathered, passphrase: Option<&Passphrase>) -> Vec<CertificateDer<'static>> {
        let role = Role { usage: Use::Authority, ..Role::default() };
        let mut anchors = Vec::new();
        for path in &self.ca_file {
            match bundle::read(path, passphrase) {
                Ok(bundle) if bundle.certificates.is_empty() => {
                    let (path, instead) = (path.clone(), Instead::default());
                    gathered.unreadable.push(MaterialError::NoCertificate { path, instead });
                }
                Ok(bundle) => {
                    anchors.extend(bundle.certificates.iter().cloned());
                    let read = gather_bundle(bundle, &role);
                    gathered.subjects.extend(read.subjects);
                    gathered.unreadable.extend(read.unreadable);
                }
                Err(error) => gathered.unreadable.push(error),
            }
        }
        anchors
    }

    fn linter(
        &self,
        gathered: &mut Gathered,
        mut anchors: Vec<CertificateDer<'static>>,
        levels: Levels,
    ) -> anyhow::Result<Linter> {
        if self.ca_file.is_empty() {
            anchors.append(&mut gathered.anchors);
            anchors.extend(trust::system().iter().cloned());
        }
        let mut revocation_lists: Vec<CertificateRevocationListDer<'static>> =
            std::mem::take(&mut gathered.revocation_lists);
        for path in &self.crl {
            match read_revocation_lists(path) {
                Ok(lists) => revocation_lists.extend(lists),
                Err(error) => gathered.unreadable.push(error),
            }
        }
        Ok(Linter {
            now: self.now()?,
            expiry_days: self.expiry_days,
            trust: Trust { given: !self.ca_file.is_empty(), anchors: Arc::from(anchors) },
            revocation_lists,
            weak_keys: WeakKeys::default(),
            levels,
        })
    }

    /// Returns the time of judgement, in seconds since 1970.
    fn now(&self) -> anyhow::Result<i64> {
        let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs() as i64);
        self.now.map_or_else(clock, Ok).context("the clock stands before 1970")
    }

    fn report(&self, gathered: &Gathered, findings: &Findings, linter: &Linter) -> anyhow::Result<ExitCode> {
        let report = Report {
            subjects: &gathered.subjects,
            findings,
            unreadable: &gathered.unreadable,
            hostnames: &self.hostname.iter().map(ToString::to_string).collect::<Vec<_>>(),
            names_checked: gathered.subjects.iter().all(|subject| !subject.is_shown_to_clients())
                || gathered.subjects.iter().any(|subject| !subject.role.front_ends.is_empty()),
            // A configuration says in its own notes which of its virtual servers have no name.
            names_help: (self.hostname.is_empty() && !(self.paths.is_empty() && self.connect.is_empty()))
                .then_some("give --hostname with the name that clients connect to"),
            fail_on: self.output.fail_on(),
            folder: &std::env::current_dir()?,
            now: linter.now,
        };
        self.output.print(&report, linter)?;
        let fails = |worst| self.output.fail_on().is_some_and(|least| worst >= least);
        Ok(match findings.worst() {
            _ if !gathered.unreadable.is_empty() => ExitCode::from(UNREADABLE),
            Some(worst) if fails(worst) => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    }
}
