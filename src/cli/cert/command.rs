//! The commands below `pronk cert`.

use std::process::ExitCode;

use super::{check, create, csr, export, import, list, remove, renew, show, trust};

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Make a key and a certificate: self-signed, or signed by an authority in the store.
    Create(create::Args),
    /// Make a key and a request for others to sign.
    Csr(csr::Args),
    /// Take a certificate, its key and its chain from files.
    Import(import::Args),
    /// List the entries.
    List(list::Args),
    /// Show an entry.
    Show(show::Args),
    /// Tell what is wrong with entries. Exits with 1 for errors and 3 for what cannot be read.
    Check(check::Args),
    /// Write an entry out: certificate and chain, the key, or all as PKCS#12.
    Export(export::Args),
    /// Make a certificate with the same names, or a request where others have to sign.
    Renew(renew::Args),
    /// Remove an entry.
    Remove(remove::Args),
    /// Files of trusted certificates.
    #[command(subcommand)]
    Trust(trust::Command),
}

impl Command {
    pub(in crate::cli) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(args) => args.execute(),
            Self::Csr(args) => args.execute(),
            Self::Import(args) => args.execute(),
            Self::List(args) => args.execute(),
            Self::Show(args) => args.execute(),
            Self::Check(args) => args.execute(),
            Self::Export(args) => args.execute(),
            Self::Renew(args) => args.execute(),
            Self::Remove(args) => args.execute(),
            Self::Trust(command) => command.execute(),
        }
    }
}
