//! Virtual servers without a file and without sockets.

mod continued;
mod explained;
mod flapping;
mod waiting;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::snapshot::Snapshot;
use crate::model::profile::{
    Affinity, CipherGroup, ClientSsl, PeerCertMode, Persistence, PersistenceKind, Protocol, ProtocolKind, SourceMask,
    TlsVersion, TlsVersions,
};
use crate::model::{
    self, Address, AdminState, Dial, ImmediateAction, LoadBalancing, Member, Name, Node, VirtualServer,
    VirtualServerKind,
};
use crate::pool::{Pool, Registry, Sharing, Sticky};

fn name(text: &str) -> Name {
    Name::from(text)
}

/// A member `node:port` on the loopback.
fn member(node: &str, port: u16) -> Member {
    Member::new(Arc::new(Node::new(name(node), Address::Ip(IpAddr::from([127, 0, 0, 1])))), port)
}

fn pool(called: &str, members: impl IntoIterator<Item = Member>) -> model::Pool {
    model::Pool::new(name(called), LoadBalancing::RoundRobin, members.into_iter().map(Arc::new).collect())
}

/// A virtual server that lets everybody in and passes bytes through.
fn virtual_server(called: &str, pool: &Arc<model::Pool>) -> VirtualServer {
    let second = Duration::from_secs(1);
    let protocol = Protocol {
        name: name("tcp"),
        kind: ProtocolKind::Tcp,
        idle_timeout: None,
        reset_on_timeout: true,
        keep_alive_interval: None,
        close_wait: second,
        backlog: 1,
        nodelay: true,
        connect_timeout: second,
    };
    VirtualServer {
        name: name(called),
        description: None,
        kind: VirtualServerKind::Standard,
        destination: ([127, 0, 0, 1], 21050).into(),
        hostname: None,
        pool: Arc::clone(pool),
        persistence: None,
        fallback_persistence: None,
        client_ssl: None,
        server_ssl: None,
        protocol: Arc::new(protocol),
        dial: Dial::FirstByte,
        connection_limit: None,
        rate_limit: None,
        source: Vec::new(),
        state: AdminState::Enabled,
        service_down_immediate_action: ImmediateAction::None,
    }
}

/// A profile for which a virtual server needs no certificate unless a client comes.
fn client_ssl() -> Arc<ClientSsl> {
    Arc::new(ClientSsl {
        name: name("front"),
        cert_key_chain: Vec::new(),
        sni_require: false,
        versions: TlsVersions { minimum: TlsVersion::Tls12, maximum: TlsVersion::Tls13 },
        cipher_group: CipherGroup::Default,
        peer_cert_mode: PeerCertMode::Ignore,
        ca_file: None,
        crl_file: None,
        authenticate_depth: 9,
        handshake_timeout: Duration::from_secs(1),
        session_ticket: false,
        cache_size: 0,
        alpn: Vec::new(),
    })
}

fn persistence(kind: PersistenceKind, override_connection_limit: bool) -> Arc<Persistence> {
    Arc::new(Persistence { name: name("sticky"), kind, mask: SourceMask::HOST, override_connection_limit })
}

const SOURCE_ADDR: PersistenceKind = PersistenceKind::SourceAddr(Affinity {
    timeout: Some(Duration::from_secs(180)),
    match_across_services: false,
    match_across_virtuals: false,
    match_across_pools: false,
});

/// What a reload makes of a virtual server without TLS.
fn snapshot(config: VirtualServer, pool: &Arc<Pool>, registry: &Registry) -> Snapshot {
    let sticky = |profile: &Arc<Persistence>| Sticky {
        profile: Arc::clone(profile),
        records: match &profile.kind {
            PersistenceKind::SourceAddr(affinity) => Some(registry.records(&Sharing::of(&config, affinity))),
            PersistenceKind::Hash => None,
        },
    };
    let persistence = config.persistence.iter().chain(&config.fallback_persistence).map(sticky).collect();
    Snapshot::new(Arc::new(config), Arc::clone(pool), persistence, None, None)
}
