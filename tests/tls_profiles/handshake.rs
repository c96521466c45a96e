//! Both ends of a handshake in memory, and profiles to try.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pronk::model::profile::{
    CertKey, CertResponse, Certificate, CipherGroup, ClientSsl, CrlScope, PeerCertMode, ServerSsl, TlsVersion,
    TlsVersions, TrustAnchors,
};
use pronk::model::{Address, Member, Name, Node};
use pronk::tls::{LiveClientSsl, LiveServerSsl, MemberTls, TlsFacts, TlsFault, provider};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme, SupportedCipherSuite};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::support::ca::{Authority, Files, Leaf};

/// Folder, certificate store and authority of one test.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub ca: Authority,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), ca: Authority::new("test ca") }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn ca_file(&self) -> PathBuf {
        self.ca.write(self.path(), "ca.pem")
    }

    /// A client-ssl profile that serves `leaves`, best first.
    pub fn client_ssl(&self, leaves: &[&Leaf]) -> ClientSsl {
        let written = leaves.iter().enumerate().map(|(n, leaf)| leaf.write(self.path(), &format!("leaf{n}")));
        ClientSsl {
            name: Name::from("frontend"),
            cert_key_chain: written.map(|files| cert_key(&files)).collect(),
            sni_require: false,
            versions: BOTH,
            cipher_group: CipherGroup::Default,
            peer_cert_mode: PeerCertMode::Ignore,
            ca_file: None,
            crl_file: None,
            crl_scope: CrlScope::Chain,
            authenticate_depth: 9,
            handshake_timeout: Duration::from_secs(10),
            session_ticket: true,
            cache_size: 0,
            alpn: Vec::new(),
        }
    }

    /// A server-ssl profile that trusts the bench's authority.
    pub fn server_ssl(&self) -> ServerSsl {
        ServerSsl {
            name: Name::from("backend"),
            ca_file: TrustAnchors::File(self.ca_file()),
            verify: true,
            authenticate_name: None,
            server_name: None,
            crl_file: None,
            crl_scope: CrlScope::Chain,
            expire_cert_response: CertResponse::Drop,
            untrusted_cert_response: CertResponse::Drop,
            client_certificate: None,
            versions: BOTH,
            cipher_group: CipherGroup::Default,
            handshake_timeout: Duration::from_secs(10),
            cache_size: 64,
            alpn: Vec::new(),
        }
    }

    pub fn serve(&self, profile: &ClientSsl) -> Arc<LiveClientSsl> {
        LiveClientSsl::build(profile, self.path(), None).unwrap()
    }

    pub fn toward(&self, profile: &ServerSsl, member: &Member) -> Arc<MemberTls> {
        LiveServerSsl::build(profile, self.path(), None).unwrap().for_member(member)
    }

    pub fn serve_at(&self, profile: &ClientSsl, clock: &Clock) -> Arc<LiveClientSsl> {
        LiveClientSsl::build_with_clock(profile, self.path(), None, &clock.provider()).unwrap()
    }

    pub fn toward_at(&self, profile: &ServerSsl, member: &Member, clock: &Clock) -> Arc<MemberTls> {
        LiveServerSsl::build_with_clock(profile, self.path(), None, clock.provider()).unwrap().for_member(member)
    }

    pub fn client(&self) -> Client {
        Client::trusting(self.ca.certificate())
    }
}

/// The time by which a profile judges: it stands still until it is set.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn at(now: i64) -> Self {
        Self(Arc::new(now.into()))
    }

    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }

    fn provider(&self) -> Arc<dyn TimeProvider> {
        Arc::new(self.clone())
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = self.0.load(Ordering::SeqCst);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now.try_into().unwrap())))
    }
}

pub const BOTH: TlsVersions = TlsVersions { minimum: TlsVersion::Tls12, maximum: TlsVersion::Tls13 };
pub const ONLY_12: TlsVersions = TlsVersions { minimum: TlsVersion::Tls12, maximum: TlsVersion::Tls12 };
pub const ONLY_13: TlsVersions = TlsVersions { minimum: TlsVersion::Tls13, maximum: TlsVersion::Tls13 };

pub fn cert_key(files: &Files) -> CertKey {
    CertKey {
        certificate: Certificate::Files { cert: files.cert.clone(), key: files.key.clone(), chain: None },
        passphrase: None,
        sni_default: false,
    }
}

pub fn member(address: &str, hostname: Option<&str>) -> Member {
    let address = address.parse().map_or_else(|_| Address::Fqdn(address.to_owned()), Address::Ip);
    let node = Node { hostname: hostname.map(str::to_owned), ..Node::new(Name::from("node1"), address) };
    Member::new(Arc::new(node), 21050)
}

/// A client of the front end; keeps its sessions from one connection to the next.
#[derive(Clone)]
pub struct Client {
    roots: RootCertStore,
    provider: CryptoProvider,
    versions: Vec<&'static rustls::SupportedProtocolVersion>,
    identity: Option<(Vec<CertificateDer<'static>>, Arc<rustls::pki_types::PrivateKeyDer<'static>>)>,
    alpn: Vec<Vec<u8>>,
    sni: bool,
}

impl Client {
    pub fn trusting(root: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        Self {
            roots,
            provider: (*provider(CipherGroup::Default)).clone(),
            versions: rustls::ALL_VERSIONS.to_vec(),
            identity: None,
            alpn: Vec::new(),
            sni: true,
        }
    }

