//! A virtual server before one member, with further keys for each, and what its clients see of their end.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use rustls::ClientConfig;
use socket2::{Domain, Socket, Type};

use crate::lb::{Pronk, free_port};
use crate::peers::{connect, echoes, is_reset, read_all};
use crate::support::ca::{Authority, Leaf};
use crate::support::tls::trusting;
use crate::tls_peers::{FRONT, NODE, TlsClient, tls_client};

/// What a client sees of the end of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sees {
    Reset,
    /// FIN, after close_notify where there is TLS.
    Fin,
    /// FIN without the close_notify that TLS asks for.
    Truncation,
    Alert(rustls::AlertDescription),
    /// Its own end: it left.
    Leaves,
}

/// A connection that ended with a code, and the pronk that logs it.
pub struct Provoked {
    pub pronk: Pronk,
    pub sees: Sees,
}

/// A configuration to be. Each function adds keys, such as `rate-limit: 1`, to a section.
pub struct Front {
    pub ca: Authority,
    node: String,
    members: String,
    virtual_server: String,
    pool: String,
    protocol: String,
    profiles: String,
    drain_timeout: u32,
    command: Command,
}

/// A running pronk with the virtual server.
pub struct Running {
    pub pronk: Pronk,
    pub address: SocketAddr,
    ca: Authority,
}

impl Front {
    pub fn new() -> Self {
        Self {
            ca: Authority::new("ca"),
            node: "127.0.0.1".into(),
            members: String::new(),
            virtual_server: String::new(),
            pool: String::new(),
            protocol: String::new(),
            profiles: String::new(),
            drain_timeout: 60,
            command: Command::new(env!("CARGO_BIN_EXE_pronk")),
        }
    }

    /// A front before this member.
    pub fn before(member: SocketAddr) -> Self {
        Self::new().member(member, "")
    }

    pub fn member(mut self, member: SocketAddr, keys: &str) -> Self {
        self.node = member.ip().to_string();
        self.members += &format!("{{ member: 'a:{}', {keys} }}, ", member.port());
        self
    }

    pub fn virtual_server(mut self, keys: &str) -> Self {
        self.virtual_server += &format!(", {keys}");
        self
    }

    pub fn pool(mut self, keys: &str) -> Self {
        self.pool += &format!(", {keys}");
        self
    }

    /// The pool with a monitor that soon finds a member down.
    pub fn monitored(self) -> Self {
        self.pool("monitors: [quick]")
    }

    pub fn protocol(mut self, keys: &str) -> Self {
        self.protocol += &format!(", {keys}");
        self
    }

    pub fn client_ssl(mut self, keys: &str) -> Self {
        let chain = "cert-key-chain: [{ cert: lb.pem, key: lb.key }]";
        self.profiles += &format!("  front: {{ type: client-ssl, defaults-from: clientssl, {chain}, {keys} }}\n");
        self.virtual_server("client-ssl: front")
    }

    pub fn server_ssl(mut self, keys: &str) -> Self {
        self.profiles +=
            &format!("  back: {{ type: server-ssl, defaults-from: serverssl, ca-file: ca.pem, {keys} }}\n");
        self.virtual_server("server-ssl: back")
    }

    pub fn drain_timeout(mut self, seconds: u32) -> Self {
        self.drain_timeout = seconds;
        self
    }

    /// A certificate of the authority for the member's node.
    pub fn node_certificate(&self) -> Leaf {
        self.ca.issue(NODE).dns(NODE).build()
    }

    pub fn start(self) -> Running {
        let port = free_port();
        let Self { ca, node, members, virtual_server, pool, protocol, profiles, drain_timeout, command } = self;
        let pronk = Pronk::start_with(command, drain_timeout, |folder| {
            ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
            ca.write(folder, "ca.pem");
            format!(
                "nodes: {{ a: {{ address: '{node}', hostname: {NODE} }} }}
pools: {{ p: {{ members: [{members}]{pool} }} }}
profiles:
  t: {{ type: tcp, defaults-from: tcp{protocol} }}
{profiles}monitors: {{ quick: {{ type: tcp, interval: 200ms, timeout: 2s }} }}
virtual-servers: {{ vs: {{ destination: '0.0.0.0:{port}', pool: p, protocol: t{virtual_server} }} }}
"
            )
        });
        Running { pronk, address: SocketAddr::from(([127, 0, 0, 1], port)), ca }
    }
}

impl Running {
    /// A client that is let in and has said nothing.
    pub fn client(&self) -> TcpStream {
        connect(self.address)
    }

    /// A client with this address.
    pub fn client_from(&self, ip: &str) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((ip.parse::<IpAddr>().unwrap(), 0)).into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        socket.into()
    }

    /// A client that has said hello.
    pub fn asking(&self) -> TcpStream {
        let mut client = self.client();
        client.write_all(b"hello").unwrap();
        client
    }

    /// A client that was answered.
    pub fn served(&self) -> TcpStream {
        let mut client = self.client();
        assert!(echoes(&mut client));
        client
    }

    /// A client that trusts the authority, and says nothing until it is made to.
    pub fn tls_client(&self) -> TlsClient {
        self.tls_client_with(trusting(&self.ca))
    }

    pub fn tls_client_with(&self, config: Arc<ClientConfig>) -> TlsClient {
        tls_client(self.address, config)
    }

    /// A client that was answered in TLS.
    pub fn served_in_tls(&self) -> TlsClient {
        let mut client = self.tls_client();
        client.write_all(b"hello").unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
        client
    }

    /// Waits until pronk knows that its only member is down.
    pub fn member_is_down(&self) {
        self.pronk.logged("member is down", |line| line["message"] == "member is down");
    }

    /// The end of a connection as its client sees it.
    pub fn seen_by(self, client: &mut impl Read) -> Provoked {
        let sees = match read_all(client).1 {
            Ok(()) => Sees::Fin,
            Err(error) if is_reset(&error) => Sees::Reset,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Sees::Truncation,
            Err(error) => match error.get_ref().and_then(|error| error.downcast_ref()) {
                Some(rustls::Error::AlertReceived(alert)) => Sees::Alert(*alert),
                _ => panic!("{error}"),
            },
        };
        self.ended(sees)
    }

    /// The end of a connection whose client has left.
    pub fn left(self) -> Provoked {
        self.ended(Sees::Leaves)
    }

    /// The end of a connection that was refused.
    pub fn refused(self) -> Provoked {
        self.ended(Sees::Reset)
    }

    fn ended(self, sees: Sees) -> Provoked {
        Provoked { pronk: self.pronk, sees }
    }
}
