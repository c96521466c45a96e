//! A server-ssl profile in force: TLS toward each of its members.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use rustls::client::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls_pki_types::{CertificateDer, ServerName};

use super::ProfileError;
use super::cipher_suites::{provider, versions};
use super::judged_sessions::JudgedSessions;
use super::member_tls::{MemberTls, sni};
use super::member_verifier::{Demands, MemberVerifier};
use super::peer_trust::{PeerTrust, TrustFiles};
use super::trust_anchors::Roots;
use super::verifier::{HandshakeSignatures, Verifier};
use crate::cert::Identity;
use crate::model::profile::ServerSsl;
use crate::model::{Address, Member, MemberKey};

/// A server-ssl profile in force.
pub struct LiveServerSsl {
    profile: ServerSsl,
    /// `None` if the profile verifies nothing.
    trust: Option<(TrustFiles, Arc<PeerTrust>)>,
    identity: Option<Identity>,
    client_certificate: Option<Arc<SingleCertAndKey>>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
    /// TLS toward each member for as long as a connection holds it.
    members: RwLock<HashMap<MemberKey, Weak<MemberTls>>>,
}

impl LiveServerSsl {
    /// Reads the profile's files and makes it ready for use, or reports everything that is wrong with it.
    ///
    /// Returns `previous` itself if neither the profile nor what its files say has changed, so that sessions with
    /// members go on being resumed.
    pub fn build(
        profile: &ServerSsl,
        store: &Path,
        previous: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Vec<ProfileError>> {
        Self::build_with_clock(profile, store, previous, Arc::new(DefaultTimeProvider))
    }

    /// Like [`Self::build`], with a clock that says what is in date.
    pub fn build_with_clock(
        profile: &ServerSsl,
        store: &Path,
        previous: Option<&Arc<Self>>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Arc<Self>, Vec<ProfileError>> {
        let (trust, identity) = load(profile, store)?;
        if let Some(previous) = previous
            && previous.profile == *profile
            && previous.trust.as_ref().map(|(files, _)| files) == trust.as_ref()
            && previous.identity.as_ref().map(Identity::chain) == identity.as_ref().map(Identity::chain)
        {
            return Ok(previous.clone());
        }
        let provider = provider(profile.cipher_group);
        Ok(Arc::new(Self {
            profile: profile.clone(),
            trust: trust.map(|files| {
                let trust = Arc::new(PeerTrust::of(&files, profile.crl_scope));
                (files, trust)
            }),
            client_certificate: identity.as_ref().map(|identity| Arc::new(identity.key.clone().into())),
            identity,
            provider,
            clock,
            members: RwLock::default(),
        }))
    }

    /// Returns the chain that members are shown; none if the profile names none.
    pub fn client_chain(&self) -> Option<&[CertificateDer<'static>]> {
        self.identity.as_ref().map(Identity::chain)
    }

    /// Returns whether members' certificates are verified at all.
    pub fn verifies(&self) -> bool {
        self.profile.verify
    }

    /// Returns the TLS toward `member`: the same while anything holds it, until the node's hostname or address changes.
    pub fn for_member(&self, member: &Member) -> Arc<MemberTls> {
        let key = member.key();
        let known = |members: &HashMap<MemberKey, Weak<MemberTls>>| {
            members.get(&key).and_then(Weak::upgrade).filter(|known| known.is_for(member))
        };
        let members = self.members.read();
        let found = known(&members);
        drop(members);
        if let Some(found) = found {
            return found;
        }
        let mut members = self.members.write();
        // Another connection may have come first; there must be one set of sessions.
        known(&members).unwrap_or_else(|| {
            let made = Arc::new(self.make(member));
            // Discovery may see many hosts come and go.
            members.retain(|_, member| member.strong_count() > 0);
            members.insert(key.clone(), Arc::downgrade(&made));
            made
        })
    }

    fn make(&self, member: &Member) -> MemberTls {
        let profile = &self.profile;
        let demands = self.trust.as_ref().map(|(_, trust)| {
            let name = profile.authenticate_name.clone().unwrap_or_else(|| member.node.certificate_name());
            Demands {
                trust: Arc::clone(trust),
                name: ServerName::try_from(name).ok(),
                expired: profile.expire_cert_response,
                untrusted: profile.untrusted_cert_response,
            }
        });
        let verifier = Arc::new(MemberVerifier {
            member: member.key().to_string(),
            profile: profile.name.to_string(),
            demands,
            algorithms: self.provider.signature_verification_algorithms,
            expired: false.into(),
            untrusted: false.into(),
        });
        let sni = sni(profile, member);
        let server_name = match (&sni, &member.node.address) {
            (Some(name), _) => name.clone(),
            (None, Address::Ip(address)) => (*address).into(),
            // Only a label here: without SNI the name goes nowhere.
            (None, Address::Fqdn(_)) => IpAddr::V4(Ipv4Addr::UNSPECIFIED).into(),
        };
        MemberTls {
            sessions: JudgedSessions::new(
                self.configure(&verifier, sni.is_some()),
                profile.cache_size as usize,
                Arc::clone(&verifier),
                self.provider.signature_verification_algorithms,
                Arc::clone(&self.clock),
            ),
            server_name,
            sni: sni.map(|name| name.to_str().into_owned()),
            hostname: member.node.hostname.clone(),
            address: member.node.address.clone(),
            verifier,
            handshake_timeout: profile.handshake_timeout,
        }
    }

    fn configure(&self, verifier: &Arc<MemberVerifier>, sni: bool) -> ClientConfig {
        let signatures = HandshakeSignatures::Verified(self.provider.signature_verification_algorithms);
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&versions(self.profile.versions))
            .expect("every cipher group has suites for every version")
            .dangerous()
            .with_custom_certificate_verifier(Verifier::new(Arc::clone(verifier), signatures));
        let mut config = match &self.client_certificate {
            Some(certificate) => builder.with_client_cert_resolver(certificate.clone()),
            None => builder.with_no_client_auth(),
        };
        config.enable_sni = sni;
        config.alpn_protocols = self.profile.alpn.iter().map(|name| name.clone().into_bytes()).collect();
        config.time_provider = Arc::clone(&self.clock);
        config
    }
}

impl fmt::Debug for LiveServerSsl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveServerSsl").field("name", &self.profile.name).finish_non_exhaustive()
    }
}

