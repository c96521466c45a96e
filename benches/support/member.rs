//! The member behind the proxies: answers each request with as many bytes as it asks for, in plaintext and in TLS. It reads
//! nothing while it answers.
//! A request is a Thrift message, as a proxy may look at the first bytes: `rows(1: i64 count)`.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::TLS13;

use super::certificates::Certificates;

pub struct Member {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
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
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (started, addresses) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
            runtime.block_on(async move {
                let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
                started.send((plain.local_addr().unwrap(), tls.local_addr().unwrap())).unwrap();
                tokio::join!(listen(plain, None), listen(tls, Some(acceptor)))
            })
        });
        let (plain, tls) = addresses.recv().unwrap();
        Self { plain, tls }
    }
}

async fn listen(listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let acceptor = acceptor.clone();
        // A connection that ends early is the client's to notice, who counts.
        tokio::spawn(async move {
            match acceptor {
                None => serve(stream).await,
                Some(acceptor) => serve(acceptor.accept(stream).await?).await,
            }
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut request = [0; REQUEST_LENGTH];
    while stream.read_exact(&mut request).await.is_ok() {
        let mut left = u64::from_be_bytes(request[COUNT_AT..COUNT_AT + 8].try_into().unwrap());
        if left == STALL {
            std::future::pending::<()>().await;
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
