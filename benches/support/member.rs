//! The member behind the proxies: answers each request with as many bytes as it asks for, in plaintext and in TLS. It reads
//! nothing while it answers.
//! A request is a Thrift message, as a proxy may look at the first bytes: `rows(1: i64 count)`.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::Ticketer;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::TLS13;

use super::certificates::Certificates;
use super::mode::Mode;

pub struct Member {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    /// TLS with tickets.
    pub resuming: SocketAddr,
    /// Bytes that came after requests for [`SINK`], encrypted where there is TLS.
    pub received: Arc<AtomicU64>,
}

impl Member {
    /// It runs on a thread of its own for as long as the program does.
    pub fn start(certificates: &Certificates) -> Self {
        let key = &certificates.member;
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(key.certificate.clone())],
                PrivatePkcs8KeyDer::from(key.key.clone()).into(),
            )
            .unwrap();
        // Without tickets the proxies' handshakes toward it are full ones too.
        config.send_tls13_tickets = 0;
        let mut resuming = config.clone();
        resuming.send_tls13_tickets = 1;
        resuming.ticketer = Ticketer::new().unwrap();
        let [acceptor, resumer] = [config, resuming].map(|config| Some(TlsAcceptor::from(Arc::new(config))));
        let (started, addresses) = mpsc::channel();
        let received = Arc::new(AtomicU64::new(0));
        let sink = Arc::clone(&received);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
            runtime.block_on(async move {
                let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let resuming = TcpListener::bind("127.0.0.1:0").await.unwrap();
                started.send([&plain, &tls, &resuming].map(|it| it.local_addr().unwrap())).unwrap();
                tokio::join!(
                    listen(plain, None, Arc::clone(&sink)),
                    listen(tls, acceptor, Arc::clone(&sink)),
                    listen(resuming, resumer, sink)
                )
            })
        });
        let [plain, tls, resuming] = addresses.recv().unwrap();
        Self { plain, tls, resuming, received }
    }

    pub fn address(&self, (mode, resuming): (Mode, bool)) -> SocketAddr {
        match mode {
            Mode::Passthrough | Mode::Offload => self.plain,
            Mode::ReEncrypt if resuming => self.resuming,
            Mode::ReEncrypt => self.tls,
        }
    }
}

async fn listen(listener: TcpListener, acceptor: Option<TlsAcceptor>, sink: Arc<AtomicU64>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (acceptor, sink) = (acceptor.clone(), Arc::clone(&sink));
        // A connection that ends early is the client's to notice, who counts.
        tokio::spawn(async move {
            match acceptor {
                None => {
                    let mut stream = stream;
                    serve(&mut stream).await?;
                    swallow(&stream, &sink).await
                }
                Some(acceptor) => {
                    let mut stream = acceptor.accept(stream).await?;
                    serve(&mut stream).await?;
                    swallow(stream.get_ref().0, &sink).await?;
                    // An end in order, for who waits until all has come.
                    stream.shutdown().await
                }
            }
        });
    }
}

/// Returns when the client ends, or asks for a sink.
async fn serve(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> std::io::Result<()> {
    let mut request = [0; REQUEST_LENGTH];
    while stream.read_exact(&mut request).await.is_ok() {
        let mut left = u64::from_be_bytes(request[COUNT_AT..COUNT_AT + 8].try_into().unwrap());
        if left == STALL {
            std::future::pending::<()>().await;
        }
        if left == SINK {
            return Ok(());
        }
        while left > 0 {
            let piece = pattern().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            stream.write_all(&pattern()[..piece]).await?;
            left -= piece as u64;
        }
        stream.flush().await?;
    }
    stream.shutdown().await
}

/// Counts what comes, undecrypted. The kernel throws the bytes away uncopied.
async fn swallow(stream: &TcpStream, sink: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 512 << 10];
    loop {
        stream.readable().await?;
        let read = || Ok(rustix::net::recv(stream, &mut buffer, RecvFlags::TRUNC | RecvFlags::DONTWAIT)?.1);
        match stream.try_io(Interest::READABLE, read) {
            Ok(0) => return Ok(()),
            Ok(count) => sink.fetch_add(count as u64, Ordering::Relaxed),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
    }
}

/// Asks the member to answer nothing, and to count all that comes.
pub const SINK: u64 = u64::MAX - 2;
/// Asks the member to answer nothing and to read nothing more.
pub const STALL: u64 = u64::MAX - 1;

pub fn request(count: u64) -> [u8; REQUEST_LENGTH] {
    let mut request = [0; REQUEST_LENGTH];
    request[..16].copy_from_slice(b"\x80\x01\x00\x01\x00\x00\x00\x04rows\x00\x00\x00\x00");
    request[16..COUNT_AT].copy_from_slice(&[0x0a, 0, 1]);
    request[COUNT_AT..COUNT_AT + 8].copy_from_slice(&count.to_be_bytes());
    request
}

/// What answers repeat.
pub fn pattern() -> &'static [u8] {
    static PATTERN: OnceLock<Vec<u8>> = OnceLock::new();
    PATTERN.get_or_init(|| (0..1 << 20).map(|at| (at % 251) as u8).collect())
}

const COUNT_AT: usize = 19;
const REQUEST_LENGTH: usize = 28;
