//! Writing to the store: entries are made, changed and removed as a whole, under a lock.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::replace::{replace, sync_store_of};
use super::{Change, StoreError, lock};
use crate::cert::MaterialError;
use crate::cert::entry::{KEY, NEXT_KEY, is_entry_name};

/// The store, locked for writing. Other writers wait; readers do not.
#[derive(Debug)]
pub struct Writer {
    store: PathBuf,
    lock: File,
}

impl Writer {
    /// Locks the store, which is made if it does not exist, and removes what a killed writer left behind.
    ///
    /// # Errors
    /// Another writer does not end, or the folder cannot be written to.
    pub fn open(store: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(store)
            .map_err(|source| StoreError::io("make the certificate store", store, source))?;
        let path = store.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(SECRET_MODE)
            .open(&path)
            .map_err(|source| StoreError::io("open", &path, source))?;
        let writer = Self { store: store.to_owned(), lock: lock::exclusive(file, &path)? };
        give(&writer.lock, writer.owner(store)).map_err(|source| StoreError::io("open", &path, source))?;
        writer.clean_up()?;
        Ok(writer)
    }

    /// Returns whether there is anything under this name.
    pub fn has(&self, name: &str) -> bool {
        self.store.join(name).symlink_metadata().is_ok()
    }

    /// Makes or changes an entry. Until this returns, and however it ends, the entry is as it was; afterwards it is on
    /// the disk.
    ///
    /// # Errors
    /// The name is none, or a file cannot be written; nothing has changed then.
    pub fn put(&self, name: &str, change: &Change) -> Result<(), StoreError> {
        if !is_entry_name(name) {
            return Err(MaterialError::StoreName { name: name.to_owned() }.into());
        }
        let entry = self.store.join(name);
        let fresh = self.hidden(name, UNFINISHED);
        let outcome = self
            .build(name, &entry, &fresh, change)
            .and_then(|()| replace(&fresh, &entry, &self.hidden(name, REPLACED)));
        // After success this is the old folder, or nothing.
        let removed = remove(&fresh);
        outcome.and(removed)
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        let gone = self.hidden(name, REMOVED);
        let entry = self.store.join(name);
        std::fs::rename(&entry, &gone).map_err(|source| StoreError::io("remove", &entry, source))?;
        sync_store_of(&entry)?;
        remove(&gone)
    }

    /// Fills the folder that is to be the entry.
    fn build(&self, name: &str, entry: &Path, fresh: &Path, change: &Change) -> Result<(), StoreError> {
        let failed = |source| StoreError::io("write", fresh, source);
        DirBuilder::new().mode(0o700).create(fresh).map_err(failed)?;
        if entry.exists() {
            for file in std::fs::read_dir(entry).map_err(|source| StoreError::io("read", entry, source))? {
                let file = file.map_err(|source| StoreError::io("read", entry, source))?;
                if file.path().is_dir() {
                    return Err(StoreError::ForeignFolder { name: name.to_owned(), folder: file.path() });
                }
                if change.keeps(&file.file_name().to_string_lossy()) {
                    carry_over(&file.path(), &fresh.join(file.file_name())).map_err(failed)?;
                }
            }
        }
        let owner = self.owner(entry);
        for (file, contents) in &change.set {
            let path = fresh.join(file);
            write(&path, contents, mode_of(file, entry), owner)
                .map_err(|source| StoreError::io("write", &path, source))?;
        }
        let folder_mode = std::fs::metadata(entry).map_or(FOLDER_MODE, |folder| folder.mode() & 0o7777);
        let folder = File::open(fresh).map_err(failed)?;
        folder.set_permissions(Permissions::from_mode(folder_mode)).map_err(failed)?;
        give(&folder, owner).map_err(failed)?;
        folder.sync_all().map_err(failed)
    }

    /// Removes leftovers. Every hidden folder is one, since only the writer that has the lock makes any.
    fn clean_up(&self) -> Result<(), StoreError> {
        let unreadable = |source| StoreError::io("read the certificate store", &self.store, source);
        for file in std::fs::read_dir(&self.store).map_err(unreadable)? {
            let file = file.map_err(unreadable)?;
            let Ok(hidden) = file.file_name().into_string() else { continue };
            let Some((name, kind)) = leftover(&hidden) else { continue };
            let entry = self.store.join(name);
            if kind == REPLACED && entry.symlink_metadata().is_err() {
                std::fs::rename(file.path(), &entry).map_err(|source| StoreError::io("bring back", &entry, source))?;
                sync_store_of(&entry)?;
            } else {
                remove(&file.path())?;
            }
        }
        Ok(())
    }

    fn hidden(&self, name: &str, kind: &str) -> PathBuf {
        self.store.join(format!(".{name}.{kind}-{:08x}", fastrand::u32(..)))
    }

