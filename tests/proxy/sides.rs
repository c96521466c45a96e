//! Both sides of connections through pronk, with or without TLS on each, held by one test.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::lb::{Pronk, free_port};
use crate::support::ca::Authority;
use crate::support::tls::{showing, trusting};
use crate::tls_peers::{FRONT, NODE};

/// Which sides have TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    pub client: bool,
    pub member: bool,
}

impl Layers {
    pub const ALL: [Self; 4] = [
        Self { client: false, member: false },
        Self { client: true, member: false },
        Self { client: true, member: true },
        Self { client: false, member: true },
    ];
}

/// A running pronk with one virtual server, its only member, and what clients and member need for TLS.
pub struct Sides {
    pub pronk: Pronk,
    listener: TcpListener,
    pub address: SocketAddr,
    connector: Option<TlsConnector>,
    acceptor: Option<TlsAcceptor>,
}

impl Sides {
    /// Starts pronk. `protocol` is more of the protocol profile, and `more` more of the pool.
    pub async fn start(layers: Layers, protocol: &str, more: &str) -> Self {
        let command = std::process::Command::new(env!("CARGO_BIN_EXE_pronk"));
        Self::start_with(layers, protocol, more, |write| Pronk::start_by(command, write)).await
    }

    /// As [`start`](Self::start), where `run` starts pronk.
    pub async fn start_with(
        layers: Layers,
        protocol: &str,
        more: &str,
        run: impl FnOnce(Box<dyn FnOnce(&std::path::Path) -> String>) -> Pronk,
    ) -> Self {
        let ca = Authority::new("ca");
        let node = ca.issue(NODE).dns(NODE).build();
        let front = ca.issue(FRONT).dns(FRONT).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (member, port) = (listener.local_addr().unwrap(), free_port());
        let connector = layers.client.then(|| TlsConnector::from(trusting(&ca)));
        let acceptor = layers.member.then(|| TlsAcceptor::from(showing(&node)));
        let (client_ssl, server_ssl) = (
            if layers.client { ", client-ssl: front" } else { "" },
            if layers.member { ", server-ssl: back" } else { "" },
        );
        let text = format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
pools: {{ p: {{ members: ['a:{}']{more} }} }}
profiles:
  t: {{ type: tcp, defaults-from: tcp{protocol} }}
  front: {{ type: client-ssl, defaults-from: clientssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: ca.pem }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{port}', pool: p, protocol: t{client_ssl}{server_ssl} }}
",
            member.port()
        );
        let pronk = run(Box::new(move |folder| {
            front.write(folder, "lb");
            ca.write(folder, "ca.pem");
            text
        }));
        Self { pronk, listener, address: SocketAddr::from(([127, 0, 0, 1], port)), connector, acceptor }
    }

    /// Connects a client, which sends nothing yet.
    pub async fn client(&self) -> Peer {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        match &self.connector {
            None => Peer::Plain(tcp),
            Some(connector) => {
                let name = ServerName::try_from(FRONT).unwrap();
                Peer::Tls(Box::new(connector.connect(name, tcp).await.unwrap().into()))
            }
        }
    }

    /// Takes the next connection to the member.
    pub async fn member(&self) -> Peer {
        let (tcp, _) = self.listener.accept().await.unwrap();
        match &self.acceptor {
            None => Peer::Plain(tcp),
            Some(acceptor) => Peer::Tls(Box::new(acceptor.accept(tcp).await.unwrap().into())),
        }
    }

    /// Connects both sides, and passes a request and its answer.
    pub async fn connect(&self) -> (Peer, Peer) {
        let mut client = self.client().await;
        client.write(b"?").await.unwrap();
        let mut member = self.member().await;
        member.read_exact(1).await;
        member.write(b"!").await.unwrap();
        client.read_exact(1).await;
        (client, member)
    }

    /// Returns how many records of connections were logged.
    pub fn records(&self) -> usize {
        self.pronk.log().iter().filter(|line| line["close.code"].is_string()).count()
    }

    /// Waits until `count` records of connections were logged, and returns the code of the last.
    pub fn code_after(&self, count: usize) -> String {
        crate::lb::until("the record of the connection", || self.records() >= count);
        let log = self.pronk.log();
        log.iter().filter_map(|line| line["close.code"].as_str()).nth(count - 1).unwrap().to_owned()
    }

    /// Returns how many connections the member has, as pronk counts them.
    pub fn at_member(&self) -> u64 {
        let stats = self.pronk.stats();
        stats["pools"][0]["members"][0]["connections"]["current"].as_u64().unwrap_or_else(|| panic!("{stats:#}"))
    }
}

/// One side of a connection.
pub enum Peer {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Peer {
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_mut().0,
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).await,
            Self::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
        }
    }

    pub async fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(room).await,
            Self::Tls(tls) => tls.read(room).await,
        }
    }

    pub async fn read_exact(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let mut had = 0;
        while had < count {
            let more = self.read(&mut bytes[had..]).await.unwrap();
            assert!(more > 0, "it ended after {had} bytes of {count}");
            had += more;
        }
        bytes
    }

    /// Ends the sending direction in order: close_notify where there is TLS, and FIN.
    pub async fn finish(&mut self) {
        match self {
            Self::Plain(tcp) => tcp.shutdown().await.unwrap(),
            Self::Tls(tls) => tls.shutdown().await.unwrap(),
        }
    }

    /// Ends the sending direction with FIN alone.
    pub async fn truncate(&mut self) {
        self.tcp_mut().shutdown().await.unwrap();
    }

    /// Sends bytes past TLS.
    pub async fn write_raw(&mut self, bytes: &[u8]) {
        self.tcp_mut().write_all(bytes).await.unwrap();
    }

    pub fn reset(self) {
        crate::peers::reset(self.tcp());
    }

    /// Reads to the end.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, Seen) {
        let (mut all, mut room) = (Vec::new(), vec![0; 65536]);
        loop {
            match self.read(&mut room).await {
                Ok(0) => return (all, if matches!(self, Self::Tls(_)) { Seen::CloseNotify } else { Seen::Fin }),
                Ok(count) => all.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return (all, Seen::FinAlone),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return (all, Seen::Reset),
                // Linux gives it instead for a reset after FIN.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return (all, Seen::Fin),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// How a side sees a connection end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Fin,
    CloseNotify,
    FinAlone,
    Reset,
}

impl Seen {
    /// Returns the words of the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "FIN",
            Self::CloseNotify => "close_notify, FIN",
            Self::FinAlone => "FIN without close_notify",
            Self::Reset => "RST",
        }
    }
}
