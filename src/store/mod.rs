//! The certificate store: a folder with one folder an entry, which holds `cert.pem`, `key.pem` and perhaps `chain.pem`.
//!
//! An entry is only ever replaced as a whole ([`Writer`]), and read as a whole ([`consistent`](crate::cert::entry::consistent)), so that whoever reads
//! while it is replaced has the old files or the new ones and never a mix.

mod error;
mod import;
mod issue;
mod lock;
mod renew;
mod stored;
pub mod truststore;
mod verdict;
mod view;
mod writer;

use std::path::Path;

pub use error::StoreError;
pub use import::{Ask, Checked, Import, Source, check_import};
pub use issue::{Authority, Names, NamesError, authority, request, self_signed, sign};
pub use renew::{CLOCK_SKEW, Renewal, authority_passphrase, issuer, pem, renew};
pub use stored::Stored;
pub use verdict::{linter, subject};
pub use view::{CertificateSummary, EntryView, FileView};
pub use writer::{Change, Writer};

use crate::cert::entry::{CERT, CSR, is_entry_name};

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
