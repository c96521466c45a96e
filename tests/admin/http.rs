//! A client that sends what it is told, byte by byte, and takes one answer.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::support::lb::PATIENCE;

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    /// In lower case, with their values.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// Reads an answer to its end.
    pub fn read(stream: &mut impl Read) -> Option<Self> {
        let mut bytes = Vec::new();
        // What comes after a reset was there before it.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let code = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<_> = lines.filter_map(header).collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked { joined(body) } else { body.to_owned() };
        Some(Self { code, headers, body })
    }
}

fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        body += &rest[..length];
        chunks = rest[length..].trim_start_matches("\r\n");
    }
    body
}

/// Connects to a port of loopback from this address of it.
pub fn connect_from(source: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The bytes of a request, after which the connection ends.
pub fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {uri} HTTP/1.1\r\nhost: pronk\r\nconnection: close\r\n{headers}\r\n")
}

/// Sends a request over a stream that is open.
pub fn exchange(stream: &mut (impl Read + Write), request: &str) -> Option<Answer> {
    stream.write_all(request.as_bytes()).ok()?;
    Answer::read(stream)
}

/// By which way a request goes.
#[derive(Clone)]
pub enum Way {
    Socket(std::path::PathBuf),
    Plain(u16),
    Tls(u16, Arc<ClientConfig>),
}

impl Way {
    pub fn socket(folder: &Path) -> Self {
        Self::Socket(folder.join("admin.sock"))
    }

    /// Sends a request with a token, from an address of loopback.
    pub fn ask_from(&self, source: IpAddr, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let request = request(method, uri, headers);
        let answer = match self {
            Self::Socket(path) => exchange(&mut UnixStream::connect(path).unwrap(), &request),
            Self::Plain(port) => exchange(&mut connect_from(source, *port).unwrap(), &request),
            Self::Tls(port, config) => {
                let name = "127.0.0.1".try_into().unwrap();
                let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
                exchange(&mut StreamOwned::new(tls, connect_from(source, *port).unwrap()), &request)
            }
        };
        answer.unwrap_or_else(|| panic!("{method} {uri}: no answer"))
    }

    pub fn ask(&self, method: &str, uri: &str, token: Option<&str>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.ask_from(IpAddr::from([127, 0, 0, 1]), method, uri, &headers)
    }

    pub fn get(&self, uri: &str, token: &str) -> Answer {
        self.ask("GET", uri, Some(token))
    }

    pub fn post(&self, uri: &str, token: &str) -> Answer {
        self.ask("POST", uri, Some(token))
    }
}
