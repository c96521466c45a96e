//! The least that a relay can do, as a limit for what a proxy can reach: one thread for each connection, which waits for
//! either side, reads what there is and writes it to the other. In plaintext a large piece is spliced. It chooses no
//! member, keeps no limits, writes no log, and passes no reset on. Small messages without TLS have [`bare_loop`].

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use pronk::model::profile::CipherGroup;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, pipe, splice};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::aws_lc_rs::Ticketer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{
    CipherSuite, ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};

use super::bare_loop;
use super::certificates::{Certificates, MEMBER_NAME};
use super::member::Member;
use super::mode::Mode;

/// The argument that makes a bench program such a relay.
pub const FLAG: &str = "--bare";

/// Runs as such a relay, if the arguments say so.
pub fn run_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == FLAG) {
        run(Path::new(&arguments.next().unwrap()));
    }
}

/// Returns what [`run_if_asked`] reads: files, then a line for each port, first that of the loop.
pub fn config(
    small: SocketAddr,
    routes: impl Iterator<Item = ((Mode, bool), SocketAddr)>,
    certificates: &Certificates,
    member: &Member,
) -> String {
    let mut text = String::new();
    for file in ["lb.pem", "lb.key", "ca.pem"] {
        writeln!(text, "{}", certificates.path(file).display()).unwrap();
    }
    writeln!(text, "{small} {}", member.plain).unwrap();
    for (route, address) in routes {
        writeln!(text, "{} {address} {}", route.0.as_str(), member.address(route)).unwrap();
    }
    text
}

fn run(config: &Path) -> ! {
    let text = fs::read_to_string(config).unwrap();
    let mut lines = text.lines();
    let [chain, key, authority] = [(); 3].map(|()| lines.next().unwrap());
    let provider = Arc::new(CryptoProvider { cipher_suites: vec![fastest_suite()], ..(*super::provider()).clone() });
    let chain = CertificateDer::pem_file_iter(chain).unwrap().map(Result::unwrap).collect();
    let mut front = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    front.send_tls13_tickets = 1;
    front.ticketer = Ticketer::new().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_file_iter(authority).unwrap().map(Result::unwrap));
    let back = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (front, back) = (Arc::new(front), Arc::new(back));
    let (small, member) = lines.next().unwrap().split_once(' ').unwrap();
    for line in lines {
        let [mode, address, member] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (front, back) = (Arc::clone(&front), Arc::clone(&back));
        let listener = TcpListener::bind(address).unwrap();
        let (mode, member): (_, SocketAddr) = (mode.to_owned(), member.parse().unwrap());
        let listener = Arc::new(listener);
        for _ in 0..THREADS {
            let (listener, front, back, mode) =
                (Arc::clone(&listener), Arc::clone(&front), Arc::clone(&back), mode.clone());
            thread::spawn(move || {
                let mut relay = Relay::new();
                for client in listener.incoming() {
                    let served = client.and_then(|client| serve(client, member, &mode, &front, &back, &mut relay));
                    // A connection that ends early is the client's to notice, who counts.
                    if served.is_err() {
                        relay = Relay::new();
                    }
                }
            });
        }
    }
    bare_loop::run(small.parse().unwrap(), member.parse().unwrap())
}

/// Returns AES-128-GCM from the library that is faster on this processor, as pronk chooses it.
fn fastest_suite() -> SupportedCipherSuite {
    let all = &pronk::tls::provider(CipherGroup::Default).cipher_suites;
    *all.iter().find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256).unwrap()
}

