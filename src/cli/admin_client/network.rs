//! Connecting to a running pronk by its admin API over the network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use hyper::Uri;
use hyper::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::cert::read_secret;
use crate::config;
use crate::model::profile::{ServerSsl, TrustAnchors};
use crate::model::{Address, Member, Name, Node};
use crate::reading::os_reason;
use crate::tls::{LiveServerSsl, MemberTls, TlsFault};

/// The admin API of a pronk, and the token for it.
pub(super) struct Network {
    url: String,
    authority: String,
    host: String,
    port: u16,
    /// `None` is plaintext, to this host.
    tls: Option<Arc<MemberTls>>,
    token: Zeroizing<String>,
}

/// A connection with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

impl Network {
    /// Takes the URL of an admin API, and reads the token and the authorities.
    pub(super) fn new(url: &str, token_file: Option<&Path>, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let wrong = || anyhow!("`{url}` is no URL of an admin API, such as https://lb1.example.com:9443");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wrong)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (port, tls) = match scheme {
            "https" => (443, Some(tls(&host, ca_file)?)),
            "http" if is_this_host(&host) => (80, None),
            "http" => bail!("a token is sent in plaintext to this host only; write https://{authority}"),
            _ => return Err(wrong()),
        };
        let Some(token_file) = token_file else {
            bail!("the admin API needs a token: name its file with --admin-token-file, or PRONK_ADMIN_TOKEN_FILE");
        };
        let contents = read_secret(token_file, LONGEST_TOKEN).map_err(|error| match error.help() {
            Some(help) => anyhow!("{error}; {help}"),
            None => anyhow!("{error}"),
        })?;
        let token = std::str::from_utf8(&contents).ok().and_then(|text| text.lines().next()).unwrap_or_default().trim();
        if token.is_empty() {
            bail!("the first line of {} is no token", token_file.display());
        }
        let port = authority.port_u16().unwrap_or(port);
        let (url, authority) = (url.to_owned(), authority.to_string());
        Ok(Self { url, authority, host, port, tls, token: Zeroizing::new(token.to_owned()) })
    }

    /// Returns what the header `Host` says.
    pub(super) fn host_header(&self) -> &str {
        &self.authority
    }

    /// Returns what the header `Authorization` says.
    pub(super) fn authorization(&self) -> anyhow::Result<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", *self.token));
        let mut value = HeaderValue::from_str(&text).map_err(|_| anyhow!("the token has letters that no token has"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Connects, and checks the certificate.
    pub(super) async fn connect(&self) -> anyhow::Result<Pin<Box<dyn Stream>>> {
        let url = &self.url;
        let late = || anyhow!("no pronk answers at {url} within {} s", LIMIT.as_secs());
        let connecting = timeout(LIMIT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = connecting.map_err(|_| late())?.map_err(|error| {
            anyhow!(
                "no pronk answers at {url}: {}; is `listen` of `admin` in its configuration that address?",
                os_reason(&error)
            )
        })?;
        let Some(tls) = &self.tls else { return Ok(Box::pin(stream)) };
        let handshake = tls.connector().connect(tls.server_name.clone(), stream);
        match timeout(LIMIT, handshake).await.map_err(|_| late())? {
            Ok(stream) => Ok(Box::pin(stream)),
            Err(error) => Err(untrusted(url, &TlsFault::of_handshake(&error))),
        }
    }
}

/// Says why a pronk is not spoken to, and what to do.
fn untrusted(url: &str, fault: &TlsFault) -> anyhow::Error {
    let remedy = match fault {
        TlsFault::CertificateUntrusted => "; name the authority that signed it with --admin-ca-file",
        TlsFault::CertificateName(_) => "; write a name of the certificate into the URL",
        TlsFault::NotTls => "; write http:// if it listens on this host without TLS",
        TlsFault::AlertReceived { code: CERTIFICATE_REQUIRED, .. } => {
            "; its profile has `peer-cert-mode: require`, and this command shows no certificate"
        }
        _ => "",
    };
    anyhow!("what answers at {url} {}{remedy}", fault.describe())
}

/// Returns TLS that verifies the certificate of a host.
fn tls(host: &str, ca_file: Option<&Path>) -> anyhow::Result<Arc<MemberTls>> {
    let built_in = config::parse("built in", "virtual-servers: {}\n", Path::new("/"));
    let built_in = built_in.ok().and_then(|built_in| built_in.model.profiles.server_ssl.get("serverssl").cloned());
    let built_in = built_in.context("internal error: there is no built-in profile serverssl")?;
    let ca_file = ca_file.map_or(TrustAnchors::System, |path| TrustAnchors::File(absolute(path)));
    let profile = ServerSsl { ca_file, cache_size: 0, ..ServerSsl::clone(&built_in) };
    let live = LiveServerSsl::build(&profile, Path::new("/"), None).map_err(|errors| {
        let told: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        anyhow!("cannot use --admin-ca-file: {}", told.join("; "))
    })?;
    let address = host.parse().map_or_else(|_| Address::Fqdn(host.to_owned()), Address::Ip);
    Ok(live.for_member(&Member::new(Arc::new(Node::new(Name::from("admin-api"), address)), 0)))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn is_this_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The alert of TLS 1.3 for a client without a certificate.
const CERTIFICATE_REQUIRED: u8 = 116;
/// Bytes of a token's file.
const LONGEST_TOKEN: u64 = 64 << 10;
/// For connecting and for the handshake.
const LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    fn token_file(folder: &Path, mode: u32) -> PathBuf {
        let path = folder.join(format!("token-{mode:o}"));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
        drop(file);
        std::fs::write(&path, "pronk_abc\nmore\n").unwrap();
        path
    }

    #[test]
    fn url_token_and_authorities_are_told_apart_from_what_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let token = token_file(folder.path(), 0o600);
        let new = |url: &str, token: Option<&Path>| Network::new(url, token, None);
        let api = new("https://lb1.example.com:9443/", Some(&token)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((api.host_header(), api.port, api.host.as_str()), ("lb1.example.com:9443", 9443, "lb1.example.com"));
        assert_eq!(api.authorization().unwrap(), "Bearer pronk_abc");
        let local = new("http://[::1]:9443", Some(&token)).unwrap_or_else(|error| panic!("{error}"));
        assert!(local.tls.is_none() && local.host == "::1");
        let told = |url: &str, token: Option<&Path>| new(url, token).err().unwrap().to_string();
        assert!(told("http://lb1.example.com:9443", Some(&token)).contains("write https://lb1.example.com:9443"));
        for url in ["lb1.example.com", "ftp://lb1", "https://lb1/v1", "https://u:p@lb1", "https://lb1?x"] {
            assert!(told(url, Some(&token)).contains("no URL of an admin API"), "{url}");
        }
        assert!(told("https://lb1", None).contains("--admin-token-file"));
        assert!(told("https://lb1", Some(&token_file(folder.path(), 0o644))).contains("chmod 600"));
    }
}
