//! `pronk cert create`: a key and a certificate.

use std::path::Path;
use std::process::ExitCode;

use super::args::{NameArgs, PassphraseArgs, StoreArgs, key_type, now};
use super::summary::print_summary;
use crate::cert::entry::{CERT, CHAIN, CSR, KEY, NEXT_KEY};
use crate::cert::{Certificate, KeyType, PrivateKey, date, pem};
use crate::cli::screen::outln;
use crate::cli::values;
use crate::store::{self, Authority, CLOCK_SKEW, Change, StoreError, Stored, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pronk cert create lb --dns lb.example.com --ca corporate-ca")]
pub(in crate::cli) struct Args {
    /// The name of the entry, such as the first label of the load balancer's name.
    #[arg(value_parser = values::entry)]
    name: String,
    #[command(flatten)]
    names: NameArgs,
    /// How long it is valid, in days.
    #[arg(
        long,
        default_value_t = DAYS,
        value_parser = values::days,
        help_heading = "Signature"
    )]
    days: u32,
    /// The kind of its key.
    #[arg(long, default_value = "ecdsa-p256", value_parser = key_type(), help_heading = "Key")]
    key: KeyType,
    /// The entry of the authority that signs it.
    #[arg(long, value_name = "ENTRY", value_parser = values::entry, conflicts_with_all = ["self_signed", "authority"], help_heading = "Signature")]
    ca: Option<String>,
    /// Sign it with its own key, which is the default.
    #[arg(long, conflicts_with = "authority", help_heading = "Signature")]
    self_signed: bool,
    /// Make an authority that can sign other entries.
    #[arg(long, requires = "common_name", conflicts_with_all = ["dns", "ip"], help_heading = "Signature")]
    authority: bool,
    /// Encrypt the key with a passphrase.
    #[arg(long, help_heading = "Key")]
    encrypt: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Replace an entry of this name.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Makes a self-signed certificate of one name in a store, as the command does.
pub(in crate::cli) fn create_self_signed(store: &Path, entry: &str, dns: &str) -> anyhow::Result<()> {
    let args = Args {
        name: entry.to_owned(),
        names: NameArgs::of_dns(dns),
        days: DAYS,
        key: KeyType::default(),
        ca: None,
        self_signed: true,
        authority: false,
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
        let names = if self.authority { self.names.of_authority()? } else { self.names.of_server()? };
        let passphrase =
            if self.encrypt { Some(self.passphrase.choose(&format!("the key of \"{}\"", self.name))?) } else { None };
        let authority = match &self.ca {
            Some(ca) => Some(open_authority(&folder, ca, &self.passphrase)?),
            None => None,
        };
        // Before the store is locked: a large key takes seconds.
        let key = PrivateKey::generate(self.key)?;
        let now = now()?;
        let validity = (now - CLOCK_SKEW, now + i64::from(self.days) * 86_400);
        let der = match &authority {
            Some(authority) => store::sign(&names, &key, validity, authority)?,
            None if self.authority => store::authority(&names, &key, validity)?,
            None => store::self_signed(&names, &key, validity)?,
        };
        let change = Change::default()
            .set(CERT, pem::encode([&der]))
            .set_secret(KEY, key.pem(passphrase.as_ref())?)
            .drop(CSR)
            .drop(NEXT_KEY);
        let change = match authority.as_ref().filter(|authority| !authority.chain.is_empty()) {
            Some(authority) => change.set(CHAIN, pem::encode(&authority.chain)),
            None => change.drop(CHAIN),
        };
        let writer = Writer::open(&folder)?;
        if writer.has(&self.name) && !self.replace {
            return Err(StoreError::Exists { name: self.name }.into());
        }
        writer.put(&self.name, &change)?;

        let leaf = Certificate::decode(der)?;
        let entry = folder.join(&self.name);
        let what = match &self.ca {
            Some(ca) => format!("a certificate signed by {ca}"),
            None if self.authority => "an authority".into(),
            None => "a self-signed certificate".into(),
        };
        outln!("made {}: {what}", entry.display())?;
        print_summary(&leaf, now)?;
        if let Some(authority) = authority.filter(|authority| authority.certificate.not_after < validity.1) {
            let day = date::day(authority.certificate.not_after);
            outln!("it ends with the authority's own certificate, on {day}, and not after {} days", self.days)?;
        }
        self.print_next(&entry)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Args {
    fn print_next(&self, entry: &Path) -> anyhow::Result<()> {
        let trusted = match &self.ca {
            Some(ca) => entry.with_file_name(ca),
            None => entry.to_owned(),
        };
        let cert = trusted.join(CERT);
        outln!("clients have to trust it: pronk cert trust add {} --to truststore.pem", cert.display())?;
        if self.authority {
            outln!("certificates are signed with: pronk cert create NAME --dns HOST --ca {}", self.name)
        } else {
            let passphrase = if self.encrypt { format!(", {}", self.passphrase.line()) } else { String::new() };
            outln!("in a client-ssl profile: cert-key-chain: [{{ store: {}{passphrase} }}]", self.name)
        }
    }
}

fn open_authority(folder: &Path, name: &str, passphrase: &PassphraseArgs) -> Result<Authority, StoreError> {
    let entry = Stored::read(folder, name, None)?;
    let passphrase = store::authority_passphrase(&entry, &|path: &Path| passphrase.ask(path))?;
    entry.authority(passphrase.as_ref())
}

/// How long a certificate is valid, unless it is said otherwise.
const DAYS: u32 = 365;
