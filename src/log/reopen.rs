//! Reopening the log file, on SIGUSR1 and when logrotate has moved or removed it.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The path of the log file, and which file was opened there.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    next_check: Instant,
    /// The error for which it could not be reopened, while that lasts.
    failed: Option<Option<i32>>,
}

/// What became of the log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reopening {
    NotNeeded,
    /// It was requested, and the file is where it was.
    Same,
    /// Another file was opened.
    Another,
}

impl LogFile {
    /// Opens the log file, and creates it if it does not exist.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: PathBuf) -> io::Result<(File, Self)> {
        let (file, identity) = open(&path)?;
        let next_check = Instant::now() + CHECK_EVERY;
        Ok((file, Self { path, identity, next_check, failed: None }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file that is at the path in place of `file`, if another one is there, or none. A request has it looked at
    /// at once.
    ///
    /// # Errors
    /// It cannot be opened. Each cause is returned once.
    pub(super) fn reopen_if_moved(&mut self, file: &mut File, requested: bool, now: Instant) -> io::Result<Reopening> {
        if !requested && now < self.next_check {
            return Ok(Reopening::NotNeeded);
        }
        self.next_check = now + CHECK_EVERY;
        let is_same = std::fs::metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity);
        if is_same {
            self.failed = None;
            return Ok(if requested { Reopening::Same } else { Reopening::NotNeeded });
        }
        match open(&self.path) {
            Ok((another, identity)) => {
                (*file, self.identity, self.failed) = (another, identity, None);
                Ok(Reopening::Another)
            }
            Err(error) => {
                let known = self.failed.replace(error.raw_os_error());
                if known == Some(error.raw_os_error()) { Ok(Reopening::NotNeeded) } else { Err(error) }
            }
        }
    }
}

fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let mut options = OpenOptions::new();
    // A named pipe that nobody reads is an error, not a wait.
    options.append(true).create(true).mode(0o640).custom_flags(libc::O_NONBLOCK);
    let file = options.open(path)?;
    let identity = identity(&file.metadata()?);
    Ok((file, identity))
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The file is compared with its path at most this often.
pub(super) const CHECK_EVERY: Duration = Duration::from_secs(1);
