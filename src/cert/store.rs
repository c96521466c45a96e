//! The certificate store: a folder with one folder an entry.

use std::path::{Path, PathBuf};

use super::MaterialError;

/// The files of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub chain: Option<PathBuf>,
}

/// Finds the entry `name`: `<store>/name/` with `cert.pem`, `key.pem` and perhaps `chain.pem`.
pub fn entry(store: &Path, name: &str) -> Result<Entry, MaterialError> {
    if !is_entry_name(name) {
        return Err(MaterialError::StoreName { name: name.to_owned() });
    }
    let folder = store.join(name);
    if !folder.is_dir() {
        return Err(MaterialError::StoreUnknown {
            name: name.to_owned(),
            store: store.to_owned(),
            available: entries(store),
        });
    }
    let chain = folder.join("chain.pem");
    Ok(Entry { cert: folder.join("cert.pem"), key: folder.join("key.pem"), chain: chain.exists().then_some(chain) })
}

/// Where the files of the entry `name` stand or would stand.
pub fn paths(store: &Path, name: &str) -> [PathBuf; 3] {
    ["cert.pem", "key.pem", "chain.pem"].map(|file| store.join(name).join(file))
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

/// Whether `name` can name an entry: a single path component that is not hidden.
pub fn is_entry_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

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
