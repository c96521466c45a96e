//! A TLS server that shows whatever chain it is given: certificates that OpenSSL's server cannot read, and one of which
//! it does not have the key.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pronk::cert::Certificate;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::case::Case;

/// Starts a server for as long as the process lives, and returns its port on 127.0.0.1. A client sends the number of a
/// case and a line feed before TLS begins.
pub(crate) fn start(cases: &[Case]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let raw = cases.iter().filter(|case| case.is_raw);
    let cases: Arc<BTreeMap<usize, Case>> = Arc::new(raw.map(|case| (case.number, case.clone())).collect());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let cases = Arc::clone(&cases);
            // A client that goes away is no fault here.
            thread::spawn(move || serve(connection, &cases).ok());
        }
    });
    port
}

fn serve(mut connection: TcpStream, cases: &BTreeMap<usize, Case>) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (mut digits, mut byte) = (String::new(), [0]);
    while connection.read(&mut byte)? == 1 && byte != *b"\n" {
        digits.push(byte[0].into());
    }
    let Some(config) = digits.parse().ok().and_then(|number| cases.get(&number)).and_then(config) else {
        return Ok(());
    };
    let mut session = ServerConnection::new(Arc::new(config)).map_err(std::io::Error::other)?;
    let mut tls = Stream::new(&mut session, &mut connection);
    // A client of TLS 1.3 judges after the server has done its part.
    tls.write_all(b"+")?;
    tls.read_exact(&mut [0])
}

/// Returns what shows the chain of a case; none if rustls has nothing to sign with its key.
fn config(case: &Case) -> Option<ServerConfig> {
    // What follows a certificate is left out, as OpenSSL's server does.
    let whole =
        |der: CertificateDer<'static>| Certificate::decode(der.clone()).map_or(der, |certificate| certificate.der);
    let chain = CertificateDer::pem_file_iter(&case.chain).ok()?.flatten().map(whole).collect();
    let key = any_supported_type(&PrivateKeyDer::from_pem_file(&case.key).ok()?).ok()?;
    let shown = Shown(Arc::new(CertifiedKey::new(chain, key)));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(config.with_no_client_auth().with_cert_resolver(Arc::new(shown)))
}

#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
