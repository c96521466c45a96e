//! `pronk cert trust`: files of trusted certificates.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::now;
use super::table::aligned;
use crate::cert::{Certificate, date};
use crate::cli::screen::{out, outln};
use crate::store::truststore::{Truststore, certificates_in};

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Append certificates to a file of trusted ones, such as Impala's ssl_client_ca_certificate.
    #[command(after_help = "Example:\n  pronk cert trust add corporate-ca.pem --to truststore.pem")]
    Add {
        /// Authorities' or self-signed certificates.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The file of trusted certificates; it is made if it does not exist.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Add certificates that have expired, or that are neither an authority's nor self-signed.
        #[arg(long)]
        force: bool,
    },
    /// List the certificates of a file.
    #[command(after_help = "Example:\n  pronk cert trust list truststore.pem")]
    List { file: PathBuf },
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add { files, to, force } => add(&files, &to, force),
            Self::List { file } => list(&file),
        }
    }
}

fn add(files: &[PathBuf], to: &Path, force: bool) -> anyhow::Result<ExitCode> {
    let now = now()?;
    let mut wanted = Vec::new();
    for file in files {
        for certificate in certificates_in(file)? {
            if let Some(reason) = objection(&certificate, now).filter(|_| !force) {
                let title = certificate.title();
                anyhow::bail!("{}: {} {reason}; nothing was added", file.display(), title.escape_debug());
            }
            wanted.push(certificate);
        }
    }
    let mut truststore = Truststore::open(to)?;
    let (mut added, mut had) = (Vec::new(), Vec::new());
    for certificate in wanted {
        let line = format!("{}, until {}", certificate.title().escape_debug(), date::day(certificate.not_after));
        if truststore.has(&certificate) {
            had.push(line);
        } else {
            truststore.add(certificate);
            added.push(line);
        }
    }
    if !added.is_empty() {
        truststore.save()?;
    }
    for line in &added {
        outln!("added to {}: {line}", to.display())?;
    }
    for line in &had {
        outln!("already in {}: {line}", to.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns why trusting a certificate would be no use.
fn objection(certificate: &Certificate, now: i64) -> Option<String> {
    if now > certificate.not_after {
        let day = date::day(certificate.not_after);
        return Some(format!("expired on {day}, so clients refuse what it signs; give a valid one, or --force"));
    }
    let is_useful = certificate.is_ca() || certificate.is_self_issued();
    (!is_useful).then(|| {
        let issuer = certificate.issuer.escape_debug().to_string();
        format!("is neither an authority's nor self-signed; add the certificate of {issuer} instead, or give --force")
    })
}

fn list(file: &Path) -> anyhow::Result<ExitCode> {
    let now = now()?;
    let mut rows = vec![["SUBJECT", "KIND", "EXPIRES", "SHA-256"].map(str::to_owned).to_vec()];
    for certificate in certificates_in(file)? {
        let kind = match (certificate.is_ca(), certificate.is_self_issued()) {
            (true, true) => "root",
            (true, false) => "intermediate",
            (false, true) => "self-signed",
            (false, false) => "server",
        };
        let expires = format!("{} ({} days)", date::day(certificate.not_after), certificate.days_left(now));
        let fingerprint = certificate.fingerprint().chars().take(16).collect();
        rows.push(vec![certificate.title(), kind.to_owned(), expires, fingerprint]);
    }
    out!("{}", aligned(&rows))?;
    Ok(ExitCode::SUCCESS)
}
