//! The entries of a store.

use std::path::Path;

use super::StoreError;
use crate::cert::entry::{CERT, CSR, is_entry_name};

/// Returns the names of all entries, those included that wait for their certificate; sorted.
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
