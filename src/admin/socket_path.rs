//! Where the admin socket is: of the user's own pronk, and of the system's.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::process::getuid;

/// Returns where a pronk that this user starts has its admin socket, unless told otherwise: in the runtime directory of
/// the service or the user. Root's is the system's.
pub fn default_path() -> PathBuf {
    let user = getuid();
    own_path(env::var_os("RUNTIME_DIRECTORY"), env::var_os("XDG_RUNTIME_DIR"), user.as_raw())
}

/// Returns where commands look for the admin socket of a running pronk, in this order: that of the user's own, and the
/// system's, which the packaged unit makes.
pub fn default_paths() -> Vec<PathBuf> {
    let user = getuid().as_raw();
    let session = PathBuf::from(format!("/run/user/{user}"));
    let mut paths = vec![default_path()];
    if user != ROOT {
        // Of a pronk that was started in another kind of session, with the variable or without it.
        paths.extend([own_path(None, Some(session.into()), user), own_path(None, None, user)]);
    }
    paths.push(PathBuf::from(SYSTEM));
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

/// Returns where a process of this number answers while it drains after an upgrade, whose admin socket was `path`.
pub fn draining_path(path: &Path, pid: u32) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(format!(".{pid}"));
    PathBuf::from(path)
}

fn own_path(service: Option<OsString>, session: Option<OsString>, user: u32) -> PathBuf {
    match (service, session) {
        (Some(folder), _) => Path::new(&folder).join(NAME),
        _ if user == ROOT => PathBuf::from(SYSTEM),
        (None, Some(folder)) => Path::new(&folder).join(NAME),
        (None, None) => env::temp_dir().join(format!("pronk-{user}.sock")),
    }
}

/// As `RuntimeDirectory=pronk` of the packaged unit has it.
pub(super) const SYSTEM_FOLDER: &str = "/run/pronk";
const SYSTEM: &str = "/run/pronk/pronk.sock";
const NAME: &str = "pronk.sock";
const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_and_root_share_the_systems_place() {
        let own = |service: Option<&str>, session: Option<&str>, user| {
            own_path(service.map(Into::into), session.map(Into::into), user)
        };
        assert_eq!(own(Some("/run/pronk"), None, 990), Path::new(SYSTEM));
        assert_eq!(own(None, Some("/run/user/0"), ROOT), Path::new(SYSTEM));
        assert_eq!(own(None, Some("/run/user/7"), 7), Path::new("/run/user/7/pronk.sock"));
        assert_eq!(own(None, None, 7), env::temp_dir().join("pronk-7.sock"));
        let paths = default_paths();
        assert_eq!(paths.last().unwrap(), Path::new(SYSTEM));
        assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len());
    }
}
