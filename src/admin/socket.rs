use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

/// Where the admin socket is unless told otherwise: in the runtime directory of the service or the user.
pub fn default_path() -> PathBuf {
    let folder = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].iter().find_map(std::env::var_os);
    match folder {
        Some(folder) => PathBuf::from(folder).join("pronk.sock"),
        None if rustix::process::getuid().is_root() => PathBuf::from("/run/pronk.sock"),
        None => std::env::temp_dir().join(format!("pronk-{}.sock", rustix::process::getuid().as_raw())),
    }
}

/// A unix socket that is listened on; its file goes with it.
#[derive(Debug)]
pub struct AdminSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, to remove no other.
    file: Option<(u64, u64)>,
}

impl AdminSocket {
    /// Listens on a unix socket that only its owner can use (0600). One that a dead process left is replaced.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` when there is a file that is no socket, and `AddrInUse` when another pronk
    /// answers there.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let message = "there is a file that is no socket; it is left alone, so name another path";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another pronk answers there"));
            }
            Ok(_) => std::fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // Linux makes the file with the mode of the socket, so there is no instant at which others may use it.
        fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = std::fs::symlink_metadata(path).ok().map(|it| (it.dev(), it.ino()));
        socket.listen(BACKLOG)?;
        Ok(Self { listener: UnixListener::from_std(socket.into())?, path: path.to_owned(), file })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let there = std::fs::symlink_metadata(&self.path).ok().map(|it| (it.dev(), it.ino()));
        // Another process may have put its own in place.
        if there != self.file || there.is_none() {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, admin_socket = %self.path.display(), "cannot remove the admin socket");
        }
    }
}

const BACKLOG: i32 = 128;

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
            assert_eq!(AdminSocket::bind(&at(name)).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(std::fs::read_to_string(at("file")).unwrap(), "virtual-servers: {}");

        drop(std::os::unix::net::UnixListener::bind(at("socket")).unwrap());
        let socket = AdminSocket::bind(&at("socket")).unwrap();
        assert_eq!(std::fs::metadata(at("socket")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(AdminSocket::bind(&at("socket")).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert!(!at("socket").exists());
    }

    #[tokio::test]
    async fn what_another_process_put_in_place_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let first = AdminSocket::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _second = AdminSocket::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
