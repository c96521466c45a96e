//! The admin socket: making it, and replacing one that a dead process left.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::socket_access::{OWNER_ALONE, SocketAccess};
use super::socket_path::{SYSTEM_FOLDER, draining_path};
use crate::reading::os_reason;
use rustix::fs::{FlockOperation, Mode, fchmod, flock};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, geteuid};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// A listening unix socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, so that no other is removed.
    file: Option<(u64, u64)>,
    /// Cancelled once the file is another process's.
    pub(super) left: CancellationToken,
}

impl AdminSocket {
    /// Listens on a unix socket. A socket that a dead process left is replaced.
    ///
    /// # Errors
    /// The system refuses it; `AlreadyExists` if there is a file that is not a socket, and `AddrInUse` if another pronk
    /// listens there.
    pub fn bind(path: &Path, access: SocketAccess) -> io::Result<Self> {
        make_folder(path)?;
        let _folder = lock_folder(path);
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let message = "there is a file that is not a socket; name another path";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            Ok(_) => remove_dead(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // Linux creates the file with the permissions of the socket, so that others can never use it.
        fchmod(&socket, Mode::from_raw_mode(OWNER_ALONE))?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = std::fs::symlink_metadata(path).ok().map(|it| (it.dev(), it.ino()));
        socket.listen(BACKLOG)?;
        // Its file goes with it, should its access not be granted.
        let made = Self {
            listener: UnixListener::from_std(socket.into())?,
            path: path.to_owned(),
            file,
            left: CancellationToken::new(),
        };
        if let Some(file) = file {
            access.apply(path, file)?;
        }
        Ok(made)
    }
}

impl AdminSocket {
    /// Goes on listening on the socket of the process that this one takes over from.
    ///
    /// # Errors
    /// The runtime refuses the descriptor.
    pub fn inherit(descriptor: OwnedFd, path: &Path) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixListener::from(descriptor);
        socket.set_nonblocking(true)?;
        let file = std::fs::symlink_metadata(path).ok().map(|it| (it.dev(), it.ino()));
        Ok(Self {
            listener: UnixListener::from_std(socket)?,
            path: path.to_owned(),
            file,
            left: CancellationToken::new(),
        })
    }

    /// Returns a descriptor of the socket for another process.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        self.listener.as_fd().try_clone_to_owned()
    }

    /// Removes the socket of a process that was killed. One that answers is left.
    pub fn remove_left(path: &Path) {
        let _folder = lock_folder(path);
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            // If it is in use, or cannot be removed, it stays.
            let _ = remove_dead(path);
        }
    }

    /// Returns the processes of this user that drain after an upgrade and answer beside this path. Sockets of those that
    /// were killed are removed.
    pub fn draining_beside(path: &Path) -> BTreeSet<u32> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
            return BTreeSet::new();
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _folder = lock_folder(path);
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_FILES);
        files
            .filter_map(|file| {
                let pid: u32 = file.file_name().to_str()?.strip_prefix(name)?.strip_prefix('.')?.parse().ok()?;
                let path = draining_path(path, pid);
                let found = std::fs::symlink_metadata(&path).ok()?;
                let is_own = found.file_type().is_socket() && found.uid() == geteuid().as_raw();
                (is_own && answers(&path, pid)).then_some(pid)
            })
            .collect()
    }

    /// Leaves the file to another process, which listens on the same socket. Connections that are open close with their next
    /// answer.
    pub fn leave(&self) {
        self.left.cancel();
    }
}

/// Makes the folder of the system's socket where it is missing. Other folders are their owners' business.
fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder == Path::new(SYSTEM_FOLDER) && !folder.exists() => {
            std::fs::DirBuilder::new().mode(0o755).create(folder)
        }
        _ => Ok(()),
    }
}

/// Locks the socket's folder, so that of two processes none removes the socket that the other has just created.
fn lock_folder(path: &Path) -> Option<File> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = File::open(folder).ok()?;
    let deadline = Instant::now() + LOCK_LIMIT;
    // Another pronk holds the lock for an instant. If another program keeps it, pronk goes on without it.
    while flock(&folder, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        if Instant::now() >= deadline {
            break;
        }
        pause();
    }
    Some(folder)
}

fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

