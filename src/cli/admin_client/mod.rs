//! Asks a running pronk: by its admin socket, or over the network.

mod network;
mod socket;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use self::network::Network;
use crate::admin::answers::ErrorBody;
use crate::admin::{self, NoAnswer};

/// Which running pronk is meant: one of this host by its admin socket, or another by the address of its admin API.
#[derive(Debug, clap::Args)]
pub(super) struct AdminAddress {
    /// The admin socket; by default that of the user's own pronk, or else the system's (/run/pronk/pronk.sock).
    #[arg(long, env = "PRONK_ADMIN_SOCKET", value_name = "PATH", help_heading = "Administration")]
    admin_socket: Option<PathBuf>,
    /// The admin API of a pronk elsewhere, such as https://lb1.example.com:9443.
    #[arg(long, env = "PRONK_ADMIN_URL", value_name = "URL", help_heading = "Administration")]
    admin_url: Option<String>,
    /// The file of the token for that admin API.
    #[arg(long, env = "PRONK_ADMIN_TOKEN_FILE", value_name = "PATH", help_heading = "Administration")]
    admin_token_file: Option<PathBuf>,
    /// The authorities that may have signed the certificate of that admin API, in PEM; by default the system's.
    #[arg(long, env = "PRONK_ADMIN_CA_FILE", value_name = "PATH", help_heading = "Administration")]
    admin_ca_file: Option<PathBuf>,
}

/// Why something is changed.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Why {
    /// Why, for the audit log and for those who see the change.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

impl AdminAddress {
    /// Returns which one is meant by these values of options, each asked for by its option and its variable.
    pub(super) fn given(value: impl Fn(&str, &str) -> Option<OsString>) -> Self {
        Self {
            admin_socket: value("--admin-socket", "PRONK_ADMIN_SOCKET").map(PathBuf::from),
            admin_url: value("--admin-url", "PRONK_ADMIN_URL").and_then(|url| url.into_string().ok()),
            admin_token_file: value("--admin-token-file", "PRONK_ADMIN_TOKEN_FILE").map(PathBuf::from),
            admin_ca_file: value("--admin-ca-file", "PRONK_ADMIN_CA_FILE").map(PathBuf::from),
        }
    }

    /// Returns whether the pronk that is meant may be on another host.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.admin_url.is_some()
    }

    /// Returns where a process of this host answers that drains after an upgrade, or where it would if none does.
    pub(super) fn draining_socket(&self, pid: u32) -> PathBuf {
        let paths = self.admin_socket.clone().map_or_else(admin::default_paths, |path| vec![path]);
        let mut paths: Vec<_> = paths.iter().map(|path| admin::draining_path(path, pid)).collect();
        let answers = paths.iter().position(|path| path.exists()).unwrap_or_default();
        paths.swap_remove(answers)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, uri: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, uri)
    }

    /// Asks for a change, which is recorded as the user's.
    pub(super) fn post<T: DeserializeOwned>(&self, uri: &str, why: &Why) -> anyhow::Result<T> {
        let separator = if uri.contains('?') { '&' } else { '?' };
        let reason = why.reason.as_ref().map(|reason| format!("&reason={}", encoded(reason))).unwrap_or_default();
        self.ask(Method::POST, &format!("{uri}{separator}by={}{reason}", encoded(&user())))
    }

    /// Asks for something that is of use only at once.
    ///
    /// # Errors
    /// There is no good answer within `limit`.
    pub(super) fn get_within<T: DeserializeOwned>(&self, uri: &str, limit: Duration) -> anyhow::Result<T> {
        runtime()?.block_on(async { timeout(limit, self.exchange(Method::GET, uri)).await? })
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, uri: &str) -> anyhow::Result<T> {
        runtime()?.block_on(self.exchange(method, uri))
    }

    async fn exchange<T: DeserializeOwned>(&self, method: Method, uri: &str) -> anyhow::Result<T> {
        let request = Request::builder().method(method).uri(uri);
        let Some(url) = &self.admin_url else {
            let paths = self.admin_socket.clone().map_or_else(admin::default_paths, |path| vec![path]);
            let (path, stream) = socket::connect(paths).await?;
            let request = request.header(HOST, "pronk").body(Empty::new())?;
            return exchange(stream, request, &path.display().to_string()).await;
        };
        if self.admin_socket.is_some() {
            anyhow::bail!(
                "both an admin socket and the URL of an admin API are given (also by PRONK_ADMIN_SOCKET and \
                 PRONK_ADMIN_URL): leave one out"
            );
        }
        let api = Network::new(url, self.admin_token_file.as_deref(), self.admin_ca_file.as_deref())?;
        let request = request.header(HOST, api.host_header()).header(AUTHORIZATION, api.authorization()?);
        exchange(api.connect().await?, request.body(Empty::new())?, url).await
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Sends a request, and returns what `at` answers.
async fn exchange<T: DeserializeOwned>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    at: &str,
) -> anyhow::Result<T> {
    let foreign = || anyhow!("what answers at {at} is no pronk, or one of another version");
    let (code, body) = admin::exchange(stream, request, LONGEST_ANSWER).await.map_err(|none| match none {
        NoAnswer::Lost => anyhow!("what answers at {at} ended the connection before its answer"),
        NoAnswer::Foreign => foreign(),
        NoAnswer::TooLong => anyhow!("the answer has more than {} MiB", LONGEST_ANSWER >> 20),
    })?;
    if !code.is_success() {
        let refusal: ErrorBody = serde_json::from_slice(&body).map_err(|_| foreign())?;
        anyhow::bail!("{}", refusal.error);
    }
    serde_json::from_slice(&body).map_err(|_| foreign())
}

/// Returns the user's name, which `sudo` hides otherwise; empty if it is not known.
fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}

/// Percent-encodes a value of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, OUTSIDE_VALUES).to_string()
}

/// All but what names of members and virtual servers are made of.
const OUTSIDE_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':');
/// Bytes of an answer; that of a million persistence records has a quarter of it.
const LONGEST_ANSWER: usize = 1 << 30;
