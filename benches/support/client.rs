//! The clients before the proxies. They check nothing that would only cost them time; `verify` has done that.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{
    self, CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme,
    StreamOwned,
};

use super::member::{pattern, request};
use super::mode::Mode;

/// Longer than anything here takes: a proxy that stalls is to be reported, not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection of a client through a proxy.
pub enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects and finishes the handshake, if the mode has one. Every handshake is a full one.
    pub fn open(address: SocketAddr, mode: Mode) -> io::Result<Self> {
        Self::open_with(address, mode, config())
    }

    /// The same with a configuration that may resume sessions.
    pub fn open_with(address: SocketAddr, mode: Mode, config: &Arc<ClientConfig>) -> io::Result<Self> {
        if mode.client_speaks_tls() {
            return Self::open_as("lb.example.test", address, config);
        }
        connect(address).map(Self::Plain)
    }

    /// Connects and finishes a handshake, in which it asks for this name.
    pub fn open_as(name: &str, address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut socket = connect(address)?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, socket))))
    }

    /// Asks for `answer.len()` bytes and reads them.
    pub fn exchange(&mut self, answer: &mut [u8]) -> io::Result<()> {
        self.ask(answer.len() as u64)?;
        self.receive(answer)
    }

    /// Reads `answer.len()` bytes.
    pub fn receive(&mut self, answer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.read_exact(answer),
            Self::Tls(stream) => stream.read_exact(answer),
        }
    }

    /// Reads so many bytes.
    pub fn discard(&mut self, count: usize) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        let mut left = count;
        while left > 0 {
            let most = left.min(buffer.len());
            self.receive(&mut buffer[..most])?;
            left -= most;
        }
        Ok(())
    }

    /// Sends for as long as the other side takes more, and does not wait for it.
    pub fn send_all_it_takes(&mut self) -> io::Result<()> {
        self.socket().set_nonblocking(true)?;
        loop {
            let sent = match self {
                Self::Plain(socket) => socket.write(pattern()),
                Self::Tls(stream) => stream.write(pattern()),
            };
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                sent => sent.map(drop)?,
            }
        }
        self.socket().set_nonblocking(false)
    }

    pub fn ask(&mut self, count: u64) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.write_all(&request(count)),
            Self::Tls(stream) => stream.write_all(&request(count)).and_then(|()| stream.flush()),
        }
    }

    /// Says goodbye and waits until the proxy has done so too.
    pub fn close(mut self) -> io::Result<()> {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        let mut socket = self.socket();
        socket.shutdown(Shutdown::Write)?;
        io::copy(&mut socket, &mut io::sink()).map(|_| ())
    }

    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
    }

    pub fn is_resumed(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes),
        }
    }

    /// The cipher suite that the proxy chose, where there is TLS.
    pub fn cipher(&self) -> Option<CipherSuite> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.conn.negotiated_cipher_suite().map(|suite| suite.suite()),
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Bytes come through a proxy as they were sent, or there is nothing worth measuring.
pub fn verify(address: SocketAddr, mode: Mode) {
    let mut answer = vec![0; 3 << 20];
    let mut connection = Connection::open(address, mode).unwrap();
    for length in [1, 1 << 10, answer.len()] {
        connection.exchange(&mut answer[..length]).unwrap();
    }
    assert!(answer.chunks(pattern().len()).all(|chunk| chunk == pattern()), "{} changes bytes", mode.as_str());
    connection.close().unwrap();
}

/// Counts the payload of TLS 1.3 records as they pass, undecrypted: the load must be cheaper than what it loads.
#[derive(Default)]
pub struct Records {
    header: Vec<u8>,
    /// What is left of the record that is passing.
    body: usize,
}

impl Records {
    /// The payload of the records that begin in `bytes`.
    pub fn pass(&mut self, mut bytes: &[u8]) -> u64 {
        let mut payload = 0;
        while !bytes.is_empty() {
            if self.body > 0 {
                let passing = self.body.min(bytes.len());
                self.body -= passing;
                bytes = &bytes[passing..];
                continue;
            }
            let missing = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.header.len() == HEADER {
                assert_eq!(self.header[..3], [0x17, 3, 3], "not a TLS 1.3 record of application data");
                self.body = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                payload += self.body.saturating_sub(TAG_AND_TYPE) as u64;
                self.header.clear();
            }
        }
        payload
    }
}

const HEADER: usize = 5;
const TAG_AND_TYPE: usize = 17;

pub fn config() -> &'static Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let mut config = new_config();
        config.resumption = Resumption::disabled();
        Arc::new(config)
    })
}

/// Returns a configuration that resumes its sessions, from its second connection on.
pub fn resuming_config() -> Arc<ClientConfig> {
    Arc::new(new_config())
}

fn new_config() -> ClientConfig {
    ClientConfig::builder_with_provider(super::provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth()
}

/// Believes every certificate and every signature: checking them would only cost the load its time.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
