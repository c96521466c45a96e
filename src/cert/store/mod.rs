//! The certificate store: a folder with one folder an entry, which holds `cert.pem`, `key.pem` and perhaps `chain.pem`.
//!
//! An entry is only ever replaced as a whole ([`Writer`]), and read as a whole ([`consistent`]), so that whoever reads
//! while it is replaced has the old files or the new ones and never a mix.

mod error;
mod folder;
mod import;
mod issue;
mod lock;
mod renew;
mod stored;
mod verdict;
mod view;
mod writer;

use std::path::{Path, PathBuf};

use super::MaterialError;

pub use error::StoreError;
pub use folder::{EntryFolder, consistent};
pub use import::{Ask, Checked, Import, Source, check_import};
pub use issue::{Authority, Names, NamesError, authority, request, self_signed, sign};
pub(super) use lock::exclusive;
pub use renew::{CLOCK_SKEW, Renewal, authority_passphrase, issuer, pem, renew};
pub use stored::Stored;
pub use verdict::{linter, subject};
pub use view::{CertificateSummary, EntryView, FileView};
pub use writer::{Change, Contents, Writer};

/// The files of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub chain: Option<PathBuf>,
}

/// Finds the entry `name`: `<store>/name/` with `cert.pem`, `key.pem` and perhaps `chain.pem`.
pub fn entry(store: &Path, name: &str) -> Result<Entry, MaterialError> {
    EntryFolder::open_entry(store, name).map(|folder| folder.files())
}

/// Where the certificate, the key and the chain of the entry `name` stand or would stand.
pub fn paths(store: &Path, name: &str) -> [PathBuf; 3] {
    [CERT, KEY, CHAIN].map(|file| store.join(name).join(file))
}

/// The names of all entries, sorted; none if the store cannot be read.
pub fn entries(store: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(store)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("cert.pem").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_entry_name(name))
        .collect();
    names.sort();
    names
}

/// The names of all entries, those included that wait for their certificate; sorted.
///
/// # Errors
/// There is no such folder, or it cannot be read.
pub fn names(store: &Path) -> Result<Vec<String>, StoreError> {
    let unreadable = |source| StoreError::io("read the certificate store", store, source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(store).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_entry = [CERT, CSR].iter().any(|file| entry.path().join(file).exists());
        if let Some(name) = entry.file_name().into_string().ok().filter(|name| is_entry && is_entry_name(name)) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether `name` can name an entry: a single path component that is not hidden.
pub fn is_entry_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// The certificate itself.
pub const CERT: &str = "cert.pem";
/// Its private key.
pub const KEY: &str = "key.pem";
/// The certificates between it and the root, nearest first.
pub const CHAIN: &str = "chain.pem";
/// A request whose certificate has not come yet.
pub const CSR: &str = "csr.pem";
/// The request's key, where the entry has a certificate with another key meanwhile.
pub const NEXT_KEY: &str = "next-key.pem";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_store() {
        for name in ["", ".", "..", "../x", "a/b", "/etc", "a/", ".hidden", "a\0b", "a\\b"] {
            assert!(!is_entry_name(name), "{name:?}");
            assert!(matches!(entry(Path::new("/"), name), Err(MaterialError::StoreName { .. })));
        }
        assert!(is_entry_name("f5-impala.example_1"));
    }

    #[test]
    fn unknown_entry_lists_those_that_exist() {
        let store = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            std::fs::create_dir(store.path().join(name)).unwrap();
            std::fs::write(store.path().join(name).join("cert.pem"), "").unwrap();
        }
        let error = entry(store.path(), "c").unwrap_err();
        assert_eq!(error.help().unwrap(), "it has a, b");
    }
}
