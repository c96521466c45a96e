//! What a configuration has to do with certificates, and what is expected of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::trust;
use crate::cert::{CertificateNames, MaterialError};
use crate::lint::{Levels, Located, PeerFiles, Role, Use};
use crate::model::profile::{CertKey, Certificate, ClientSsl, ServerSsl, TrustAnchors};
use crate::model::{Address, Host, MemberKey, Mode, Model, MonitorKind, Name, Node, VirtualServer};

/// Everything that a configuration has to do with certificates.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// What pronk shows to clients.
    pub profiles: Vec<ProfileTarget>,
    /// What members show, to clients or to pronk; each once, whichever virtual servers it serves.
    pub members: Vec<MemberTarget>,
    /// The profiles in use that verify peers.
    pub peers: Vec<PeerProfile>,
    /// Entries of the certificate store that no profile names.
    pub spare: Vec<String>,
    /// Virtual servers without a hostname whose clients see certificates: their names cannot be checked.
    pub nameless: Vec<Name>,
    /// Virtual servers without TLS on either side, by the configuration.
    pub plain: Vec<Name>,
    /// What becomes of findings.
    pub levels: Levels,
}

/// A client-ssl profile in use.
#[derive(Clone, Debug)]
pub struct ProfileTarget {
    pub profile: Arc<ClientSsl>,
    /// Of the virtual servers that use it.
    pub hostnames: Vec<Host>,
    pub virtual_servers: Vec<Name>,
}

/// A profile in use that may verify peers, of either side.
#[derive(Clone, Debug)]
pub enum PeerProfile {
    OfClients(Arc<ClientSsl>),
    OfMembers(Arc<ServerSsl>),
}

/// A member that is to speak TLS.
#[derive(Clone, Debug)]
pub struct MemberTarget {
    pub key: MemberKey,
    pub node: Arc<Node>,
    /// At least one.
    pub expectations: Vec<Expectation>,
    pub virtual_servers: Vec<Name>,
    /// Whether a monitor of type tls looks at what it shows.
    pub watched: bool,
}

/// What a certificate is for, and whom it has to lead to, where a profile says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub role: Role,
    pub trust: Option<TrustAnchors>,
}

impl Targets {
    /// Returns the targets of a model, whose certificate store has these entries.
    pub fn of(model: &Model, entries: &[String]) -> Self {
        let mut targets = Self { levels: Levels::of(&model.lint), ..Self::default() };
        let mut members = BTreeMap::new();
        let uses = model.pool_uses();
        for virtual_server in model.virtual_servers.values() {
            let pool = &virtual_server.pool;
            let speak_tls = uses.get(&pool.name).and_then(|used| used.members_speak_tls(pool));
            if virtual_server.mode() == Mode::Passthrough && speak_tls == Some(false) {
                targets.plain.push(virtual_server.name.clone());
                continue;
            }
            targets.front_end(virtual_server);
            if let Some(expected) = expected_of(virtual_server) {
                for member in &virtual_server.pool.members {
                    let expectation = expected(&member.node);
                    let watched = virtual_server.pool.monitors.all.iter().any(|it| it.kind == MonitorKind::Tls);
                    let target = members.entry(member.key()).or_insert_with(|| MemberTarget {
                        key: member.key(),
                        node: Arc::clone(&member.node),
                        expectations: Vec::new(),
                        virtual_servers: Vec::new(),
                        watched: false,
                    });
                    target.watched |= watched;
                    target.virtual_servers.push(virtual_server.name.clone());
                    target.add(expectation);
                }
            }
        }
        if let Some(profile) = model.admin.as_ref().and_then(|admin| admin.client_ssl.as_ref()) {
            targets.shown_by(profile);
        }
        targets.members = members.into_values().collect();
        let of_clients = model.client_ssl_in_use().into_values().map(|it| PeerProfile::OfClients(Arc::clone(it)));
        let of_members = model.server_ssl_in_use().into_values().map(PeerProfile::OfMembers);
        targets.peers = of_clients.chain(of_members).collect();
        let of_admin_api = model.admin.iter().filter_map(|admin| admin.client_ssl.as_ref());
        let of_admin_api = of_admin_api.flat_map(|profile| &profile.cert_key_chain).filter_map(store_entry);
        let used: Vec<_> =
            model.virtual_servers.values().flat_map(|it| store_entries(it)).chain(of_admin_api).collect();
        targets.spare = entries.iter().filter(|name| !used.contains(&name.as_str())).cloned().collect();
        targets
    }

    fn front_end(&mut self, virtual_server: &VirtualServer) {
        let hostname = virtual_server.hostname.as_deref().and_then(|name| Host::parse(name).ok());
        if hostname.is_none() && virtual_server.mode() != Mode::ServerOnly {
            self.nameless.push(virtual_server.name.clone());
        }
        let Some(profile) = &virtual_server.client_ssl else { return };
        let target = self.shown_by(profile);
        target.virtual_servers.push(virtual_server.name.clone());
        target.hostnames.extend(hostname.filter(|name| !target.hostnames.contains(name)));
    }

    /// Returns the target of a client-ssl profile in use.
    fn shown_by(&mut self, profile: &Arc<ClientSsl>) -> &mut ProfileTarget {
        let known = self.profiles.iter().position(|it| it.profile.name == profile.name);
        let index = known.unwrap_or_else(|| {
            let profile = Arc::clone(profile);
            self.profiles.push(ProfileTarget { profile, hostnames: Vec::new(), virtual_servers: Vec::new() });
            self.profiles.len() - 1
        });
        &mut self.profiles[index]
    }
}

