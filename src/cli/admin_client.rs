use std::path::PathBuf;

use anyhow::Context;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::admin::answers::ErrorBody;

/// Which running pronk is meant.
#[derive(Debug, clap::Args)]
pub(super) struct AdminSocket {
    /// The admin socket; by default in the runtime directory.
    #[arg(long, env = "PRONK_ADMIN_SOCKET", value_name = "PATH")]
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
            let socket = UnixStream::connect(&path)
                .await
                .with_context(|| format!("no pronk answers at {}; name its --admin-socket", path.display()))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
            tokio::spawn(connection);
            let request = Request::builder().method(method).uri(uri).header("host", "pronk");
            let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
            let done = answer.status().is_success();
            let body = answer.into_body().collect().await?.to_bytes();
            if !done {
                let refusal: ErrorBody = serde_json::from_slice(&body).context("pronk refused")?;
                anyhow::bail!("{}", refusal.error);
            }
            Ok(serde_json::from_slice(&body)?)
        })
    }
}

/// Percent-encoded (RFC 3986, section 2.1), but for what names are made of.
pub(super) fn encoded(text: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    text.bytes().map(|byte| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
