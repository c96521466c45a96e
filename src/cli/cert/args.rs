//! Options that several of the commands have.

use std::io::IsTerminal;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use zeroize::Zeroizing;

use crate::cert::{KeyType, Passphrase};
use crate::cli::screen;
use crate::cli::values;
use crate::config::{self, Loaded};
use crate::model::profile;
use crate::store::{Names, StoreError};

/// Which store is meant.
#[derive(Debug, clap::Args)]
pub(super) struct StoreArgs {
    /// The folder of the store; by default that of --config, else ./certs.
    #[arg(long, env = "PRONK_STORE", value_name = "DIR", help_heading = "Certificate store")]
    store: Option<PathBuf>,
    /// A configuration file: its store is meant, and its profiles tell what uses an entry.
    #[arg(long, value_name = "FILE", help_heading = "Certificate store")]
    config: Option<PathBuf>,
}

/// The folder of the store where nothing names one.
pub(super) const DEFAULT_STORE: &str = "certs";

/// A store, and the configuration file that was named with it.
pub(super) struct Location {
    pub(super) folder: PathBuf,
    pub(super) config: Option<(PathBuf, Loaded)>,
}

impl StoreArgs {
    pub(super) fn locate(&self) -> anyhow::Result<Location> {
        let config = match &self.config {
            Some(path) => Some((path.clone(), load(path)?)),
            None => None,
        };
        let of_config = || config.as_ref().map(|(_, loaded)| loaded.model.certificate_store.clone());
        let folder = self.store.clone().or_else(of_config).unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
        Ok(Location { folder, config })
    }
}

pub(super) fn load(path: &Path) -> anyhow::Result<Loaded> {
    config::load(path).map_err(|wrong| {
        screen::diagnostics(&wrong);
        anyhow::anyhow!("{} has mistakes; mend them, or name the store with --store", path.display())
    })
}

/// Whom a certificate is for.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct NameArgs {
    /// A DNS name that clients connect to, or a wildcard such as *.example.com; may be given again.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = values::dns_name, help_heading = "Names")]
    dns: Vec<String>,
    /// An IP address that clients connect to; may be given again.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = values::address, help_heading = "Names")]
    ip: Vec<IpAddr>,
    /// The common name; by default the first of the other names. A host name is among the alternative names too.
    #[arg(long, value_name = "NAME", help_heading = "Names")]
    common_name: Option<String>,
}

impl StoreArgs {
    /// Those of a folder.
    pub(super) fn at(folder: &Path) -> Self {
        Self { store: Some(folder.to_owned()), config: None }
    }
}

impl NameArgs {
    /// Those of one DNS name.
    pub(super) fn of_dns(name: &str) -> Self {
        Self { dns: vec![name.to_owned()], ip: Vec::new(), common_name: None }
    }

    pub(super) fn of_server(&self) -> Result<Names, StoreError> {
        Ok(Names::of_server(self.common_name.as_deref(), &self.dns, &self.ip)?)
    }

    /// Returns the names of an authority, which has a common name and no others.
    pub(super) fn of_authority(&self) -> anyhow::Result<Names> {
        match &self.common_name {
            Some(name) if self.dns.is_empty() && self.ip.is_empty() => Ok(Names::of_authority(name)?),
            _ => anyhow::bail!("no client connects to an authority: give it a --common-name and no --dns or --ip"),
        }
    }
}

/// Where a passphrase is.
#[derive(Debug, Default, clap::Args)]
#[group(multiple = false)]
pub(super) struct PassphraseArgs {
    /// The passphrase is the first line of this file.
    #[arg(long, value_name = "FILE", help_heading = "Passphrase")]
    passphrase_file: Option<PathBuf>,
    /// The passphrase is in this environment variable.
    #[arg(long, value_name = "VARIABLE", help_heading = "Passphrase")]
    passphrase_env: Option<String>,
}

impl PassphraseArgs {
    /// Returns the passphrase that was named, if one was.
    pub(super) fn given(&self) -> Result<Option<Passphrase>, StoreError> {
        Ok(self.source().map(|source| Passphrase::read(&source)).transpose()?)
    }

    /// Returns the passphrase of a file that is encrypted; typed in where none was named.
    pub(super) fn ask(&self, path: &Path) -> Result<Passphrase, StoreError> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => typed(&format!("passphrase of {}", path.display())),
        }
    }

    /// Returns a passphrase to encrypt with; typed in twice where none was named.
    pub(super) fn choose(&self, what: &str) -> Result<Passphrase, StoreError> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let first = prompt(&format!("passphrase for {what}"))?;
        if first != prompt("the same again")? {
            return Err(StoreError::Refused("the passphrases differ; nothing was written, try again".into()));
        }
        Ok(Passphrase::new(first))
    }

    /// Returns the line for the configuration file that tells pronk where the passphrase is.
    pub(super) fn line(&self) -> String {
        match self.source() {
            Some(profile::Passphrase::File(path)) => format!("passphrase-file: {}", path.display()),
            Some(profile::Passphrase::Environment(variable)) => format!("passphrase-env: {variable}"),
            None => "passphrase-file: FILE".into(),
        }
    }

    fn source(&self) -> Option<profile::Passphrase> {
        let file = self.passphrase_file.clone().map(profile::Passphrase::File);
        file.or_else(|| self.passphrase_env.clone().map(profile::Passphrase::Environment))
    }
}

fn typed(what: &str) -> Result<Passphrase, StoreError> {
    prompt(what).map(Passphrase::new)
}

fn prompt(what: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    if !std::io::stdin().is_terminal() {
        return Err(StoreError::Refused(format!(
            "the {what} is needed; give --passphrase-file FILE or --passphrase-env VARIABLE, or run this on a terminal"
        )));
    }
    let text = rpassword::prompt_password(format!("{what}: ")).map_err(|error| {
        StoreError::Refused(format!("cannot read the {what}: {error}; give --passphrase-file FILE"))
    })?;
    if text.is_empty() {
        Err(StoreError::Refused(format!("the {what} is empty; nothing was done")))
    } else {
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

/// Returns how `--key` reads the kind of a key.
pub(super) fn key_type() -> impl TypedValueParser<Value = KeyType> {
    // The parser lets only these through.
    PossibleValuesParser::new(KeyType::ALL.map(KeyType::as_str)).try_map(|text| {
        KeyType::from_str(&text).map_err(|()| StoreError::Refused("there is no such kind of key".into()))
    })
}

/// Returns the seconds since 1970.
pub(super) fn now() -> anyhow::Result<i64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() as i64)
}