    /// Returns the owner that files get: as those of the entry that is there, else as the store. Only root can give
    /// files away, and does, so that a pronk that runs as another user can read them.
    fn owner(&self, entry: &Path) -> Option<(u32, u32)> {
        let metadata = std::fs::metadata(entry.join(KEY)).or_else(|_| std::fs::metadata(&self.store)).ok()?;
        rustix::process::geteuid().is_root().then(|| (metadata.uid(), metadata.gid()))
    }
}

/// Returns the entry's name and the kind of a leftover, by its file name: `.lb.tmp-0badcafe`.
fn leftover(hidden: &str) -> Option<(&str, &str)> {
    let (name, rest) = hidden.strip_prefix('.')?.rsplit_once('.')?;
    let (kind, random) = rest.split_once('-')?;
    let is_random = random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_entry_name(name) && is_random && [UNFINISHED, REMOVED, REPLACED].contains(&kind)).then_some((name, kind))
}

/// Returns the permission bits for a file. A key keeps a group that may read it, and never others.
fn mode_of(file: &str, entry: &Path) -> u32 {
    let before = |name: &str| std::fs::metadata(entry.join(name)).ok().map(|metadata| metadata.mode() & 0o777);
    if [KEY, NEXT_KEY].contains(&file) {
        return before(KEY).map_or(SECRET_MODE, |mode| (mode & 0o640) | SECRET_MODE);
    }
    before(file).map_or(FILE_MODE, |mode| mode | SECRET_MODE)
}

fn write(path: &Path, contents: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET_MODE).open(path)?;
    file.write_all(contents)?;
    give(&file, owner)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

fn give(file: &File, owner: Option<(u32, u32)>) -> io::Result<()> {
    owner.map_or(Ok(()), |(user, group)| fchown(file, Some(user), Some(group)))
}

/// Gives a file that stays as it is another name; a copy where that is not allowed, as for files of other users.
fn carry_over(from: &Path, to: &Path) -> io::Result<()> {
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let contents = Zeroizing::new(std::fs::read(from)?);
    write(to, &contents, std::fs::metadata(from)?.mode() & 0o7777, None)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io("remove", path, source);
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path).map_err(failed),
        Ok(_) => std::fs::remove_file(path).map_err(failed),
        Err(_) => Ok(()),
    }
}

const LOCK: &str = ".lock";
const UNFINISHED: &str = "tmp";
const REMOVED: &str = "gone";
const REPLACED: &str = "old";
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;
const SECRET_MODE: u32 = 0o600;

#[cfg(test)]
mod tests {
    use super::*;

    fn put(writer: &Writer, name: &str, cert: &str) {
        writer.put(name, &Change::default().set("cert.pem", cert).set("key.pem", "key")).unwrap();
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn change_leaves_other_files_as_they_are() {
        let store = tempfile::tempdir().unwrap();
        let writer = Writer::open(store.path()).unwrap();
        put(&writer, "lb", "one");
        let entry = store.path().join("lb");
        std::fs::write(entry.join("notes"), "mine").unwrap();
        std::fs::set_permissions(entry.join("key.pem"), Permissions::from_mode(0o640)).unwrap();
        writer.put("lb", &Change::default().set("cert.pem", "two").set("csr.pem", "csr").drop("chain.pem")).unwrap();
        assert_eq!(files(&entry), ["cert.pem", "csr.pem", "key.pem", "notes"]);
        assert_eq!(std::fs::read(entry.join("cert.pem")).unwrap(), b"two");
        put(&writer, "lb", "three");
        let mode = |file: &str| std::fs::metadata(entry.join(file)).unwrap().mode() & 0o777;
        assert_eq!((mode("key.pem"), mode("cert.pem")), (0o640, 0o644));
        assert_eq!(files(store.path()), [".lock", "lb"]);
    }

    #[test]
    fn next_writer_removes_what_a_killed_one_left_and_brings_back_what_it_moved() {
        let store = tempfile::tempdir().unwrap();
        put(&Writer::open(store.path()).unwrap(), "lb", "one");
        for leftover in [".lb.tmp-0badcafe", ".other.gone-00000001", ".lb.old-00000002", ".moved.old-00000003"] {
            std::fs::create_dir(store.path().join(leftover)).unwrap();
            std::fs::write(store.path().join(leftover).join("key.pem"), "key").unwrap();
        }
        std::fs::create_dir(store.path().join(".git")).unwrap();
        drop(Writer::open(store.path()).unwrap());
        assert_eq!(files(store.path()), [".git", ".lock", "lb", "moved"]);
    }

    #[test]
    fn folder_inside_an_entry_is_not_lost() {
        let store = tempfile::tempdir().unwrap();
        let writer = Writer::open(store.path()).unwrap();
        put(&writer, "lb", "one");
        std::fs::create_dir(store.path().join("lb/old")).unwrap();
        let error = writer.put("lb", &Change::default().set("cert.pem", "two")).unwrap_err();
        assert!(error.to_string().contains("move it elsewhere"), "{error}");
        assert_eq!(std::fs::read(store.path().join("lb/cert.pem")).unwrap(), b"one");
        assert_eq!(files(store.path()), [".lock", "lb"]);
    }
}
