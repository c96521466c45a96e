//! rustls as a client, by handshakes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::case::Case;
use crate::client::RealVerdict;

/// Judges a case that a server at `port` shows.
pub(crate) fn judge(case: &Case, port: u16) -> RealVerdict {
    let mut roots = RootCertStore::empty();
    // Those that cannot be used are skipped, as rustls advises.
    roots.add_parsable_certificates(CertificateDer::pem_file_iter(&case.anchors).unwrap().flatten());
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    match shake(case, port, config) {
        // A server that cannot use the chain closes at once.
        Err(reason) if ["reset by peer", "end of file"].iter().any(|it| reason.contains(it)) => None,
        verdict => Some(verdict),
    }
}

fn shake(case: &Case, port: u16, config: ClientConfig) -> Result<(), String> {
    let name = ServerName::try_from(case.host.clone()).map_err(|error| error.to_string())?;
    let mut session = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    plain.write_all(format!("{}\n", case.number).as_bytes()).unwrap();
    let outcome = Stream::new(&mut session, &mut plain).read_exact(&mut [0]);
    outcome.map_err(|error| error.to_string())
}
