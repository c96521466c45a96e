//! Connecting to a running pronk by its admin socket.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tokio::net::UnixStream;

use crate::reading::os_reason;

/// Connects to the first of these sockets where a pronk answers.
pub(super) async fn connect(paths: Vec<PathBuf>) -> anyhow::Result<(PathBuf, UnixStream)> {
    let mut tried = Vec::new();
    for path in paths {
        match check_owner(&path) {
            Ok(()) => match UnixStream::connect(&path).await {
                Ok(socket) => return Ok((path, socket)),
                Err(error) => tried.push(Tried { why: os_reason(&error), denied: is_denied(&error), path }),
            },
            Err(why) => tried.push(Tried { why, denied: false, path }),
        }
    }
    Err(nobody_answers(&tried))
}

/// A place where no pronk answers.
struct Tried {
    path: PathBuf,
    why: String,
    /// It may be one, which this user may not use.
    denied: bool,
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Says where it was looked, and what each place answered.
fn nobody_answers(tried: &[Tried]) -> anyhow::Error {
    let places: Vec<_> = tried.iter().map(|it| format!("{}: {}", it.path.display(), it.why)).collect();
    let remedy = if tried.iter().any(|it| it.denied) {
        "run this as root, as the user that pronk runs as, or as a member of the socket's group (--admin-socket-mode 0660)"
    } else {
        "start it, or name its --admin-socket"
    };
    match places.as_slice() {
        [place] => anyhow!("no pronk answers at {place}; {remedy}"),
        _ => anyhow!("no pronk answers; {remedy}. Tried:\n  {}", places.join("\n  ")),
    }
}

/// Refuses a socket of another user's that is below a folder that all can write to, such as /tmp: anybody may have put it
/// there. Elsewhere only whom the folder belongs to can.
fn check_owner(path: &Path) -> Result<(), String> {
    let Ok(socket) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let (owner, own) = (socket.uid(), rustix::process::geteuid().as_raw());
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if owner != own && owner != ROOT && path.ancestors().skip(1).any(is_open_to_all) {
        return Err(format!(
            "it belongs to another user (uid {owner}), below a folder that all can write to, and is not spoken to"
        ));
    }
    Ok(())
}

/// Returns whether everybody can make files in a folder.
fn is_open_to_all(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o002 != 0)
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_told_where_no_pronk_answers() {
        let tried = |path: &str, why: &str, denied| Tried { path: path.into(), why: why.into(), denied };
        let own = tried("/run/user/7/pronk.sock", "no such file or directory", false);
        let one = nobody_answers(std::slice::from_ref(&own)).to_string();
        assert!(
            one.starts_with("no pronk answers at /run/user/7/pronk.sock: no such file") && one.contains("start it")
        );
        let both = nobody_answers(&[own, tried("/run/pronk/pronk.sock", "permission denied", true)]).to_string();
        assert!(both.contains("\n  /run/user/7/pronk.sock: no such") && both.contains("member of the socket's group"));
        assert!(both.contains("\n  /run/pronk/pronk.sock: permission denied"));
    }
}
