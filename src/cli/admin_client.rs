//! Asks a running pronk by its admin socket.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::admin::answers::ErrorBody;

/// Which running pronk is meant.
#[derive(Debug, clap::Args)]
pub(super) struct AdminSocket {
    /// The admin socket; by default in the runtime directory.
    #[arg(long, env = "PRONK_ADMIN_SOCKET", value_name = "PATH", help_heading = "Administration")]
    admin_socket: Option<PathBuf>,
}

impl AdminSocket {
    pub(super) fn path(&self) -> PathBuf {
        self.admin_socket.clone().unwrap_or_else(crate::admin::default_path)
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
            let path = self.path();
            check_owner(&path)?;
            let at = path.display();
            let socket = UnixStream::connect(&path)
                .await
                .with_context(|| format!("no pronk answers at {at}; name its --admin-socket"))?;
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

/// Refuses a socket of another user's: in a folder that all can write to, such as /tmp, anybody
/// may have put it there.
fn check_owner(path: &Path) -> anyhow::Result<()> {
    let Ok(socket) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let (owner, own) = (socket.uid(), rustix::process::geteuid());
    if owner != own.as_raw() && owner != ROOT && !own.is_root() {
        anyhow::bail!("{} belongs to another user (uid {owner}), and is not spoken to", path.display());
    }
    if own.is_root() && owner != ROOT && path.parent().is_some_and(is_open_to_all) {
        anyhow::bail!(
            "{} belongs to uid {owner}, in a folder that all can write to; it is not spoken to as root",
            path.display()
        );
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

/// All but what names of members and virtual servers are made of.
const OUTSIDE_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':');