fn load(profile: &ServerSsl, store: &Path) -> Result<(Option<TrustFiles>, Option<Identity>), Vec<ProfileError>> {
    let mut errors = Vec::new();
    let trust = profile.verify.then(|| {
        let roots = Roots::load(&profile.name, &profile.ca_file);
        TrustFiles::load(&profile.name, roots, profile.crl_file.as_deref(), &mut errors)
    });
    let identity = profile.client_certificate.as_ref().and_then(|source| {
        Identity::load(source, store)
            .map_err(|flaws| {
                errors.extend(flaws.iter().map(|flaw| ProfileError::from_identity(&profile.name, "", flaw)));
            })
            .ok()
    });
    errors.extend(unusable_names(profile));
    if errors.is_empty() { Ok((trust.flatten(), identity)) } else { Err(errors) }
}

fn unusable_names(profile: &ServerSsl) -> Vec<ProfileError> {
    let mut errors = Vec::new();
    if let Some(name) = &profile.authenticate_name
        && ServerName::try_from(name.as_str()).is_err()
    {
        let message = format!("\"{name}\" is neither a host name nor an IP address");
        errors.push(ProfileError::new(&profile.name, "authenticate-name", message));
    }
    match profile.server_name.as_deref().map(|name| (name, ServerName::try_from(name))) {
        None | Some((_, Ok(ServerName::DnsName(_)))) => {}
        Some((name, Ok(_))) => {
            let message = format!("\"{name}\" is an IP address, and SNI carries host names only");
            let error = ProfileError::new(&profile.name, "server-name", message);
            errors.push(error.with_help("to check the certificate for an address, use authenticate-name"));
        }
        Some((name, Err(_))) => {
            let message = format!("\"{name}\" is not a host name");
            errors.push(ProfileError::new(&profile.name, "server-name", message));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn hosts_that_come_and_go_leave_nothing_behind() {
        let file = "nodes: { n: { address: 127.0.0.1 } }
pools: { p: { members: ['n:1'] } }
virtual-servers: { vs: { destination: '127.0.0.1:1', pool: p, server-ssl: serverssl-insecure-compatible } }
";
        let model = config::parse("pronk.yaml", file, Path::new("/")).unwrap().model;
        let profile = model.virtual_servers["vs"].server_ssl.clone().unwrap();
        let live = LiveServerSsl::build(&profile, Path::new("/"), None).unwrap();
        let member = |port| Member { port, ..Member::clone(&model.pools["p"].members[0]) };
        let held = live.for_member(&member(1));
        for port in 2..1000 {
            live.for_member(&member(port));
        }
        assert!(Arc::ptr_eq(&held, &live.for_member(&member(1))), "its sessions are kept");
        assert_eq!(live.members.read().len(), 2, "what is held, and the last");
    }
}