impl PeerProfile {
    pub fn name(&self) -> &Name {
        match self {
            Self::OfClients(profile) => &profile.name,
            Self::OfMembers(profile) => &profile.name,
        }
    }

    /// Reads the files by which the profile verifies its peers.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn files(&self) -> Result<PeerFiles, MaterialError> {
        match self {
            Self::OfClients(profile) => trust::of_clients(profile),
            Self::OfMembers(profile) => trust::of_members(profile),
        }
    }
}

impl MemberTarget {
    /// Returns the name that a handshake with the member asks for, if it has one.
    pub fn server_name(&self) -> Option<Host> {
        node_name(&self.node)
    }

    /// Adds what is expected; the names that clients of several virtual servers look for are in one certificate.
    fn add(&mut self, expectation: Expectation) {
        let alike = |it: &Expectation| it.role.usage == Use::Passthrough && expectation.role.usage == Use::Passthrough;
        let Some(index) = self.expectations.iter().position(|it| alike(it) || *it == expectation) else {
            return self.expectations.push(expectation);
        };
        let known = &mut self.expectations[index].role.front_ends;
        for name in expectation.role.front_ends {
            if !known.contains(&name) {
                known.push(name);
            }
        }
    }
}

/// Returns what to say of a virtual server without a hostname whose clients see certificates, and what to do.
pub fn nameless(virtual_server: &Name) -> (String, &'static str) {
    let message =
        format!("virtual server `{virtual_server}` has no hostname, so the names in its certificates are not checked");
    (message, "write the name that clients connect to as `hostname`")
}

/// Returns the name by which people know a node: its hostname, else its FQDN; none for one that is known by its
/// address.
pub fn node_name(node: &Node) -> Option<Host> {
    match (&node.hostname, &node.address) {
        (Some(name), _) | (None, Address::Fqdn(name)) => Host::parse(name).ok(),
        (None, Address::Ip(_)) => None,
    }
}

impl ProfileTarget {
    /// Returns what each of the profile's certificates is for, and which names it must carry, where they are known.
    pub fn roles(&self, chains: &[&[Located]]) -> Vec<Role> {
        let none = CertificateNames::default();
        let names: Vec<_> =
            chains.iter().map(|chain| chain.first().map_or(&none, |leaf| &leaf.certificate.names)).collect();
        let default = self.profile.cert_key_chain.iter().position(|source| source.sni_default).unwrap_or(0);
        let asked = front_ends(&names, default, &self.hostnames).into_iter();
        asked.map(|front_ends| Role { usage: Use::FrontEnd, front_ends, node: None }).collect()
    }
}

/// Returns which names each of a profile's certificates must carry. A name is asked of every certificate that carries
/// it, since SNI chooses among those, and of the default one (by its index) if none does.
fn front_ends(names: &[&CertificateNames], default: usize, hostnames: &[Host]) -> Vec<Vec<Host>> {
    let carried = |host: &Host| names.iter().any(|it| it.cover(host));
    let of = |(index, it): (usize, &&CertificateNames)| {
        let wanted = hostnames.iter().filter(|host| it.cover(host) || (index == default && !carried(host)));
        wanted.cloned().collect()
    };
    names.iter().enumerate().map(of).collect()
}

/// Returns what is expected of what the members of a virtual server show; none if they are to speak plaintext.
fn expected_of(virtual_server: &VirtualServer) -> Option<impl Fn(&Node) -> Expectation> {
    let server_ssl = virtual_server.server_ssl.clone();
    let hostname = virtual_server.hostname.as_deref().and_then(|name| Host::parse(name).ok());
    let speaks_tls = virtual_server.mode() != Mode::Offload;
    speaks_tls.then_some(move |node: &Node| match &server_ssl {
        Some(profile) => re_encrypt(profile, node),
        None => {
            let front_ends = hostname.iter().cloned().collect();
            Expectation { role: Role { usage: Use::Passthrough, front_ends, node: node_name(node) }, trust: None }
        }
    })
}

fn re_encrypt(profile: &ServerSsl, node: &Node) -> Expectation {
    let name = profile.authenticate_name.clone().unwrap_or_else(|| node.certificate_name());
    let demanded = Host::parse(&name).ok().filter(|_| profile.verify);
    Expectation {
        role: Role { usage: Use::ReEncrypt, front_ends: Vec::new(), node: demanded },
        trust: profile.verify.then(|| profile.ca_file.clone()),
    }
}

fn store_entries(virtual_server: &VirtualServer) -> impl Iterator<Item = &str> {
    let served = virtual_server.client_ssl.iter().flat_map(|profile| &profile.cert_key_chain);
    let shown = virtual_server.server_ssl.iter().filter_map(|profile| profile.client_certificate.as_ref());
    served.chain(shown).filter_map(store_entry)
}

fn store_entry(CertKey { certificate, .. }: &CertKey) -> Option<&str> {
    match certificate {
        Certificate::Store(name) => Some(name),
        Certificate::Files { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dns: &[&str]) -> CertificateNames {
        CertificateNames { dns: dns.iter().map(ToString::to_string).collect(), ..CertificateNames::default() }
    }

    #[test]
    fn a_name_is_asked_of_the_certificate_that_sni_chooses() {
        let [a, b, c] = ["a.example.com", "b.example.com", "c.example.com"].map(|name| Host::parse(name).unwrap());
        let (one, two) = (names(&["a.example.com"]), names(&["b.example.com"]));
        let asked = front_ends(&[&one, &two], 1, &[a.clone(), b.clone(), c.clone()]);
        assert_eq!(asked, [vec![a], vec![b, c]], "nobody carries c, so the default is to");
    }
}