/// Returns whether this process listens on a socket. One that nobody listens on is removed.
fn answers(path: &Path, pid: u32) -> bool {
    match connected(path) {
        Ok(socket) => socket_peercred(&socket).is_ok_and(|peer| Pid::as_raw(Some(peer.pid)) as u32 == pid),
        // It hangs: nobody takes connections from its queue.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
        Err(error) => {
            if error.kind() == io::ErrorKind::ConnectionRefused {
                // If it cannot be removed, it stays.
                let _ = std::fs::remove_file(path);
            }
            false
        }
    }
}

/// Connects to a socket. One whose backlog is full is alive, and connecting does not wait for it.
fn connected(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// Removes a socket that no process listens on.
fn remove_dead(path: &Path) -> io::Result<()> {
    match connected(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another pronk answers there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => {
            let message =
                format!("there is a socket that may be another program's ({}); name another path", os_reason(&error));
            Err(io::Error::new(io::ErrorKind::AddrInUse, message))
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let there = std::fs::symlink_metadata(&self.path).ok().map(|it| (it.dev(), it.ino()));
        // Another process may have replaced it by its own.
        if there != self.file || there.is_none() || self.left.is_cancelled() {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(error = %os_reason(&error), admin_socket = %self.path.display(), "cannot remove the admin socket");
        }
    }
}

const BACKLOG: i32 = 128;
/// Files of the folder that are looked at, so that a start from a very full one is not slow.
const MOST_FILES: usize = 10_000;
const LOCK_LIMIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn no_file_but_a_dead_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "virtual-servers: {}").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        for name in ["file", "folder", "link"] {
            assert_eq!(
                AdminSocket::bind(&at(name), SocketAccess::default()).unwrap_err().kind(),
                io::ErrorKind::AlreadyExists,
                "{name}"
            );
        }
        assert_eq!(std::fs::read_to_string(at("file")).unwrap(), "virtual-servers: {}");

        drop(std::os::unix::net::UnixListener::bind(at("socket.12")).unwrap());
        let own = std::process::id();
        let _draining = std::os::unix::net::UnixListener::bind(at(&format!("socket.{own}"))).unwrap();
        let _of_another = std::os::unix::net::UnixListener::bind(at("socket.1")).unwrap();
        let _another = std::os::unix::net::UnixListener::bind(at("socket.x")).unwrap();
        std::fs::write(at("socket.3"), "").unwrap();
        assert_eq!(AdminSocket::draining_beside(&at("socket")), BTreeSet::from([own]));
        assert!(!at("socket.12").exists() && at("socket.3").exists() && at("socket.1").exists());

        drop(std::os::unix::net::UnixListener::bind(at("socket")).unwrap());
        let socket = AdminSocket::bind(&at("socket"), SocketAccess::default()).unwrap();
        assert_eq!(std::fs::metadata(at("socket")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            AdminSocket::bind(&at("socket"), SocketAccess::default()).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        let _datagrams = std::os::unix::net::UnixDatagram::bind(at("datagrams")).unwrap();
        assert_eq!(
            AdminSocket::bind(&at("datagrams"), SocketAccess::default()).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        assert!(at("datagrams").exists(), "another program's socket");
        drop(socket);
        assert!(!at("socket").exists());
    }

    #[tokio::test]
    async fn of_many_that_start_at_once_one_has_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        for _ in 0..50 {
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let runtime = tokio::runtime::Handle::current();
            let starting: Vec<_> = (0..4)
                .map(|_| {
                    let (path, runtime) = (path.clone(), runtime.clone());
                    std::thread::spawn(move || {
                        let _runtime = runtime.enter();
                        AdminSocket::bind(&path, SocketAccess::default())
                    })
                })
                .collect();
            let bound: Vec<_> = starting.into_iter().filter_map(|one| one.join().unwrap().ok()).collect();
            assert_eq!(bound.len(), 1);
        }
    }

    #[tokio::test]
    async fn group_gets_access_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let group = rustix::process::getgid().as_raw();
        let socket = AdminSocket::bind(&path, SocketAccess { mode: 0o660, group: Some(group) }).unwrap();
        let made = std::fs::metadata(&path).unwrap();
        assert_eq!((made.permissions().mode() & 0o777, made.gid()), (0o660, group));
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_another_process_put_in_place_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let first = AdminSocket::bind(&path, SocketAccess::default()).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _second = AdminSocket::bind(&path, SocketAccess::default()).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
