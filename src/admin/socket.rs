use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

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

/// Listens on a unix socket that only its owner can use (0600). One that a dead process left is replaced.
///
/// # Errors
/// What the system says, and `AddrInUse` when another pronk answers there.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another pronk answers there"));
        }
        std::fs::remove_file(path)?;
    }
    // Made unusable for others from its first instant; the mode is set again should the mask have taken more.
    let before = rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o177));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    bound
}
