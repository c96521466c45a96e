//! Who may use the admin socket besides the user that pronk runs as: its mode and its group.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// Who may use the admin socket. Whoever may can do all that administrators can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketAccess {
    /// Permission bits.
    pub mode: u32,
    /// The group that the socket is given to; by default that of the process.
    pub group: Option<u32>,
}

impl Default for SocketAccess {
    /// For its owner alone.
    fn default() -> Self {
        Self { mode: OWNER_ALONE, group: None }
    }
}

impl SocketAccess {
    /// Gives a socket that was made for its owner alone its group and mode. `file` is its device and inode: nothing that
    /// was put in its place is touched.
    ///
    /// # Errors
    /// The system refuses it, such as a group that this user is not in.
    pub(super) fn apply(&self, path: &Path, file: (u64, u64)) -> io::Result<()> {
        if *self == Self::default() {
            return Ok(());
        }
        let opened = open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        // A path of the open file, as Linux has no call that changes the mode of one opened so.
        let opened_path = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let found = std::fs::metadata(&opened_path)?;
        if (found.dev(), found.ino()) != file {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "another file was put in its place"));
        }
        if let Some(group) = self.group {
            // Before the mode, so that no other group ever has access.
            chown(&opened_path, None, Some(group))?;
        }
        std::fs::set_permissions(&opened_path, PermissionsExt::from_mode(self.mode))
    }
}

/// Reading and writing for the owner.
pub(super) const OWNER_ALONE: u32 = 0o600;
