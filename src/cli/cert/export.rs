//! `pronk cert export`: an entry as PEM or PKCS#12.

use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use zeroize::Zeroizing;

use super::args::{PassphraseArgs, StoreArgs};
use crate::cert::entry::KEY;
use crate::cert::{Instead, MaterialError, pem, pkcs12};
use crate::cli::screen::outln;
use crate::cli::values;
use crate::store::{StoreError, Stored};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert export lb --pkcs12 --out lb.p12")]
pub(in crate::cli) struct Args {
    /// The name of the entry.
    #[arg(value_parser = values::entry)]
    name: String,
    #[command(flatten)]
    what: What,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE", help_heading = "Where to")]
    out: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long, help_heading = "Where to")]
    replace: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// By default the certificate and its chain, without the key.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct What {
    /// The certificate alone.
    #[arg(long, help_heading = "What is written")]
    cert_only: bool,
    /// The chain alone.
    #[arg(long, help_heading = "What is written")]
    chain: bool,
    /// The private key alone, encrypted if it is in the store.
    #[arg(long, help_heading = "What is written")]
    key: bool,
    /// All as PKCS#12; the passphrase opens an encrypted key and protects the archive.
    #[arg(long, help_heading = "What is written")]
    pkcs12: bool,
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let folder = self.store.locate()?.folder;
        let stored = Stored::read(&folder, &self.name, None).map_err(StoreError::from)?;
        if self.what.pkcs12 && self.out.is_none() && std::io::stdout().is_terminal() {
            anyhow::bail!("a PKCS#12 archive is not for a terminal; give --out FILE");
        }
        let contents = self.contents(&stored)?;
        match &self.out {
            Some(path) => {
                let is_secret = self.what.key || self.what.pkcs12;
                write(path, &contents, is_secret, self.replace)?;
                outln!("wrote {}{}", path.display(), if is_secret { ", which only you can read" } else { "" })?;
            }
            None => std::io::stdout().write_all(&contents)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn contents(&self, stored: &Stored) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let no_key =
            || StoreError::from(MaterialError::NoKey { path: stored.folder.join(KEY), instead: Instead::default() });
        if self.what.key {
            return Ok(Zeroizing::new(stored.key_contents().ok_or_else(no_key)?.to_vec()));
        }
        let leaf = stored.leaf.as_ref().with_context(|| {
            format!("the entry \"{}\" has no certificate; import the one of its request first", stored.name)
        })?;
        let chain = stored.chain.iter().map(|above| &above.der);
        if self.what.pkcs12 {
            let passphrase = if stored.key.as_ref().is_some_and(|key| key.encrypted) {
                self.passphrase.ask(&stored.folder.join(KEY))?
            } else {
                self.passphrase.choose("the archive")?
            };
            let key = stored.private_key(Some(&passphrase))?.pkcs8()?;
            let all: Vec<_> = std::iter::once(&leaf.der).chain(chain).cloned().collect();
            return Ok(pkcs12::write(&stored.name, &key, &all, &passphrase)?);
        }
        let pem = match (self.what.cert_only, self.what.chain) {
            (true, _) => pem::encode([&leaf.der]),
            (_, true) if stored.chain.is_empty() => {
                anyhow::bail!("the entry \"{}\" has no chain: clients need none beside the root", stored.name)
            }
            (_, true) => pem::encode(chain),
            _ => pem::encode(std::iter::once(&leaf.der).chain(chain)),
        };
        Ok(Zeroizing::new(pem.into_bytes()))
    }
}

/// Writes the file. A secret is never in a file that others can read, not even one that was there before.
fn write(path: &Path, contents: &[u8], is_secret: bool, replace: bool) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if path.symlink_metadata().is_ok() && !replace {
        anyhow::bail!("{} exists already; give --replace, or another name", path.display());
    }
    let name = path.file_name().with_context(failed)?.to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
    let mode = if is_secret { 0o600 } else { 0o644 };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh).with_context(failed)?;
    let outcome = file.write_all(contents).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&fresh, path));
    if outcome.is_err() {
        // What matters is the reason for which it is not wanted any more.
        let _ = std::fs::remove_file(&fresh);
    }
    outcome.with_context(failed)
}
