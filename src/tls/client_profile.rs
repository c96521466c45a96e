//! A client-ssl profile in force: TLS toward clients.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::SignatureAlgorithm;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tokio_rustls::TlsAcceptor;

use super::cipher_suites::{provider, versions};
use super::client_auth::ClientTrust;
use super::judged_tickets::SessionJudge;
use super::sni_resolver::SniResolver;
use super::ticket_keys::{HandedKey, TicketKeys};
use super::verifier::{HandshakeSignatures, Verifier};
use super::{ProfileError, session_fingerprint, session_tickets};
use crate::cert::Identity;
use crate::model::profile::{CipherGroup, ClientSsl, TlsVersion};

/// A client-ssl profile in force.
pub struct LiveClientSsl {
    profile: ClientSsl,
    identities: Vec<Identity>,
    trust: ClientTrust,
    config: Arc<ServerConfig>,
    ticket_keys: Option<Arc<TicketKeys>>,
    fingerprint: String,
}

impl LiveClientSsl {
    /// Reads the profile's files and makes it ready to serve, or reports everything that is wrong with it.
    ///
    /// Returns `previous` itself if neither the profile nor what its files say has changed, so that clients go on
    /// resuming their sessions. A private key is known by its certificate, so keys are not compared.
    pub fn build(
        profile: &ClientSsl,
        store: &Path,
        previous: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Vec<ProfileError>> {
        Self::build_with_clock(profile, store, previous, &(Arc::new(DefaultTimeProvider) as Arc<dyn TimeProvider>))
    }

    /// Like [`Self::build`], with a clock that says what is in date.
    pub fn build_with_clock(
        profile: &ClientSsl,
        store: &Path,
        previous: Option<&Arc<Self>>,
        clock: &Arc<dyn TimeProvider>,
    ) -> Result<Arc<Self>, Vec<ProfileError>> {
        let (identities, trust) = load(profile, store)?;
        if let Some(previous) = previous
            && previous.profile == *profile
            && previous.trust == trust
            && previous.identities.iter().map(Identity::chain).eq(identities.iter().map(Identity::chain))
        {
            return Ok(previous.clone());
        }
        let (config, ticket_keys) = configure(profile, &identities, &trust, clock).map_err(|error| vec![error])?;
        let fingerprint = session_fingerprint::fingerprint(profile, &identities, &trust);
        let (profile, config) = (profile.clone(), Arc::new(config));
        Ok(Arc::new(Self { profile, identities, trust, config, ticket_keys, fingerprint }))
    }

    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Begins handshakes with clients.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    pub fn handshake_timeout(&self) -> Duration {
        self.profile.handshake_timeout
    }

    /// Returns the certificates that are served, in the profile's order.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Returns the keys of session tickets, the newest first, for the process that takes over from this one.
    pub fn export_ticket_keys(&self) -> Vec<HandedKey> {
        self.ticket_keys.iter().flat_map(|keys| keys.export()).collect()
    }

    /// Goes on with the keys of the process from which this one takes over. They must be of the same profile, which
    /// [`fingerprint`](Self::fingerprint) says.
    pub fn import_ticket_keys(&self, handed: &[HandedKey]) {
        if let Some(keys) = &self.ticket_keys {
            keys.import(handed);
        }
    }

    /// Returns what tells in another process whether its profile is the same, for which sessions may be resumed.
    /// Hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for LiveClientSsl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveClientSsl")
            .field("name", &self.profile.name)
            .field("identities", &self.identities)
            .finish_non_exhaustive()
    }
}

fn load(profile: &ClientSsl, store: &Path) -> Result<(Vec<Identity>, ClientTrust), Vec<ProfileError>> {
    let mut errors = Vec::new();
    let mut identities = Vec::new();
    for (index, source) in profile.cert_key_chain.iter().enumerate() {
        let prefix = format!("cert-key-chain.{index}.");
        match Identity::load(source, store) {
            Ok(identity) => identities.push(identity),
            Err(flaws) => {
                errors.extend(flaws.iter().map(|flaw| ProfileError::from_identity(&profile.name, &prefix, flaw)));
            }
        }
    }
    if profile.cert_key_chain.is_empty() {
        let message = "a client-ssl profile needs a certificate and its key";
        errors.push(ProfileError::new(&profile.name, "cert-key-chain", message));
    }
    let trust = ClientTrust::load(profile).map_err(|flaws| errors.extend(flaws));
    if errors.is_empty() {
        errors.extend(useless_cipher_group(profile, &identities));
    }
    match trust {
        Ok(trust) if errors.is_empty() => Ok((identities, trust)),
        _ => Err(errors),
    }
}

/// Checks the cipher group: TLS 1.2 ties suites to the kind of certificate, so a group can leave nothing that any
/// client could agree to.
fn useless_cipher_group(profile: &ClientSsl, identities: &[Identity]) -> Option<ProfileError> {
    let only_tls12 = profile.versions.maximum == TlsVersion::Tls12;
    let no_ecdsa = identities.iter().all(|each| each.key.key.algorithm() == SignatureAlgorithm::RSA);
    (profile.cipher_group == CipherGroup::Ecc && only_tls12 && no_ecdsa).then(|| {
        let message = "the group ecc needs an ECDSA certificate below TLS 1.3, and all certificates are RSA";
        ProfileError::new(&profile.name, "cipher-group", message)
            .with_help("add an ECDSA certificate, or allow TLS 1.3, or choose the group aes")
    })
}

fn configure(
    profile: &ClientSsl,
    identities: &[Identity],
    trust: &ClientTrust,
    clock: &Arc<dyn TimeProvider>,
) -> Result<(ServerConfig, Option<Arc<TicketKeys>>), ProfileError> {
    let failed = |error: rustls::Error| ProfileError::new(&profile.name, "cipher-group", error.to_string());
    let provider = provider(profile.cipher_group);
    let clients = trust.verifier(profile, &provider);
    let signatures = HandshakeSignatures::Verified(provider.signature_verification_algorithms);
    let verifier: Arc<dyn ClientCertVerifier> = match &clients {
        Some(clients) => Verifier::new(Arc::clone(clients), signatures),
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let default = profile.cert_key_chain.iter().position(|source| source.sni_default).unwrap_or(0);
    let choice = SniResolver::new(identities.to_vec(), default, profile.sni_require, Arc::clone(clock));

    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(profile.versions))
        .map_err(failed)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(choice));
    config.ignore_client_order = true;
    config.alpn_protocols = profile.alpn.iter().map(|name| name.clone().into_bytes()).collect();
    config.time_provider = Arc::clone(clock);
    let judge = SessionJudge::new(clients, Arc::clone(clock));
    let ticket_keys = session_tickets::configure(&mut config, profile, judge, clock)
        .map_err(|error| ProfileError::new(&profile.name, "session-ticket", error.to_string()))?;
    Ok((config, ticket_keys))
}
