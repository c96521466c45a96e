//! The configuration of a virtual server as connections see it: an immutable snapshot.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::model::VirtualServer;
use crate::pool::{Pool, Sticky};
use crate::tls::{LiveClientSsl, LiveServerSsl, MemberTls};

/// All that a connection needs of one configuration. A connection takes the newest whenever a member is chosen for it,
/// and keeps that while it has the member.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub config: Arc<VirtualServer>,
    pub pool: Arc<Pool>,
    /// Persistence profiles in the order in which they are asked.
    pub persistence: Vec<Sticky>,
    pub client_ssl: Option<Arc<LiveClientSsl>>,
    pub server_ssl: Option<Arc<LiveServerSsl>>,
    /// TLS toward each member, in the order of the pool's members.
    pub(super) member_tls: Option<Vec<Arc<MemberTls>>>,
}

impl Snapshot {
    pub fn new(
        config: Arc<VirtualServer>,
        pool: Arc<Pool>,
        persistence: Vec<Sticky>,
        client_ssl: Option<Arc<LiveClientSsl>>,
        server_ssl: Option<Arc<LiveServerSsl>>,
    ) -> Self {
        let member_tls = member_tls(server_ssl.as_deref(), &pool);
        Self { config, pool, persistence, client_ssl, server_ssl, member_tls }
    }

    /// Returns the same with another pool.
    pub(super) fn with_pool(&self, pool: Arc<Pool>) -> Self {
        let member_tls = member_tls(self.server_ssl.as_deref(), &pool);
        Self { pool, member_tls, ..self.clone() }
    }

    /// Returns what a connection that has this snapshot continues with: the newest. If that has another TLS mode, the
    /// connection keeps its own on both sides, as it has begun in it.
    pub(super) fn continue_with(self: &Arc<Self>, newest: Arc<Self>) -> Arc<Self> {
        if self.config.mode() == newest.config.mode() {
            return newest;
        }
        // Each configuration joins its pools anew, so this one continues the newest already.
        if Arc::ptr_eq(&self.pool, &newest.pool) {
            return Arc::clone(self);
        }
        let config = VirtualServer {
            client_ssl: self.config.client_ssl.clone(),
            server_ssl: self.config.server_ssl.clone(),
            ..VirtualServer::clone(&newest.config)
        };
        let (pool, persistence) = (Arc::clone(&newest.pool), newest.persistence.clone());
        Arc::new(Self::new(Arc::new(config), pool, persistence, self.client_ssl.clone(), self.server_ssl.clone()))
    }

    /// Returns whether a client has a persistence record. Hashing keeps none.
    pub(super) fn has_record(&self, client: IpAddr, now: Instant) -> bool {
        let find = |sticky: &Sticky| sticky.records.as_ref()?.find(&sticky.profile, client, now);
        self.persistence.iter().any(|sticky| find(sticky).is_some())
    }
}

fn member_tls(profile: Option<&LiveServerSsl>, pool: &Pool) -> Option<Vec<Arc<MemberTls>>> {
    let profile = profile?;
    Some(pool.members.iter().map(|member| profile.for_member(&member.config)).collect())
}
