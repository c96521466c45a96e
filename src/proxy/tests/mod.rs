//! Virtual servers without a file and without sockets.

mod continued;
mod explained;
mod flapping;
mod open;
mod pacing;
mod waiting;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::snapshot::Snapshot;
use crate::config;
use crate::model::profile::{Affinity, ClientSsl, Persistence, PersistenceKind, Protocol, SourceMask};
use crate::model::{self, Address, AdminState, ImmediateAction, LoadBalancing, Member, Name, Node, VirtualServer};
use crate::pool::{Pool, Registry, Sharing, Sticky};

fn name(text: &str) -> Name {
    Name::from(text)
}

/// Returns a member `node:port` on the loopback.
fn member(node: &str, port: u16) -> Member {
    Member::new(Arc::new(Node::new(name(node), Address::Ip(IpAddr::from([127, 0, 0, 1])))), port)
}

fn pool(called: &str, members: impl IntoIterator<Item = Member>) -> model::Pool {
    model::Pool::new(name(called), LoadBalancing::RoundRobin, members.into_iter().map(Arc::new).collect())
}

/// Returns what is built in, and a virtual server on a pool without members.
pub(in crate::proxy) fn built_in() -> model::Model {
    let file = "pools: { p: {} }\nvirtual-servers: { vs: { destination: 127.0.0.1:21050, pool: p } }\n";
    config::parse("", file, Path::new("/")).unwrap().model
}

/// Returns a virtual server that lets everybody in and passes bytes through.
fn virtual_server(called: &str, pool: &Arc<model::Pool>) -> VirtualServer {
    let built_in = &built_in().virtual_servers["vs"];
    let protocol = Arc::new(Protocol { idle_timeout: None, ..Protocol::clone(&built_in.protocol) });
    VirtualServer { name: name(called), pool: Arc::clone(pool), protocol, ..VirtualServer::clone(built_in) }
}

/// Returns a profile for which a virtual server needs no certificate unless a client comes.
fn client_ssl() -> Arc<ClientSsl> {
    Arc::clone(&built_in().profiles.client_ssl["clientssl"])
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

/// Returns what a reload makes of a virtual server without TLS.
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
