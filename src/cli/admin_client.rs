//! Asks a running pronk by its admin socket.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::admin;
use crate::admin::answers::ErrorBody;
use crate::reading::os_reason;

/// Which running pronk is meant.
#[derive(Debug, clap::Args)]
pub(super) struct AdminSocket {
    /// The admin socket; by default that of the user's own pronk, or else the system's (/run/pronk/pronk.sock).
    #[arg(long, env = "PRONK_ADMIN_SOCKET", value_name = "PATH", help_heading = "Administration")]
    admin_socket: Option<PathBuf>,
}

impl AdminSocket {
    /// Returns where to look for the socket, in this order.
    fn paths(&self) -> Vec<PathBuf> {
        self.admin_socket.clone().map_or_else(admin::default_paths, |path| vec![path])
    }

    pub(super) fn get<T: DeserializeOwned>(&self, uri: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, uri)
    }

    pub(super) fn post<T: DeserializeOwned>(&self, uri: &str) -> anyhow::Result<T> {
        self.ask(Method::POST, uri)
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, uri: &str) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (path, socket) = self.connect().await?;
            let at = path.display();
            let lost = || format!("what answers at {at} ended the connection before its answer");
            let foreign = || format!("what answers at {at} is no pronk, or one of another version");
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(|_| anyhow!(lost()))?;
            tokio::spawn(connection);
            let request = Request::builder().method(method).uri(uri).header("host", "pronk");
            let answer = sender
                .send_request(request.body(Empty::<Bytes>::new())?)
                .await
                .map_err(|error| anyhow!(if error.is_parse() { foreign() } else { lost() }))?;
            let done = answer.status().is_success();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| {
                let is_long = error.is::<LengthLimitError>();
                anyhow!(if is_long { format!("the answer has more than {} MiB", LONGEST_ANSWER >> 20) } else { lost() })
            })?;
            let body = body.to_bytes();
            if !done {
                let refusal: ErrorBody = serde_json::from_slice(&body).map_err(|_| anyhow!(foreign()))?;
                anyhow::bail!("{}", refusal.error);
            }
            serde_json::from_slice(&body).map_err(|_| anyhow!(foreign()))
        })
    }
}

impl AdminSocket {
    /// Connects to the first place where a pronk answers.
    async fn connect(&self) -> anyhow::Result<(PathBuf, UnixStream)> {
        let mut tried = Vec::new();
        for path in self.paths() {
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
/// Bytes of an answer; that of a million persistence records has a quarter of it.
const LONGEST_ANSWER: usize = 1 << 30;

/// Percent-encodes a value of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, OUTSIDE_VALUES).to_string()
}

/// Returns the part of a query with the user's name, with `&` before it; `sudo` hides it otherwise.
pub(super) fn user() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    name.map(|name| format!("&by={}", encoded(&name))).unwrap_or_default()
}

/// All but what names of members and virtual servers are made of.
const OUTSIDE_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':');

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