    pub fn version(mut self, version: &'static rustls::SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    pub fn suites(mut self, suites: &[SupportedCipherSuite]) -> Self {
        self.provider.cipher_suites = suites.to_vec();
        self
    }

    /// Verifies only the schemes that `keep` lets through.
    pub fn schemes(mut self, keep: impl Fn(SignatureScheme) -> bool) -> Self {
        let algorithms = self.provider.signature_verification_algorithms;
        let mapping: Vec<_> = algorithms.mapping.iter().filter(|(scheme, _)| keep(*scheme)).copied().collect();
        self.provider.signature_verification_algorithms =
            WebPkiSupportedAlgorithms { all: algorithms.all, mapping: mapping.leak() };
        self
    }

    pub fn showing(mut self, leaf: &Leaf) -> Self {
        self.identity = Some((leaf.chain.clone(), Arc::new(leaf.key_der())));
        self
    }

    pub fn alpn(mut self, name: &str) -> Self {
        self.alpn.push(name.as_bytes().to_vec());
        self
    }

    pub fn without_sni(mut self) -> Self {
        self.sni = false;
        self
    }

    pub fn config(&self) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider.clone()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.clone();
        config.enable_sni = self.sni;
        Arc::new(config)
    }

    /// Connects once to `host` through the profile.
    pub async fn connect(&self, live: &LiveClientSsl, host: &str) -> Outcome {
        from_client(live, &self.config(), host).await
    }
}

/// What came of a handshake, from pronk's side and the peer's.
#[derive(Debug)]
pub struct Outcome {
    pub ours: Result<TlsFacts, TlsFault>,
    /// The certificate that the other side was shown, or its error in words.
    pub theirs: Result<Option<CertificateDer<'static>>, String>,
}

impl Outcome {
    /// What was agreed on. Panics unless both sides are content.
    pub fn facts(&self) -> &TlsFacts {
        assert!(self.theirs.is_ok(), "{self:?}");
        self.ours.as_ref().unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn fault(&self) -> &TlsFault {
        self.ours.as_ref().expect_err("the handshake should have failed")
    }

    /// The certificate that the peer was shown.
    pub fn shown(&self) -> &CertificateDer<'static> {
        self.theirs.as_ref().unwrap_or_else(|_| panic!("{self:?}")).as_ref().unwrap()
    }
}

/// A client's connection: the handshake and one byte each way, which brings tickets and late alerts.
pub async fn from_client(live: &LiveClientSsl, config: &Arc<ClientConfig>, host: &str) -> Outcome {
    let (near, far) = tokio::io::duplex(1 << 16);
    let ours = async {
        // The client's first flight is looked at, as `net::Socket` does.
        let (mut read, write) = tokio::io::split(near);
        let mut hello = Vec::with_capacity(1 << 14);
        read.read_buf(&mut hello).await.map_err(|error| TlsFault::of_handshake(&error))?;
        let near = tokio::io::join(std::io::Cursor::new(hello.clone()).chain(read), write);
        let accepted = live.acceptor().accept(near).await;
        let mut stream = accepted.map_err(|error| TlsFault::of_client_handshake(&error, &hello))?;
        let byte = stream.read_u8().await.map_err(|error| TlsFault::of_relay(&error))?;
        stream.write_u8(byte).await.map_err(|error| TlsFault::of_relay(&error))?;
        stream.shutdown().await.ok();
        Ok(TlsFacts::of_client_side(stream.get_ref().1, &hello))
    };
    let theirs = async {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut stream = TlsConnector::from(config.clone()).connect(name, far).await?;
        stream.write_u8(7).await?;
        stream.read_u8().await?;
        stream.shutdown().await.ok();
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
        Ok::<_, std::io::Error>(shown)
    };
    let (ours, theirs) = tokio::join!(ours, theirs);
    Outcome { ours, theirs: theirs.map_err(|error| error.to_string()) }
}

/// A member that shows `leaf`; `ask` makes it require a client certificate from that authority.
pub fn member_server(leaf: &Leaf, ask: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = provider(CipherGroup::Default);
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(rustls::ALL_VERSIONS);
    let verifier = match ask {
        None => rustls::server::WebPkiClientVerifier::no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(ca.certificate().clone()).unwrap();
            rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap()
        }
    };
    let mut config = builder
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    config.send_tls13_tickets = 1;
    Arc::new(config)
}

/// A connection to a member. `theirs` is the certificate that pronk showed it.
pub async fn to_member(tls: &MemberTls, server: &Arc<ServerConfig>) -> Outcome {
    let (near, far) = tokio::io::duplex(1 << 16);
    let ours = async {
        let mut stream = tls
            .connector()
            .connect(tls.server_name.clone(), near)
            .await
            .map_err(|error| TlsFault::of_handshake(&error))?;
        stream.write_u8(7).await.map_err(|error| TlsFault::of_relay(&error))?;
        stream.read_u8().await.map_err(|error| TlsFault::of_relay(&error))?;
        stream.shutdown().await.ok();
        Ok(TlsFacts::of_member_side(stream.get_ref().1, tls))
    };
    let theirs = async {
        let mut stream = TlsAcceptor::from(server.clone()).accept(far).await?;
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.shutdown().await.ok();
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
        Ok::<_, std::io::Error>(shown)
    };
    let (ours, theirs) = tokio::join!(ours, theirs);
    Outcome { ours, theirs: theirs.map_err(|error| error.to_string()) }
}
