//! An entry of the certificate store as it is read: a folder with `cert.pem`, `key.pem` and perhaps `chain.pem`, taken
//! as it was at one moment.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, statat};
use zeroize::Zeroizing;

use super::MaterialError;
use super::bundle::LARGEST;
use super::secret_file::read_open;

/// The contents of a file; wiped when dropped, as it may be a key.
pub type Contents = Zeroizing<Vec<u8>>;

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

/// Returns the paths of certificate, key and chain of the entry `name`, whether they exist or not.
pub fn paths(store: &Path, name: &str) -> [PathBuf; 3] {
    [CERT, KEY, CHAIN].map(|file| store.join(name).join(file))
}

/// Returns the names of all entries, sorted; none if the store cannot be read.
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

/// Returns whether `name` can name an entry: a single path component that is not hidden.
pub fn is_entry_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// The folder of an entry, open: its files are those of one moment even when the entry is replaced meanwhile.
pub struct EntryFolder {
    path: PathBuf,
    folder: File,
}

impl EntryFolder {
    fn open_entry(store: &Path, name: &str) -> Result<Self, MaterialError> {
        if !is_entry_name(name) {
            return Err(MaterialError::StoreName { name: name.to_owned() });
        }
        let path = store.join(name);
        match openat(CWD, &path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(folder) => Ok(Self { path, folder: File::from(folder) }),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Err(MaterialError::StoreUnknown {
                name: name.to_owned(),
                store: store.to_owned(),
                available: entries(store),
            }),
            Err(error) => Err(MaterialError::Unreadable { path, source: error.into() }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the parts of the entry are; to be opened with [`open`](Self::open).
    pub fn files(&self) -> Entry {
        let file = |name| self.path.join(name);
        Entry { cert: file(CERT), key: file(KEY), chain: self.has(CHAIN).then(|| file(CHAIN)) }
    }

    pub fn has(&self, name: &str) -> bool {
        statat(&self.folder, name, AtFlags::empty()).is_ok()
    }

    /// Opens a file of this folder, whatever is at its path by now.
    ///
    /// # Errors
    /// As of any file.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        let name = path.file_name().unwrap_or_default();
        Ok(File::from(openat(&self.folder, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// Returns a file's contents and permission bits; none if there is no such file.
    pub fn read(&self, name: &str) -> Result<Option<(Contents, u32)>, MaterialError> {
        let path = self.path.join(name);
        match self.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => read_open(&path, opened, LARGEST).map(|read| Some((read.contents, read.mode))),
        }
    }

    /// Returns whether the entry is still this folder.
    fn is_current(&self) -> bool {
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        match (std::fs::metadata(&self.path), self.folder.metadata()) {
            (Ok(there), Ok(here)) => identity(there) == identity(here),
            _ => false,
        }
    }
}

/// Reads an entry as it was at one moment.
///
/// A writer puts a whole folder in the place of another and then deletes the old one, file by file. Whoever has the old
/// folder open may find a file gone; then `intact` is to say no, and the entry is read anew.
///
/// # Errors
/// There is no such entry.
pub fn read_consistently<T>(
    store: &Path,
    name: &str,
    mut read: impl FnMut(&EntryFolder) -> T,
    intact: impl Fn(&T) -> bool,
) -> Result<T, MaterialError> {
    let mut attempt = 1;
    loop {
        let folder = EntryFolder::open_entry(store, name)?;
        let found = read(&folder);
        if intact(&found) || folder.is_current() || attempt == MOST_ATTEMPTS {
            return Ok(found);
        }
        attempt += 1;
    }
}

/// Each needs another replacement of the entry at just the wrong moment, so this many mean something else.
const MOST_ATTEMPTS: u32 = 100;

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