fn serve(
    client: TcpStream,
    member: SocketAddr,
    mode: &str,
    front: &Arc<ServerConfig>,
    back: &Arc<ClientConfig>,
    relay: &mut Relay,
) -> io::Result<()> {
    let member = TcpStream::connect(member)?;
    client.set_nodelay(true)?;
    member.set_nodelay(true)?;
    let (mut client, mut member) = (Side::plain(client), Side::plain(member));
    if mode != Mode::Passthrough.as_str() {
        client.handshake(ServerConnection::new(Arc::clone(front)).map_err(io::Error::other)?.into())?;
    }
    if mode == Mode::ReEncrypt.as_str() {
        let name = ServerName::try_from(MEMBER_NAME).unwrap();
        member.handshake(ClientConnection::new(Arc::clone(back), name).map_err(io::Error::other)?.into())?;
    }
    // What came with the end of the handshake.
    let mut early = Vec::new();
    if let Some(tls) = &mut client.tls {
        match tls.reader().read_to_end(&mut early) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Ok(_) | Err(_) => member.send(&early)?,
        }
    }
    // The library may hold a part of a record already.
    while !client.ended || !member.ended {
        let flags = |side: &Side| if side.ended { PollFlags::empty() } else { PollFlags::IN };
        let mut sockets = [PollFd::new(&client.socket, flags(&client)), PollFd::new(&member.socket, flags(&member))];
        poll(&mut sockets, None)?;
        let [from_client, from_member] = sockets.map(|socket| !socket.revents().is_empty());
        if from_client && !client.ended {
            relay.pass(&mut client, &mut member)?;
        }
        if from_member && !member.ended {
            relay.pass(&mut member, &mut client)?;
        }
    }
    Ok(())
}

struct Side {
    socket: TcpStream,
    tls: Option<Connection>,
    ended: bool,
    is_bulk: bool,
}

impl Side {
    fn plain(socket: TcpStream) -> Self {
        Self { socket, tls: None, ended: false, is_bulk: false }
    }

    fn handshake(&mut self, mut tls: Connection) -> io::Result<()> {
        tls.set_buffer_limit(None);
        while tls.is_handshaking() {
            tls.complete_io(&mut self.socket)?;
        }
        self.tls = Some(tls);
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.socket.write_all(bytes) };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            tls.write_tls(&mut self.socket)?;
        }
        self.socket.shutdown(Shutdown::Write)
    }
}

struct Relay {
    buffer: Vec<u8>,
    plaintext: Vec<u8>,
    pipe: Option<(OwnedFd, OwnedFd)>,
}

impl Relay {
    fn new() -> Self {
        Self { buffer: vec![0; LARGE], plaintext: vec![0; LARGE + 4 * SMALL], pipe: None }
    }

    fn pass(&mut self, from: &mut Side, to: &mut Side) -> io::Result<()> {
        if from.is_bulk && from.tls.is_none() && to.tls.is_none() {
            return self.splice(from, to);
        }
        let count = from.socket.read(&mut self.buffer)?;
        from.is_bulk = count >= SMALL;
        if count == 0 {
            from.ended = true;
            return to.finish();
        }
        let Some(tls) = &mut from.tls else { return to.send(&self.buffer[..count]) };
        let (mut rest, mut decrypted) = (&self.buffer[..count], 0);
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            let length = state.plaintext_bytes_to_read();
            tls.reader().read_exact(&mut self.plaintext[decrypted..decrypted + length])?;
            decrypted += length;
        }
        if decrypted > 0 {
            to.send(&self.plaintext[..decrypted])?;
        }
        Ok(())
    }

    fn splice(&mut self, from: &mut Side, to: &mut Side) -> io::Result<()> {
        if self.pipe.is_none() {
            let (reader, writer) = pipe()?;
            fcntl_setpipe_size(&writer, LARGE)?;
            self.pipe = Some((reader, writer));
        }
        let (reader, writer) = self.pipe.as_ref().unwrap();
        let mut left = splice(&from.socket, None, writer, None, LARGE, SpliceFlags::MOVE)?;
        if left == 0 {
            from.ended = true;
            return to.finish();
        }
        while left > 0 {
            left -= splice(reader, None, &to.socket, None, left, SpliceFlags::MOVE)?;
        }
        Ok(())
    }
}

/// As many connections of a listener are served at once.
const THREADS: usize = 32;
const SMALL: usize = 16 << 10;
const LARGE: usize = 1 << 20;
