//! Replacing an entry atomically: its folder and the finished one change places.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::StoreError;

/// Puts the finished folder `fresh` in the place of `entry`, atomically where the file system can; afterwards `fresh`
/// is the old entry, or nothing. `hidden` is a name for where it cannot.
pub(super) fn replace(fresh: &Path, entry: &Path, hidden: &Path) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::io("put in place", entry, source);
    if entry.symlink_metadata().is_err() {
        std::fs::rename(fresh, entry).map_err(failed)?;
        return sync_store_of(entry);
    }
    match renameat_with(CWD, fresh, CWD, entry, RenameFlags::EXCHANGE) {
        Ok(()) => {}
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            swap_by_moving(fresh, entry, hidden).map_err(failed)?;
        }
        Err(error) => return Err(failed(error.into())),
    }
    sync_store_of(entry)
}

/// Replaces where the file system cannot exchange, such as NFS. For a moment there is no entry. A writer that is killed
/// in this moment leaves the old folder under its hidden name, and the next writer moves it back.
fn swap_by_moving(fresh: &Path, entry: &Path, hidden: &Path) -> io::Result<()> {
    std::fs::rename(entry, hidden)?;
    if let Err(error) = std::fs::rename(fresh, entry) {
        std::fs::rename(hidden, entry)?;
        return Err(error);
    }
    std::fs::rename(hidden, fresh)
}

/// Writes to the disk which entries the store has.
pub(super) fn sync_store_of(entry: &Path) -> Result<(), StoreError> {
    let store = entry.parent().unwrap_or(entry);
    File::open(store).and_then(|open| open.sync_all()).map_err(|source| StoreError::io("save", store, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_exchange_folders_change_places_by_moving() {
        let store = tempfile::tempdir().unwrap();
        let (entry, fresh) = (store.path().join("lb"), store.path().join("fresh"));
        for folder in [&entry, &fresh] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("was"), folder.to_str().unwrap()).unwrap();
        }
        let old = store.path().join(".lb.old-00000001");
        swap_by_moving(&fresh, &entry, &old).unwrap();
        assert_eq!(std::fs::read_to_string(entry.join("was")).unwrap(), fresh.to_str().unwrap());
        assert_eq!(std::fs::read_to_string(fresh.join("was")).unwrap(), entry.to_str().unwrap());
        assert!(swap_by_moving(&store.path().join("absent"), &entry, &old).is_err());
        assert!(!old.exists() && fresh.exists() && entry.exists());
    }
}
