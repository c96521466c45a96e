//! What clients and members need for TLS: whom they trust, and what they show.

use std::sync::Arc;

use pronk::model::profile::CipherGroup;
use rustls::server::WebPkiClientVerifier;
use rustls::{ALL_VERSIONS, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::ca::{Authority, Leaf};

/// The settings of a client that trusts this authority.
pub fn trusting(ca: &Authority) -> Arc<ClientConfig> {
    trusting_with(ca, ALL_VERSIONS)
}

/// As [`trusting`], with these versions of TLS.
pub fn trusting_with(ca: &Authority, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(ca))
        .with_no_client_auth();
    Arc::new(config)
}

/// The settings of a member that shows this certificate.
pub fn showing(leaf: &Leaf) -> Arc<ServerConfig> {
    showing_with(leaf, ALL_VERSIONS)
}

/// As [`showing`], with these versions of TLS.
pub fn showing_with(leaf: &Leaf, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    Arc::new(config)
}

/// The settings of a member that shows this certificate, and asks clients for one of this authority.
pub fn asking_for_a_certificate(
    leaf: &Leaf,
    ca: &Authority,
    version: &'static SupportedProtocolVersion,
) -> Arc<ServerConfig> {
    let provider = pronk::tls::provider(CipherGroup::Default);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(ca).into(), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(leaf.chain.clone(), leaf.key_der())
        .unwrap();
    Arc::new(config)
}

fn roots(ca: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(ca.certificate().clone()).unwrap();
    roots
}
