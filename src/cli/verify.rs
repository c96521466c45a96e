//! `pronk verify`: whether a configuration works in the world around it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use rustls_pki_types::CertificateDer;

use super::admin_client::{AdminAddress, Why, encoded};
use super::exit_code::{UNREADABLE, USAGE};
use super::screen::{self, errln, out, outln};
use crate::admin::answers::Reloaded;
use crate::admin::explain::Explained;
use crate::admin::network_map::Map;
use crate::cert::{Passphrase, bundle};
use crate::config;
use crate::control::{self, Preview, lint_levels};
use crate::model::profile;
use crate::verify::{self, Check, Explanation, Login, Outcome, Progress, Report, RunningPronk, Scope, Step};

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all well, 1 something is wrong, 2 usage, 3 the file cannot be used.\n\n\
                        Example:\n  pronk verify /etc/pronk/pronk.yaml --ca-file corporate-ca.pem")]
pub(super) struct Args {
    /// The configuration file.
    file: PathBuf,
    /// Verify this virtual server alone; may be given again.
    #[arg(long, value_name = "NAME")]
    virtual_server: Vec<String>,
    /// Authorities that clients trust; without it the system's. May be given again.
    #[arg(long, value_name = "FILE", help_heading = "What clients have")]
    ca_file: Vec<PathBuf>,
    /// Log in as this user with a password, as with LDAP.
    #[arg(long, value_name = "USER", requires = "password_file", help_heading = "What clients have")]
    user: Option<String>,
    /// A file whose first line is the password of --user.
    #[arg(long, value_name = "FILE", requires = "user", help_heading = "What clients have")]
    password_file: Option<PathBuf>,
    /// The keytab of the impalads: whether it has the front end's principal, with the key that the KDC uses.
    #[arg(long, value_name = "FILE", help_heading = "Kerberos")]
    keytab: Option<PathBuf>,
    /// Exit with 1 for warnings too.
    #[arg(long, help_heading = "Output")]
    strict: bool,
    /// Show every check, also those with nothing to say.
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,
    /// As JSON.
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    admin: AdminAddress,
    /// Judge as if it were so many seconds since 1970.
    #[arg(long, hide = true)]
    now: Option<i64>,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let scope = match self.scope() {
            Ok(scope) => scope,
            Err(Unusable::Told) => return Ok(ExitCode::from(UNREADABLE)),
            Err(Unusable::NoSuchServer(name)) => {
                errln!("error: there is no virtual server `{name}` in {}", config::file_name(&self.file));
                return Ok(ExitCode::from(USAGE));
            }
            Err(Unusable::Other(reason)) => {
                errln!("error: {reason}");
                return Ok(ExitCode::from(UNREADABLE));
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut written = Ok(());
        // It is drawn on a terminal only.
        let spinner = ProgressBar::new_spinner();
        let report = runtime.block_on(verify::run(&scope, |progress| match progress {
            Progress::Begins(step) => {
                spinner.set_message(step.title());
                spinner.tick();
            }
            Progress::Done(step, checks) if !self.json && written.is_ok() => {
                written = spinner.suspend(|| out!("{}", self.told(step, checks)));
            }
            Progress::Done(..) => {}
        }));
        spinner.finish_and_clear();
        // A name that does not resolve may be looked up for long after we have given up.
        runtime.shutdown_background();
        written?;
        if self.json {
            let file = config::file_name(&self.file);
            outln!("{}", serde_json::to_string_pretty(&report.view(&file))?)?;
        } else {
            outln!("{}", summary(&report))?;
        }
        let fails = if self.strict { Outcome::Warning } else { Outcome::Failed };
        Ok(if report.outcome() >= fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn scope(&self) -> Result<Scope, Unusable> {
        let read = config::load_with(&self.file, |loaded| {
            control::check(loaded)?;
            Ok((Preview::of(loaded)?, lint_levels(loaded)?))
        });
        let (loaded, (preview, levels)) = read.map_err(|wrong| {
            screen::diagnostics(&wrong);
            Unusable::Told
        })?;
        let all = &loaded.model.virtual_servers;
        let named = |name: &String| all.get(name.as_str()).cloned().ok_or_else(|| Unusable::NoSuchServer(name.clone()));
        let mut virtual_servers = self.virtual_server.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        if virtual_servers.is_empty() {
            virtual_servers = all.values().cloned().collect();
        }
        let mut authorities = Vec::new();
        for path in &self.ca_file {
            authorities.extend(read_authorities(path)?);
        }
        let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs() as i64);
        let now = self.now.map_or_else(clock, Ok).context("the clock stands before 1970")?;
        let names: Vec<_> = virtual_servers.iter().map(|it| it.name.as_str()).collect();
        let running = self.running(&names);
        let (login, keytab) = (self.login()?, self.keytab.clone());
        Ok(Scope { loaded, preview, levels, virtual_servers, authorities, login, keytab, running, now })
    }

    fn login(&self) -> anyhow::Result<Option<Login>> {
        let (Some(user), Some(path)) = (&self.user, &self.password_file) else { return Ok(None) };
        let password =
            Passphrase::read(&profile::Passphrase::File(path.clone())).map_err(|error| anyhow!("{error}"))?;
        Ok(Some(Login { user: user.clone(), password }))
    }

    /// Asks the running pronk what it serves.
    ///
    /// # Errors
    /// None answers, with the reason in words.
    fn running(&self, names: &[&str]) -> Result<RunningPronk, String> {
        let map: Map = self.admin.get("/v1/map").map_err(|reason| format!("{reason:#}").replace("\n  ", " "))?;
        let explain = |name: &&str| {
            let uri = format!("/v1/explain?virtual_server={}&client=127.0.0.1", encoded(name));
            let explained: Explained = self.admin.get(&uri).ok()?;
            let says = explained.steps.last()?.clone();
            Some(((*name).to_owned(), Explanation { says, refused: explained.refused }))
        };
        let changes = |reloaded: Reloaded| reloaded.changes;
        Ok(RunningPronk {
            pid: map.process.pid,
            destinations: map.virtual_servers.into_iter().map(|it| it.destination).collect(),
            explanations: names.iter().filter_map(explain).collect(),
            // A file that cannot be taken is told by the command that reads it.
            not_taken: self.admin.post("/v1/reload?dry_run=true", &Why::default()).map_or_else(|_| Vec::new(), changes),
        })
    }

    /// Returns the lines about a step: how it went, and each check that has something to say.
    fn told(&self, step: Step, checks: &[Check]) -> String {
        let worst = checks.iter().map(|check| check.outcome).max();
        let shown = checks.iter().filter(|check| self.verbose || check.outcome != Outcome::Ok);
        let count = checks.len();
        let counted = if count == 1 { "1 check".to_owned() } else { format!("{count} checks") };
        let mut text = match worst {
            None => format!("{:<8}{}: nothing to verify\n", word(None), step.title()),
            Some(worst) => format!("{:<8}{}: {counted}\n", word(Some(worst)), step.title()),
        };
        for check in shown {
            text += &format!("  {:<8}{}: {}\n", word(Some(check.outcome)), check.about, check.message);
            if let Some(remedy) = &check.remedy {
                text += &format!("          do: {remedy}\n");
            }
        }
        text
    }
}

/// Why nothing can be verified.
enum Unusable {
    /// It is told already.
    Told,
    NoSuchServer(String),
    Other(String),
}

impl From<anyhow::Error> for Unusable {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(format!("{error:#}"))
    }
}

fn read_authorities(path: &std::path::Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates = bundle::read_certificates(path).map_err(|error| anyhow!("{error}"))?;
    anyhow::ensure!(!certificates.is_empty(), "{} has no certificate", path.display());
    Ok(certificates)
}

fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "-",
        Some(Outcome::Ok) => "ok",
        Some(Outcome::Skipped) => "skipped",
        Some(Outcome::Warning) => "warning",
        Some(Outcome::Failed) => "FAILED",
    }
}

fn summary(report: &Report) -> String {
    let counted =
        [Outcome::Ok, Outcome::Skipped, Outcome::Warning, Outcome::Failed].map(|outcome| report.count(outcome));
    let [ok, skipped, warnings, failed] = counted;
    match report.outcome() {
        Outcome::Ok | Outcome::Skipped => format!("\nAll is well: {ok} checks ok, {skipped} skipped."),
        Outcome::Warning | Outcome::Failed => {
            format!("\n{failed} failed, {warnings} warnings, {ok} ok, {skipped} skipped.")
        }
    }
}
