//! `pronk cert import`: a certificate, key and chain from files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{PassphraseArgs, StoreArgs, now};
use super::findings::{anchors, front_end, line};
use super::summary::print_summary;
use super::usage::Usage;
use crate::cert::bundle::KeyFile;
use crate::cert::entry::{CERT, CHAIN, CSR, KEY, NEXT_KEY};
use crate::cert::pem;
use crate::cli::screen::{errln, outln};
use crate::cli::values;
use crate::lint::{Findings, Severity, WeakKeys};
use crate::store::{self, Change, Checked, Import, Source, StoreError, Stored, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert import lb --cert lb.pem --key lb.key --chain intermediate.pem")]
pub(in crate::cli) struct Args {
    /// The name of the entry; one that waits for the certificate of its request is completed.
    #[arg(value_parser = values::entry)]
    name: String,
    /// The certificate, in PEM, DER, PKCS#7 or PKCS#12; the file may hold the chain and the key too.
    #[arg(long, value_name = "FILE", required_unless_present = "pkcs12", help_heading = "Files")]
    cert: Option<PathBuf>,
    /// The private key; by default the one that is in --cert, or the one of the request.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    key: Option<PathBuf>,
    /// Certificates between this one and the root, in whatever order.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    chain: Option<PathBuf>,
    /// All of it in one PKCS#12 archive.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cert", "key"], help_heading = "Files")]
    pkcs12: Option<PathBuf>,
    /// Store a key without encryption that is encrypted.
    #[arg(long, help_heading = "Files")]
    decrypt: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Replace a certificate that the entry has.
    #[arg(long)]
    replace: bool,
    /// Import it although it has errors or has expired.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let location = self.store.locate()?;
        let folder = location.folder;
        let usage = location.config.map(|(_, loaded)| Usage::of(&loaded, &folder)).unwrap_or_default();
        let ask = |path: &Path| self.passphrase.ask(path);
        let source =
            Source { cert: self.cert, key: self.key, chain: self.chain, pkcs12: self.pkcs12, decrypt: self.decrypt };
        let import = Import::read(&source, &ask)?;
        let before = Stored::read(&folder, &self.name, None).ok();
        let checked = store::check_import(import, before.as_ref(), &ask)?;

        let now = now()?;
        let entry = folder.join(&self.name);
        let findings = lint(&checked, &entry, front_end(usage.hosts(&self.name)), anchors(&folder), now);
        let untimely = checked.untimely(now);
        findings.findings.iter().filter(|it| it.severity >= Severity::Warning).for_each(|it| errln!("{}", line(it)));
        untimely.iter().for_each(|reason| errln!("error: {reason}"));
        let is_bad = findings.worst() == Some(Severity::Error) || !untimely.is_empty();
        if is_bad && !self.force {
            anyhow::bail!("nothing was imported; mend what is wrong, or give --force");
        }

        let writer = Writer::open(&folder)?;
        let completes = checked.key_was_stored && before.as_ref().is_some_and(|stored| stored.pending);
        if writer.has(&self.name) && !completes && !self.replace {
            return Err(StoreError::Exists { name: self.name }.into());
        }
        if completes && !still_waits(&folder, &self.name, before.as_ref()) {
            anyhow::bail!("the entry \"{}\" was changed meanwhile; try again", self.name);
        }
        writer.put(&self.name, &change(&checked))?;

        outln!("imported {}{}", entry.display(), if self.force && is_bad { ", errors and all" } else { "" })?;
        print_summary(&checked.leaf, now)?;
        for (at, above) in checked.chain.iter().enumerate() {
            outln!("  chain    {}: {}", at + 1, above.title().escape_debug())?;
        }
        for what in &checked.left_out {
            outln!("left out: {}", what.escape_debug())?;
        }
        if checked.encrypted {
            let line = self.passphrase.line();
            outln!("the key stays encrypted (--decrypt stores it without); the profile needs its passphrase:")?;
            outln!("  cert-key-chain: [{{ store: {}, {line} }}]", self.name)?;
        } else {
            outln!("in a client-ssl profile: cert-key-chain: [{{ store: {} }}]", self.name)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn lint(
    checked: &Checked,
    entry: &Path,
    role: crate::lint::Role,
    anchors: Vec<rustls_pki_types::CertificateDer<'static>>,
    now: i64,
) -> Findings {
    // The key as it will be stored.
    let key = KeyFile {
        path: entry.join(KEY),
        spki: Ok(checked.leaf.key.spki.clone()),
        encrypted: checked.encrypted,
        mode: 0o600,
    };
    let subject = store::subject(entry, &checked.leaf, &checked.chain, Some(key), role);
    store::linter(now, anchors, WeakKeys::installed()).lint(subject.as_slice())
}

fn change(checked: &Checked) -> Change {
    let change = Change::default()
        .set(CERT, pem::encode([&checked.leaf.der]))
        .set_secret(KEY, checked.key.clone())
        .drop(CSR)
        .drop(NEXT_KEY);
    if checked.chain.is_empty() {
        change.drop(CHAIN)
    } else {
        change.set(CHAIN, pem::encode(checked.chain.iter().map(|above| &above.der)))
    }
}

/// Returns whether the keys that the certificate was compared with are those that are in the store now that it is
/// locked.
fn still_waits(folder: &Path, name: &str, before: Option<&Stored>) -> bool {
    match (Stored::read(folder, name, None), before) {
        (Ok(now), Some(before)) => {
            now.key_contents() == before.key_contents() && now.next_key_contents() == before.next_key_contents()
        }
        _ => false,
    }
}
