//! `pronk cert csr`: a key and a request.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{NameArgs, PassphraseArgs, StoreArgs, key_type};
use super::request_output::write_request;
use crate::cert::entry::{CERT, CSR, KEY, NEXT_KEY};
use crate::cert::{KeyType, PrivateKey};
use crate::cli::values;
use crate::store::{self, Change, StoreError, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert csr lb --dns lb.example.com --out lb.csr")]
pub(in crate::cli) struct Args {
    /// The name of the entry. One that has a certificate keeps it until the one that is asked for is imported.
    #[arg(value_parser = values::entry)]
    name: String,
    #[command(flatten)]
    names: NameArgs,
    /// The kind of its key.
    #[arg(long, default_value = "ecdsa-p256", value_parser = key_type(), help_heading = "Key")]
    key: KeyType,
    /// Write the request to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Encrypt the key with a passphrase.
    #[arg(long, help_heading = "Key")]
    encrypt: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Ask anew, with another key: the certificate of the request before this one cannot be used then.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Makes a key and a request of one name in a store, as the command does.
pub(in crate::cli) fn request(store: &Path, entry: &str, dns: &str, out: &Path) -> anyhow::Result<()> {
    let args = Args {
        name: entry.to_owned(),
        names: NameArgs::of_dns(dns),
        key: KeyType::default(),
        out: Some(out.to_owned()),
        encrypt: false,
        passphrase: PassphraseArgs::default(),
        replace: false,
        store: StoreArgs::at(store),
    };
    args.execute().map(|_| ())
}

impl Args {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        let folder = self.store.locate()?.folder;
        let names = self.names.of_server()?;
        let passphrase =
            if self.encrypt { Some(self.passphrase.choose(&format!("the key of \"{}\"", self.name))?) } else { None };
        let key = PrivateKey::generate(self.key)?;
        let csr = store::request(&names, &key)?;
        let key = key.pem(passphrase.as_ref())?;

        let writer = Writer::open(&folder)?;
        let entry = folder.join(&self.name);
        if entry.join(CSR).exists() && !self.replace {
            return Err(StoreError::Pending { name: self.name }.into());
        }
        let serves = entry.join(CERT).exists();
        let change = Change::default().set(CSR, csr.as_bytes());
        writer.put(&self.name, &change.set_secret(if serves { NEXT_KEY } else { KEY }, key))?;

        write_request(&csr, self.out.as_deref(), &self.name, &folder)?;
        Ok(ExitCode::SUCCESS)
    }
}
