//! The lock of a writer: another waits, and not for ever.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// Locks an open file or folder for this process alone, and waits for another to let go of it; the lock ends with the
/// file, so with the process at the latest.
///
/// # Errors
/// It takes longer than [`PATIENCE`], or cannot be locked at all.
pub(crate) fn exclusive(file: File, path: &Path) -> Result<File, StoreError> {
    let failed = |error: rustix::io::Errno| StoreError::io("lock", path, error.into());
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        Err(error) => return Err(failed(error)),
    }
    // The kernel wakes the one who waits; a thread does, so that waiting can end without the lock.
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let locked = flock(&file, FlockOperation::LockExclusive).map(|()| file);
        // Nobody listens after PATIENCE: the file is dropped, and with it the lock.
        let _ = sender.send(locked);
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(locked) => locked.map_err(failed),
        Err(_) => Err(StoreError::Busy { path: path.to_owned(), seconds: PATIENCE.as_secs() }),
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
